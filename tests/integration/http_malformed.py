"""Tables of requests that are none, or that two servers could read in two ways, and of what looks odd and is right."""

from http_client import Row, chunks

SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: probe\r\n\r\n"
LINE = 8192     # --max-line, --max-headers and --max-header below
HEADERS = 100
HEADER = 16384
LIMITS = ["--max-line", "8k", "--max-headers", str(HEADERS), "--max-header", "16k", "--max-body", "64k"]
REFUSED = (400,)
CODINGS = (400, 501)
TOO_LARGE = (400, 413)
LINES = (400, 501, 505)  # a line that is no request line: method, target and version are not to be told apart

CONTROLS = [byte for byte in (*range(0x20), 0x7f) if byte not in (0x09, 0x0a, 0x0d)]


def head(*lines, first=b"GET /hello HTTP/1.1", host=b"Host: probe"):
    """A head of raw lines."""
    return b"\r\n".join([first] + ([host] if host else []) + list(lines)) + b"\r\n\r\n"


def post(*lines, body=b"hello"):
    """A request for /echo whose lines say how long its body is."""
    return head(*lines, first=b"POST /echo HTTP/1.1") + body


def rows(prefix, pairs, statuses=REFUSED):
    return [Row(f"{prefix}: {name}", sent, statuses) for name, sent in pairs]


def named(values, make):
    """Rows from values that are their own names."""
    return [(repr(value)[:60], make(value)) for value in values]


def target_rows():
    def get(target):
        return head(first=b"GET " + target + b" HTTP/1.1")
    bytes_refused = [bytes([byte]) for byte in CONTROLS + [0x09, 0x0d, 0x80, 0xff]] + [b"\n", b"#", b" "]
    return (
        rows("target with", named(bytes_refused, lambda byte: get(b"/hel" + byte + b"lo"))) +
        rows("target ends with", named([b"\x00", b"\x7f", b"#", b"\x0b"], lambda byte: get(b"/hello" + byte))) +
        rows("target", named([
            b"hello", b"../hello", b"?a", b"\\hello", b"example.com", b"example.com:80", b"127.0.0.1:80", b"*", b"**",
            b"*/hello", b"http://", b"http:///hello", b"http:/hello", b"http//probe/hello", b"://probe/hello",
            b"http://user@probe/hello", b"http://probe:x/hello", b"http://[::1/hello", b"http://pro\x01be/hello",
            b"http://probe/hel#lo"], get)) +
        rows("target", [("none", b"GET HTTP/1.1\r\nHost: probe\r\n\r\n"), ("empty", get(b"")),
                        ("two", get(b"/hello /hello")), ("with a version", get(b"/hello HTTP/1.0")),
                        ("behind two blanks", head(first=b"GET  /hello HTTP/1.1")),
                        ("behind a tab", head(first=b"GET\t/hello HTTP/1.1")),
                        ("before two blanks", head(first=b"GET /hello  HTTP/1.1")),
                        ("before a tab", head(first=b"GET /hello\tHTTP/1.1")),
                        ("asterisk of POST", head(first=b"POST * HTTP/1.1")),
                        ("asterisk and more of OPTIONS", head(first=b"OPTIONS *hello HTTP/1.1")),
                        ("authority of OPTIONS", head(first=b"OPTIONS probe:80 HTTP/1.1"))], LINES) +
        rows("CONNECT", named([b"probe:80", b"/hello", b"*", b"http://probe/hello"],
                              lambda target: head(first=b"CONNECT " + target + b" HTTP/1.1")), LINES))


def method_rows():
    def of(method):
        return head(first=method + b" /hello HTTP/1.1")
    bytes_refused = [bytes([byte]) for byte in CONTROLS + [0x0d, 0x80, 0xff, *b'"(),/:;<=>?@[\\]{}']]
    return (
        rows("method", named([b"get", b"Get", b"gET", b"post", b"", b"GET,", b"@", b"G\tET"], of), LINES) +
        rows("method with", named(bytes_refused, lambda byte: of(b"G" + byte + b"ET")), LINES) +
        rows("method unknown", named([b"FOO", b"GETX", b"GE", b"GET-", b"PRI", b"A" * 30], of), LINES) +
        rows("method too long", [("300", of(b"A" * 300)), ("100,000", of(b"A" * 100000)),
                                 ("without an end", b"A" * 100000)], (400, 414, 431, 501)) +
        rows("in front of the method", named([b" ", b"\t", b"\x00", b"\xef\xbb\xbf", b"\r", b"\r\n ", b"x\r\n",
                                              b"\x0b"],
                                             lambda front: front + of(b"GET")), LINES))


def version_rows():
    refused = [b"HTTP/1.2", b"HTTP/1.10", b"HTTP/2.0", b"HTTP/2", b"HTTP/0.9", b"HTTP/3.0", b"HTTP/9.9", b"HTTP/11",
               b"HTTP/1", b"HTTP/1.", b"HTTP/.1", b"HTTP/1.1.1", b"http/1.1", b"Http/1.1", b"HTTP /1.1", b"HTTP/ 1.1",
               b"HTTP/1 .1", b"HTTP/1.x", b"HTTP/x.1", b"HTTP/01.1", b"HTTP/1.01", b"HTTP/-1.1", b"HTTP/1,1",
               b"HTTP-1.1",
               b"HTTPS/1.1", b"HTCPCP/1.0", b"ICE/1.0", b"RTSP/1.0", b"HTTP/1.1 ", b"HTTP/1.1\t", b"HTTP/1.1x",
               b"HTTP/1.1\x00", b"HTTP/1.1;", b"", b"HTTP/", b"HTTP", b"1.1"]
    return (
        rows("version", named(refused, lambda version: head(first=b"GET /hello " + version)), LINES) +
        rows("version", [("0.9", b"GET /hello\r\n\r\n"), ("0.9 with a header", b"GET /hello\r\nHost: probe\r\n\r\n"),
                         ("preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
                         ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(200))),
                         ("SSH", b"SSH-2.0-client\r\n"), ("PROXY", b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n" + head()),
                         ("PROXY 2", b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0" + head())], LINES))


def line_rows():
    """How lines end, and how they must not."""
    return rows("line ends", [
        ("LF everywhere", head().replace(b"\r\n", b"\n")),
        ("LF behind the request line", b"GET /hello HTTP/1.1\nHost: probe\r\n\r\n"),
        ("LF behind a header", b"GET /hello HTTP/1.1\r\nHost: probe\nX-A: b\r\n\r\n"),
        ("LF behind the last header", b"GET /hello HTTP/1.1\r\nHost: probe\n\r\n"),
        ("LF at the end", b"GET /hello HTTP/1.1\r\nHost: probe\r\n\n"),
        ("two LF at the end", b"GET /hello HTTP/1.1\r\nHost: probe\n\n"),
        ("LF CR", head().replace(b"\r\n", b"\n\r")),
        ("CR everywhere", head().replace(b"\r\n", b"\r")),
        ("CR behind the request line", b"GET /hello HTTP/1.1\rHost: probe\r\n\r\n"),
        ("CR behind a header", b"GET /hello HTTP/1.1\r\nHost: probe\rX-A: b\r\n\r\n"),
        ("CR CR LF behind the request line", b"GET /hello HTTP/1.1\r\r\nHost: probe\r\n\r\n"),
        ("CR CR LF behind a header", b"GET /hello HTTP/1.1\r\nHost: probe\r\r\n\r\n"),
        ("CR at the end", b"GET /hello HTTP/1.1\r\nHost: probe\r\n\rX"),
        ("CR in a value", head(b"X-A: b\rc")),
        ("CR at the beginning of a value", head(b"X-A: \rc")),
        ("CR in a name", head(b"X\rA: b")),
        ("LF in a value", head(b"X-A: b\nc")),
        ("LF and a header in a value", head(b"X-A: b\nTransfer-Encoding: chunked")),
        ("CR and a header in a value", head(b"X-A: b\rTransfer-Encoding: chunked")),
        ("LF and an end in a value", head(b"X-A: b\n\nGET /smuggled HTTP/1.1")),
        ("LF in a name", head(b"X\nA: b")),
        ("VT", head().replace(b"\r\n", b"\x0b")),
        ("FF", head(b"X-A: b\x0cX-B: c")),
        ("NEL", head().replace(b"\r\n", b"\x85")),
    ], LINES)


def fold_rows():
    return rows("folded", [
        ("a value", head(b"X-A: b\r\n c")),
        ("a value by a tab", head(b"X-A: b\r\n\tc")),
        ("an empty value", head(b"X-A:\r\n c")),
        ("the first line", head(host=b" Host: probe")),
        ("the first line, Host behind it", head(host=b" X-A: b\r\nHost: probe")),
        ("the first line by a tab", head(host=b"\tX-A: b\r\nHost: probe")),
        ("Host", head(host=b"Host: probe\r\n .other")),
        ("Transfer-Encoding", post(b"Transfer-Encoding:\r\n chunked", body=chunks(b"hello"))),
        ("Transfer-Encoding by a tab", post(b"Transfer-Encoding:\r\n\tchunked", body=chunks(b"hello"))),
        ("Transfer-Encoding behind another", post(b"X-A: b\r\n Transfer-Encoding: chunked", b"Content-Length: 5")),
        ("Content-Length", post(b"Content-Length: 5\r\n 6")),
        ("Content-Length, empty", post(b"Content-Length:\r\n 5")),
        ("nothing", head(b"X-A: b\r\n ")),
        ("nothing by a tab", head(b"X-A: b\r\n\t")),
        ("twice", head(b"X-A: b\r\n c\r\n d")),
    ])


def name_rows():
    refused = [bytes([byte]) for byte in CONTROLS + [0x09, 0x80, 0xa0, 0xff, *b' "(),/;<=>?@[\\]{}']]
    return (
        rows("name with", named(refused, lambda byte: head(b"X" + byte + b"A: b"))) +
        rows("name begins with", named([b"\x00", b"\x80", b"(", b"=", b"@", b";"], lambda byte: head(byte + b"A: b"))) +
        rows("name", [
            ("with a blank behind it", head(b"X-A : b")), ("with a tab behind it", head(b"X-A\t: b")),
            ("Host and a blank", head(host=b"Host : probe")), ("Host and a tab", head(host=b"Host\t: probe")),
            ("Content-Length and a blank", post(b"Content-Length : 5")),
            ("Content-Length and a tab", post(b"Content-Length\t: 5")),
            ("Content-Length and NUL", post(b"Content-Length\x00: 5")),
            ("Transfer-Encoding and a blank", post(b"Transfer-Encoding : chunked", body=chunks(b"hello"))),
            ("Transfer-Encoding and a tab", post(b"Transfer-Encoding\t: chunked", body=chunks(b"hello"))),
            ("Transfer-Encoding and VT", post(b"Transfer-Encoding\x0b: chunked", body=chunks(b"hello"))),
            ("Transfer-Encoding behind CL and a blank", post(b"Content-Length: 5", b"Transfer-Encoding : chunked")),
            ("empty", head(b": b")), ("a blank", head(b" : b")), ("without a colon", head(b"X-A")),
            ("without a colon, first", head(host=b"X-A\r\nHost: probe")),
            ("empty, first", head(host=b": b\r\nHost: probe")),
        ]))


def value_rows():
    return (
        rows("value with", named([bytes([byte]) for byte in CONTROLS], lambda byte: head(b"X-A: b" + byte + b"c"))) +
        rows("value begins with", named([b"\x00", b"\x0b", b"\x7f"], lambda byte: head(b"X-A: " + byte + b"c"))) +
        rows("value ends with", named([b"\x00", b"\x0b", b"\x7f"], lambda byte: head(b"X-A: c" + byte))))


def host_rows():
    refused = [b"a b", b"a/b", b"user@a", b"a:b", b"[::1", b"::1]", b"a\\b", b"a?b", b"a#b", b"<a>", b'"a"', b"a:80:80",
               b"a\x00", b"a:-1", b"http://a", b"a:80a", b"[a b]"]
    return (
        rows("Host", named(refused, lambda value: head(host=b"Host: " + value))) +
        rows("Host", [("none", head(host=None)), ("none but an absolute target",
                                                  head(first=b"GET http://probe/hello HTTP/1.1", host=None)),
                      ("twice the same", head(b"Host: probe")), ("two", head(b"Host: other")),
                      ("two, apart", head(b"X-A: b", b"hOST: other")), ("one of two empty", head(b"Host:")),
                      ("twice in 1.0", head(b"Host: probe", first=b"GET /hello HTTP/1.0")),
                      ("two with an absolute target", head(b"Host: x", first=b"GET http://probe/hello HTTP/1.1"))]) +
        rows("Content-Type", [("twice the same", post(b"Content-Type: a/b", b"Content-Type: a/b",
                                                      b"Content-Length: 5")),
                              ("two", post(b"Content-Type: a/b", b"content-type: a/c", b"Content-Length: 5"))]))


def length_rows():
    refused = [b"+5", b"-5", b"-0", b"5 5", b"5,5", b"5, 5", b"5, 6", b"5,", b",5", b"0x5", b"0x10", b"5x", b"x", b"",
               b"5.0", b"5e0", b"\xd9\xa5", b"5;", b"5\x00", b"\x005", b"'5'", b'"5"', b"5\x0b", b"\x0b5", b"5_0",
               b"1 ,5",
               b"five", b"NaN", b"5\xa0"]
    huge = [b"99999999999999999999", b"9223372036854775807", b"9223372036854775808", b"18446744073709551615",
            b"18446744073709551616", b"18446744073709551621", b"4294967301", b"1" + b"0" * 100, b"5" * 4000]
    two = [(b"5", b"5"), (b"5", b"6"), (b"6", b"5"), (b"0", b"5"), (b"5", b"0"), (b"5", b"x"), (b"5", b"")]
    return (
        rows("Content-Length", named(refused, lambda value: post(b"Content-Length: " + value))) +
        rows("Content-Length", named(huge, lambda value: post(b"Content-Length: " + value)), (400, 413)) +
        rows("two Content-Length", [(f"{a!r} {b!r}", post(b"Content-Length: " + a, b"Content-Length: " + b))
                                    for a, b in two]) +
        rows("two Content-Length", [("apart", post(b"Content-Length: 5", b"X-A: b", b"content-length: 6")),
                                    ("of GET", head(b"Content-Length: 5", b"Content-Length: 0"))]) +
        rows("Content-Length", [("over --max-body", post(b"Content-Length: 65537", body=b"")),
                                ("far over --max-body", post(b"Content-Length: 1000000000000", body=b""))], (413,)))


def coding_rows():
    refused = [b"gzip", b"deflate", b"identity", b"gzip, chunked", b"chunked, gzip", b"chunked, identity",
               b"chunked, chunked", b"identity, chunked", b"chunked,", b"xchunked", b"chunkedx", b"x-chunked",
               b"chunke",
               b"chunk ed", b"chunked chunked", b"chunked;a=b", b"chunked;", b'"chunked"', b"'chunked'", b"", b",",
               b"chunked\x0b", b"\x0bchunked", b"\x00chunked", b"chunked\x00", b"chunked\xa0", b"\xa0chunked",
               b"chunked\x0c", b"chunked\x7f", b"chunked,,gzip", b"cow", b"trailers", b"chunked: a", b"5"]

    def chunked(*lines):
        return post(*lines, body=chunks(b"hello"))
    both_ways = [(b"Content-Length: 5", b"Transfer-Encoding: chunked"),
                 (b"Transfer-Encoding: chunked", b"Content-Length: 5"),
                 (b"Content-Length: 0", b"Transfer-Encoding: chunked"),
                 (b"Transfer-Encoding: chunked", b"Content-Length: 0"),
                 (b"Content-Length: 15", b"X-A: b", b"Transfer-Encoding: chunked"),
                 (b"Content-Length: 5", b"Transfer-Encoding: identity"),
                 (b"Content-Length: 5", b"Transfer-Encoding: gzip"),
                 (b"Content-Length: 5", b"Transfer-Encoding: xchunked"), (b"Content-Length: 5", b"Transfer-Encoding:"),
                 (b"transfer-encoding: CHUNKED", b"CONTENT-LENGTH: 5"),
                 (b"Content-Length: 5", b"Transfer-Encoding: chunked", b"Content-Length: 5")]
    two = [(b"chunked", b"chunked"), (b"chunked", b"identity"), (b"identity", b"chunked"), (b"gzip", b"chunked"),
           (b"chunked", b"gzip"), (b"chunked", b"x"), (b"chunked", b""), (b"", b"chunked"), (b"x", b"chunked")]
    old = b"POST /echo HTTP/1.0"
    return (
        rows("Transfer-Encoding", named(refused, lambda value: chunked(b"Transfer-Encoding: " + value)), CODINGS) +
        rows("Transfer-Encoding and Content-Length", [(b", ".join(lines).decode(), chunked(*lines))
                                                      for lines in both_ways], CODINGS) +
        rows("two Transfer-Encoding", [(f"{a!r} {b!r}", chunked(b"Transfer-Encoding: " + a, b"Transfer-Encoding: " + b))
                                       for a, b in two], CODINGS) +
        rows("Transfer-Encoding", [
            ("in 1.0", head(b"Transfer-Encoding: chunked", first=old) + chunks(b"hello")),
            ("in 1.0 kept alive", head(b"Transfer-Encoding: chunked", b"Connection: keep-alive",
                                       first=old) + chunks(b"x")),
            ("in 1.0 with a length", head(b"Content-Length: 5", b"Transfer-Encoding: chunked", first=old) + b"hello"),
            ("identity in 1.0", head(b"Transfer-Encoding: identity", first=old)),
            ("of GET", head(b"Transfer-Encoding: gzip"))], CODINGS))


def limit_rows():
    filler = b"X-Filler: %d"
    return (
        rows("limit", [("target", head(first=b"GET /" + b"a" * LINE + b" HTTP/1.1")),
                       ("query", head(first=b"GET /hello?" + b"a" * 100000 + b" HTTP/1.1")),
                       ("target without an end", b"GET /" + b"a" * 200000)], (414,)) +
        rows("limit", [("value", head(b"X-A: " + b"a" * (HEADER + 1))),
                       ("large value", head(b"X-A: " + b"a" * 200000)),
                       ("value without an end", head()[:-2] + b"X-A: " + b"a" * 200000),
                       ("name", head(b"X" * (HEADER + 1) + b": b")),
                       ("name without an end", head()[:-2] + b"X" * 200000),
                       ("blanks in front of a value", head(b"X-A:" + b" " * 200000 + b"b")),
                       ("headers", head(*(filler % i for i in range(HEADERS)))),
                       ("many headers", head(*(filler % i for i in range(10000)))),
                       ("headers without an end", head()[:-2] + b"a: b\r\n" * 50000)], (431,)) +
        rows("expectation", named([b"200-ok", b"100-continue, more", b"100", b"100-continued"],
                                  lambda value: post(b"Expect: " + value, b"Content-Length: 5")), (417,)))


HEAD_ROWS = (target_rows() + method_rows() + version_rows() + line_rows() + fold_rows() + name_rows() + value_rows() +
             host_rows() + length_rows() + coding_rows() + limit_rows())


def body_rows():
    """Heads that are right, with bodies that are not."""
    def chunked(body):
        return post(b"Transfer-Encoding: chunked", body=body)
    sizes = [b"", b"g", b"-1", b"-0", b"+1", b"0x5", b"0X5", b" 5", b"\t5", b"5 ", b"5\t", b"5 5", b"5,5", b"5\x00",
             b"5h",
             b"5\x0b", b"5\xa0", b"\xef\xbb\xbf5", b"5.", b"_5", b"five", b"5\r", b"\r\n5", b";", b";a=b",
             b"FFFFFFFFFFFFFFFFF", b"10000000000000005", b"ffffffffffffffff", b"8000000000000000", b"7fffffffffffffff",
             b"fffffffffffffffb", b"-ffffffffffffffff", b"0" * 1000 + b"g"]
    extensions = [b";", b";;", b";=", b";a=", b";a=\x00", b";\x00", b";a\rb", b";a\nb", b";a=\"b", b";a=\"b\x01\"",
                  b";a=b\x7f", b" a", b";a=\"b\"c", b";a\x0b", b";" + b"a" * 200000]
    trailers = [b"X Y: z\r\n", b": z\r\n", b" X: z\r\n", b"X: a\r\n b\r\n", b"X: a\nY: b\r\n", b"X : b\r\n", b"X\r\n",
                b"X: a\rb\r\n", b"X: \x00\r\n", b"X: a\n", b"\n", b"X\x00: a\r\n",
                b"X: " + b"a" * (HEADER + 1) + b"\r\n",
                b"a: b\r\n" * 50000]
    framing = [("data longer than its size", b"5\r\nhello!\r\n0\r\n\r\n"), ("data shorter", b"6\r\nhello\r\n0\r\n\r\n"),
               ("no line end behind the data", b"5\r\nhello0\r\n\r\n"),
               ("LF behind the data", b"5\r\nhello\n0\r\n\r\n"),
               ("CR behind the data", b"5\r\nhello\r0\r\n\r\n"), ("LF behind the size", b"5\nhello\r\n0\r\n\r\n"),
               ("CR behind the size", b"5\rhello\r\n0\r\n\r\n"), ("CR CR LF behind the size",
                                                                  b"5\r\r\nhello\r\n0\r\n\r\n"),
               ("LF behind the last size", b"5\r\nhello\r\n0\n\r\n"), ("LF at the end", b"5\r\nhello\r\n0\r\n\n"),
               ("CR at the end", b"5\r\nhello\r\n0\r\n\rX"), ("two LF at the end", b"5\r\nhello\r\n0\n\n"),
               ("no chunk at all", b"hello"), ("a request instead", b"GET /smuggled HTTP/1.1\r\n\r\n"),
               ("an empty line instead", b"\r\n0\r\n\r\n"), ("an empty line behind the data",
                                                             b"5\r\nhello\r\n\r\n0\r\n\r\n")]
    return (
        rows("chunk size", named(sizes, lambda size: chunked(size + b"\r\nhello\r\n0\r\n\r\n")), TOO_LARGE) +
        rows("last chunk's size", named([b"0x0", b"-0", b"0 ", b"0g", b"00x"],
                                        lambda size: chunked(b"5\r\nhello\r\n" + size + b"\r\n\r\n")), TOO_LARGE) +
        rows("chunk extension", named(extensions, lambda text: chunked(b"5" + text + b"\r\nhello\r\n0\r\n\r\n")),
             (400, 413, 431)) +
        rows("trailer", named(trailers, lambda lines: chunked(chunks(b"hello", trailers=lines))), (400, 413, 431)) +
        rows("chunk", [(name, chunked(body)) for name, body in framing]) +
        rows("chunk", [("too large", chunked(chunks(b"a" * 65537))), ("too many", chunked(chunks(*[b"a" * 1000] * 70))),
                       ("larger than --max-body", chunked(b"10001\r\n"))], (413,)))


BODY_ROWS = body_rows()


def right_rows():
    """[(name, bytes, {what /headers or /echo must tell})]"""
    def get(*lines, **options):
        return head(*lines, first=b"GET /headers HTTP/1.1", **options)

    def chunked(body):
        return post(b"Transfer-Encoding: chunked", body=body)
    limits = [b"X-Filler: %d" % i for i in range(HEADERS - 1)]
    absolute = head(first=b"GET http://other:81/headers?a=b HTTP/1.1")
    return [
        ("plain", get(), {":method": "GET 3", ":path": "/headers 8", ":query": " 0", "host": "probe", ":minor": "1"}),
        ("empty lines in front", b"\r\n\r\n" + get(), {"host": "probe"}),
        ("no Host in 1.0", head(first=b"GET /headers HTTP/1.0", host=None), {":minor": "0"}),
        ("no blank behind the colon", get(b"X-A:b"), {"x-a": "b"}),
        ("blanks and tabs around a value", get(b"X-A: \t  b c\t \t"), {"x-a": "b c"}),
        ("a tab within a value", get(b"X-A: b\tc"), {"x-a": "b\tc"}),
        ("empty value", get(b"X-A:", b"X-B: "), {"x-a": "", "x-b": ""}),
        ("bytes above ASCII in a value", get(b"X-A: \x80\xe9\xff"), {"x-a": "\x80\xe9\xff"}),
        ("colons in a value", get(b"X-A: b: c:"), {"x-a": "b: c:"}),
        ("all signs of a token", get(b"!#$%&'*+-.^`|~09aZ: b"), {"!#$%&'*+-.^`|~09az": "b"}),
        ("repeated headers keep their order", get(b"X-A: 1", b"X-B: 2", b"x-a: 3"), {"x-a": "1|3", "x-b": "2"}),
        ("absolute target", absolute, {"host": "other:81", ":target": "http://other:81/headers?a=b 27",
                                       ":path": "/headers 8", ":query": "a=b 3"}),
        ("query with signs", head(first=b"GET /headers?a=/?:@&b=%00%zz HTTP/1.1"), {":query": "a=/?:@&b=%00%zz 15"}),
        ("empty query", head(first=b"GET /headers? HTTP/1.1"), {":target": "/headers? 9", ":path": "/headers 8",
                                                                ":query": " 0"}),
        ("odd methods", head(first=b"PROPFIND /headers HTTP/1.1"), {":method": "PROPFIND 8"}),
        ("a method with a sign", head(first=b"M-SEARCH /headers HTTP/1.1"), {":method": "M-SEARCH 8"}),
        ("as many headers as may be", head(*limits, first=b"GET /headers HTTP/1.1"), {"host": "probe"}),
        ("a large header", get(b"X-A: " + b"a" * (HEADER - 200)), {"x-a": "a" * (HEADER - 200)}),
        ("a long target", head(first=b"GET /headers?" + b"a" * (LINE - 100) + b" HTTP/1.1"),
         {":query": "a" * (LINE - 100) + f" {LINE - 100}"}),
        ("Host with a port", get(host=b"Host: [::1]:8000"), {"host": "[::1]:8000"}),
        ("length with blanks", post(b"Content-Length:\t 5 "), b"hello"),
        ("length with zeros", post(b"Content-Length: 005"), b"hello"),
        ("length 0", post(b"Content-Length: 0", body=b""), b""),
        ("no length of POST", post(body=b""), b""),
        ("a body of GET", head(b"Content-Length: 5", first=b"GET /echo HTTP/1.1") + b"hello", b"hello"),
        ("chunks", chunked(chunks(b"hel", b"lo")), b"hello"),
        ("Chunked in capitals", post(b"Transfer-Encoding: CHUNKED", body=chunks(b"hello")), b"hello"),
        ("no chunks", chunked(b"0\r\n\r\n"), b""),
        ("sizes in capitals", chunked(b"A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n"), b"0123456789" * 2),
        ("sizes with zeros", chunked(b"0005\r\nhello\r\n000\r\n\r\n"), b"hello"),
        ("extensions", chunked(chunks(b"hel", b"lo", extension=b";a;b=\"c d\";e=f")), b"hello"),
        ("trailers", chunked(chunks(b"hello", trailers=b"X-Sum: 5\r\nX-Empty:\r\n")), b"hello"),
        ("trailers that would be dangerous", chunked(chunks(b"hello", trailers=b"Content-Length: 1\r\nHost: b\r\n")),
         b"hello"),
        ("a request in a body", post(b"Content-Length: %d" % len(SMUGGLED), body=SMUGGLED), SMUGGLED),
        ("line ends in chunks", chunked(chunks(b"\r\n0\r\n\r\n")), b"\r\n0\r\n\r\n"),
        ("as large as may be", post(b"Content-Length: 65536", body=b"a" * 65536), b"a" * 65536),
        ("chunks as large as may be", chunked(chunks(*[b"a" * 4096] * 16)), b"a" * 65536),
    ]
