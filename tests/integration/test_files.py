#!/usr/bin/python3
"""Static files in both workers: what may be had and what may not, ranges, conditions, codings, files that change."""

import atexit
import contextlib
import email.utils
import functools
import gzip
import hashlib
import os
import pathlib
import re
import shutil
import signal
import socket
import tempfile

import harness
from harness import BUILD, Skip, descriptors_of, run_tests
from http_client import Cut, Server, both, pattern, request, run_alone

os.environ.setdefault("UNICORND_GATEWAYS", str(BUILD / ".libs"))

NOON = 784123200  # Sun, 06 Nov 1994 12:00:00 GMT: old enough that its files have strong tags
DATE = email.utils.formatdate(NOON, usegmt=True)
BEFORE = email.utils.formatdate(NOON - 1, usegmt=True)
AFTER = email.utils.formatdate(NOON + 1, usegmt=True)
SIZE = 10000
BIG = 100 * 1024 * 1024
SECRET = b"nobody may see this"


# ---- the folder that is served

def make(path, content, mtime=NOON):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (mtime, mtime))


@functools.lru_cache(maxsize=None)
def tree():
    """`site` is served; what lies beside it is not."""
    top = pathlib.Path(tempfile.mkdtemp(prefix="unicornd-files-"))
    atexit.register(shutil.rmtree, top, ignore_errors=True)
    os.chmod(top, 0o755)
    site = top / "site"
    make(top / "secret.txt", SECRET)
    make(site / "index.html", b"<h1>top</h1>")
    make(site / "hello.txt", b"hello\n")
    make(site / "data.bin", pattern(SIZE))
    make(site / "empty.txt", b"")
    make(site / "sub/index.html", b"<h1>sub</h1>")
    make(site / "sub/page.html", b"page")
    make(site / "evil.com/index.html", b"evil")
    make(site / "a b/\u00e9.txt", b"accent")
    make(site / "100%.txt", b"percent")
    make(site / "back\\slash.txt", b"backslash")
    make(site / "README", b"readme")
    make(site / ".hidden", SECRET)
    make(site / ".git/config", SECRET)
    make(site / "sub/.env", SECRET)
    make(site / ".well-known/security.txt", b"contact")
    (site / "nothing").mkdir()
    os.symlink("hello.txt", site / "near.txt")
    os.symlink("../secret.txt", site / "far.txt")
    os.symlink("/etc/passwd", site / "absolute.txt")
    os.symlink("..", site / "parent")
    os.symlink("/proc/self/root", site / "magic")
    os.symlink("/dev/zero", site / "device")
    os.mkfifo(site / "fifo")
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as listener:
        listener.bind(str(site / "socket"))
    make_compressed(site / "both.js", b"let plain = 1;", gz=NOON + 1, br=NOON)
    make_compressed(site / "gz.css", b"plain{}", gz=NOON)
    make_compressed(site / "stale.css", b"plain{}", gz=NOON - 1)
    make_compressed(site / "photo.png", b"plain", gz=NOON)
    make(site / "folder.css", b"plain{}")
    (site / "folder.css.gz").mkdir()
    return top


def make_compressed(path, content, **siblings):
    make(path, content)
    for ending, mtime in siblings.items():
        # Brotli is not in the standard library; nothing looks into the file.
        coded = gzip.compress(content) if ending == "gz" else b"brotli of " + content
        make(path.with_name(f"{path.name}.{ending}"), coded, mtime)


def serve(kind, *options, folder=None, query=""):
    return Server(kind, *options, app=f"files:{folder or tree() / 'site'}{query}")


_servers = {}


def shared(kind):
    """A server for all tests that leave it as it was."""
    if kind not in _servers:
        _servers[kind] = serve(kind).start()
        atexit.register(_servers[kind].close)
    return _servers[kind]


def etag(kind, target, *headers):
    return shared(kind).ask(target, *headers, method="HEAD").get("etag").decode()


# ---- what may be had

FOUND = [
    ("/", b"<h1>top</h1>"),
    ("//", b"<h1>top</h1>"),
    ("/?query", b"<h1>top</h1>"),
    ("/index.html", b"<h1>top</h1>"),
    ("/hello.txt", b"hello\n"),
    ("/hello.txt?v=1", b"hello\n"),
    ("/hello.txt?/../../secret.txt", b"hello\n"),
    ("//hello.txt", b"hello\n"),
    ("/%68ello.txt", b"hello\n"),
    ("/sub/", b"<h1>sub</h1>"),
    ("/sub//page.html", b"page"),
    ("/a%20b/%C3%A9.txt", b"accent"),
    ("/100%25.txt", b"percent"),
    ("/back%5Cslash.txt", b"backslash"),
    ("/.well-known/security.txt", b"contact"),
    ("/near.txt", b"hello\n"),
    ("http://other.example/hello.txt", b"hello\n"),
    ("http://other.example", b"<h1>top</h1>"),
]


@both
def what_is_there_is_sent(kind):
    with shared(kind).client() as client:
        for target, body in FOUND:
            answer = client.ask(target)
            assert (answer.status, answer.body) == (200, body), (target, answer)
            assert answer.get("x-content-type-options") == b"nosniff", (target, answer)


REFUSED = [
    ("/missing", 404),
    ("/missing/", 404),
    ("/hello.txt/", 404),
    ("/hello.txt/x", 404),
    ("/nothing/", 404),
    ("/../secret.txt", 404),
    ("/../../../../etc/passwd", 404),
    ("/sub/../../secret.txt", 404),
    ("/sub/../hello.txt", 404),
    ("/./hello.txt", 404),
    ("/..", 404),
    ("/.", 404),
    ("/%2e%2e/secret.txt", 404),
    ("/%2E%2E/secret.txt", 404),
    ("/.%2e/secret.txt", 404),
    ("/..%2fsecret.txt", 404),
    ("/..%2Fsecret.txt", 404),
    ("/%2e%2e%2fsecret.txt", 404),
    ("/sub%2fpage.html", 404),
    ("/%2fetc%2fpasswd", 404),
    ("//etc/passwd", 404),
    ("///etc/passwd", 404),
    ("/..%5csecret.txt", 404),
    ("/..\\secret.txt", 404),
    ("/%252e%252e/secret.txt", 404),
    ("/%c0%ae%c0%ae/secret.txt", 404),
    ("/hello.txt%00", 400),
    ("/hello.txt%00.html", 400),
    ("/%00", 400),
    ("/%", 400),
    ("/%f", 400),
    ("/%xy", 400),
    ("/far.txt", 404),
    ("/absolute.txt", 404),
    ("/parent/secret.txt", 404),
    ("/parent/site/hello.txt", 404),
    ("/magic/etc/passwd", 404),
    ("/device", 404),
    ("/fifo", 404),
    ("/socket", 404),
    ("/.hidden", 404),
    ("/%2ehidden", 404),
    ("/.git/config", 404),
    ("/.git/", 404),
    ("/sub/.env", 404),
    ("/.well-known/../.hidden", 404),
    ("/.well-known/", 404),
    ("/" + "x" * 255, 404),
    ("/" + "x" * 300, 404),
    ("/" + "x/" * 3000, 404),
    ("/" + "%78" * 2000, 404),
    ("http://other.example/../secret.txt", 404),
    ("http://other.example/%2e%2e/secret.txt", 404),
]


@both
def nothing_escapes(kind):
    for target, status in REFUSED:
        answer = shared(kind).ask(target)
        # What is no path at all, the worker may refuse before the gateway sees it.
        assert answer.status in (status, 400), (target, answer)
        assert SECRET not in answer.body and b"root:" not in answer.body, (target, answer)
        assert answer.get("etag") is None and answer.get("last-modified") is None, (target, answer)


@both
def folders_get_their_slash(kind):
    for target, location in (("/sub", b"./sub/"), ("/sub?a=1&b=%20", b"./sub/?a=1&b=%20"),
                             ("//evil.com", b"./evil.com/"), ("/nothing", b"./nothing/"), ("/a%20b", b"./a%20b/"),
                             ("/.well-known", b"./.well-known/")):
        answer = shared(kind).ask(target)
        assert (answer.status, answer.get("location")) == (301, location), (target, answer)


@both
def other_methods_are_refused(kind):
    with shared(kind).client() as client:
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH", "PROPFIND"):
            answer = client.ask("/hello.txt", method=method, body=b"x" * 100 if method in ("POST", "PUT") else b"")
            assert (answer.status, answer.get("allow")) == (405, b"GET, HEAD"), (method, answer)
        assert client.ask("/hello.txt").body == b"hello\n"


@both
def types_are_known(kind):
    with shared(kind).client() as client:
        for target, name in (("/", b"text/html; charset=utf-8"), ("/hello.txt", b"text/plain; charset=utf-8"),
                             ("/data.bin", b"application/octet-stream"), ("/README", b"application/octet-stream"),
                             ("/both.js", b"text/javascript; charset=utf-8"), ("/photo.png", b"image/png")):
            assert client.ask(target).get("content-type") == name, target


@both
def head_is_get_without_a_body(kind):
    with shared(kind).client() as client:
        for target, headers in (("/", ()), ("/hello.txt", ()), ("/empty.txt", ()), ("/missing", ()), ("/sub", ()),
                                ("/both.js", ("Accept-Encoding: gzip",)), ("/%", ())):
            whole = client.ask(target, *headers)
            head = client.ask(target, *headers, method="HEAD")
            unlike = {b"date"}
            assert head.status == whole.status and head.body == b"", (target, head)
            assert [pair for pair in head.headers if pair[0] not in unlike] == \
                [pair for pair in whole.headers if pair[0] not in unlike], (target, head, whole)
        # Range is defined for GET alone.
        assert client.ask("/data.bin", "Range: bytes=0-1", method="HEAD").status == 200


@both
def an_empty_file_is_sent(kind):
    with shared(kind).client() as client:
        answer = client.ask("/empty.txt")
        assert (answer.status, answer.body, answer.get("content-length")) == (200, b"", b"0"), answer
        answer = client.ask("/empty.txt", "Range: bytes=0-")
        assert (answer.status, answer.get("content-range")) == (416, b"bytes */0"), answer
        assert client.ask("/hello.txt").status == 200


@both
def pipelined_files_come_in_order(kind):
    targets = ["/hello.txt", "/data.bin", "/missing", "/empty.txt", "/sub/", "/data.bin", "/"] * 5
    with shared(kind).client() as client:
        client.send(b"".join(request(target) for target in targets))
        bodies = [client.read().body for _ in targets]
        assert bodies[:2] == [b"hello\n", pattern(SIZE)] and bodies[4] == b"<h1>sub</h1>", bodies
        assert bodies == bodies[:7] * 5


@both
def http_1_0_gets_files(kind):
    with shared(kind).client() as client:
        answer = client.ask("/data.bin", version="1.0")
        assert answer.body == pattern(SIZE) and client.read_end() == "eof"


# ---- ranges

WHOLE = (200, [(0, SIZE)])

RANGES = [
    ("bytes=0-0", 206, [(0, 1)]),
    ("bytes=0-", 206, [(0, SIZE)]),
    ("bytes=100-199", 206, [(100, 100)]),
    ("bytes=9999-", 206, [(9999, 1)]),
    ("bytes=9990-20000", 206, [(9990, 10)]),
    ("bytes=-10", 206, [(9990, 10)]),
    ("bytes=-20000", 206, [(0, SIZE)]),
    ("Bytes=5-9", 206, [(5, 5)]),
    ("bytes=0-99999999999999999999", 206, [(0, SIZE)]),
    ("bytes=0-9,20-29", 206, [(0, 10), (20, 10)]),
    ("bytes=20-29, 0-9, -5", 206, [(20, 10), (0, 10), (9995, 5)]),
    ("bytes=0-9,20000-", 206, [(0, 10)]),
    ("bytes=0-99,50-149", 206, [(0, 100), (50, 100)]),
    ("bytes=" + ",".join(f"{i * 100}-{i * 100 + 9}" for i in range(64)), 206, [(i * 100, 10) for i in range(64)]),
    ("bytes=10000-", 416, []),
    ("bytes=20000-30000,40000-", 416, []),
    ("bytes=-0", 416, []),
    ("bytes=99999999999999999999-", 416, []),
    ("bytes=0-,0-", 416, []),
    ("bytes=" + ",".join(["0-"] * 60), 416, []),
    ("bytes=" + ",".join(f"{i}-{i}" for i in range(65)), 416, []),
    ("bytes=9-0", *WHOLE),
    ("bytes=0-9,5-4", *WHOLE),
    ("bytes=a-b", *WHOLE),
    ("bytes=", *WHOLE),
    ("bytes=-", *WHOLE),
    ("bytes", *WHOLE),
    ("chapters=1-2", *WHOLE),
]


def parts_of(answer):
    """The parts of multipart/byteranges, read strictly. @return [(Content-Range, body)]"""
    found = re.fullmatch(rb"multipart/byteranges; boundary=([0-9a-f]{32})", answer.get("content-type"))
    assert found, answer
    pieces = (b"\r\n" + answer.body).split(b"\r\n--" + found[1])
    assert pieces[0] == b"" and pieces[-1] == b"--\r\n", pieces
    parts = []
    for piece in pieces[1:-1]:
        head, _, body = piece.partition(b"\r\n\r\n")
        fields = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:])
        assert fields[b"Content-Type"] == b"application/octet-stream", fields
        parts.append((fields[b"Content-Range"], body))
    return parts


def check_ranges(answer, status, wanted, size=SIZE):
    assert answer.status == status, answer
    if status == 416:
        assert answer.get("content-range") == f"bytes */{size}".encode(), answer
    elif status == 200:
        assert answer.body == pattern(size) and answer.get("content-range") is None, answer
    elif len(wanted) == 1:
        start, length = wanted[0]
        assert answer.get("content-range") == f"bytes {start}-{start + length - 1}/{size}".encode(), answer
        assert answer.body == pattern(length, start), answer
    else:
        assert answer.get("content-range") is None, answer
        assert parts_of(answer) == [(f"bytes {start}-{start + length - 1}/{size}".encode(), pattern(length, start))
                                    for start, length in wanted], answer
    assert status == 416 or answer.get("accept-ranges") == b"bytes", answer


@both
def ranges_are_cut_out(kind):
    with shared(kind).client() as client:
        for value, status, wanted in RANGES:
            try:
                check_ranges(client.ask("/data.bin", f"Range: {value}"), status, wanted)
            except AssertionError as error:
                raise AssertionError(f"Range: {value}") from error
        answer = client.ask("/data.bin", "Range: bytes=0-1", "Range: bytes=2-3")
        check_ranges(answer, *WHOLE)


@both
def if_range_decides(kind):
    tag = etag(kind, "/data.bin")
    assert tag.startswith('"'), tag
    part, all_of_it = (206, [(0, 2)]), WHOLE
    with shared(kind).client() as client:
        for value, wanted in ((tag, part), (DATE, part), ('"other"', all_of_it), (f"W/{tag}", all_of_it),
                              (BEFORE, all_of_it), (AFTER, all_of_it), ("*", all_of_it)):
            check_ranges(client.ask("/data.bin", "Range: bytes=0-1", f"If-Range: {value}"), *wanted)
        answer = client.ask("/data.bin", "Range: bytes=90000-", f"If-Range: {tag}")
        assert answer.status == 416, answer
        answer = client.ask("/data.bin", "Range: bytes=90000-", 'If-Range: "other"')
        assert answer.status == 200, answer


# ---- conditions

def conditions(tag):
    return [
        ([f"If-None-Match: {tag}"], 304),
        ([f"If-None-Match: W/{tag}"], 304),
        (["If-None-Match: *"], 304),
        ([f'If-None-Match: "a", {tag}'], 304),
        (['If-None-Match: "a"', f"If-None-Match: {tag}"], 304),
        (['If-None-Match: "a"'], 200),
        ([f"If-Modified-Since: {DATE}"], 304),
        ([f"If-Modified-Since: {AFTER}"], 304),
        ([f"If-Modified-Since: {BEFORE}"], 200),
        (["If-Modified-Since: soon"], 200),
        ([f"If-Modified-Since: {DATE}", 'If-None-Match: "a"'], 200),
        ([f"If-Modified-Since: {BEFORE}", f"If-None-Match: {tag}"], 304),
        ([f"If-Match: {tag}"], 200),
        (["If-Match: *"], 200),
        (['If-Match: "a"'], 412),
        ([f"If-Match: W/{tag}"], 412),
        ([f"If-Unmodified-Since: {DATE}"], 200),
        ([f"If-Unmodified-Since: {BEFORE}"], 412),
        ([f"If-Unmodified-Since: {BEFORE}", f"If-Match: {tag}"], 200),
        (['If-Match: "a"', f"If-None-Match: {tag}"], 412),
        ([f"If-None-Match: {tag}", "Range: bytes=0-0"], 304),
        (['If-Match: "a"', "Range: bytes=0-0"], 412),
    ]


@both
def conditions_are_kept(kind):
    tag = etag(kind, "/hello.txt")
    for method in ("GET", "HEAD"):
        with shared(kind).client() as client:
            for headers, status in conditions(tag):
                answer = client.ask("/hello.txt", *headers, method=method)
                assert answer.status == status, (headers, answer)
                assert status == 412 or answer.get("etag") == tag.encode(), (headers, answer)
                assert status != 304 or answer.body == b"" and answer.get("vary") == b"accept-encoding", answer
                assert status != 200 or answer.get("last-modified") == DATE.encode(), answer


@both
def tags_follow_changes(kind):
    path = tree() / f"site/changing-{kind}.txt"
    make(path, b"one")
    first = etag(kind, f"/{path.name}")
    make(path, b"two", NOON + 0.000001)
    second = etag(kind, f"/{path.name}")
    make(path, b"three", NOON + 0.000001)
    third = etag(kind, f"/{path.name}")
    assert len({first, second, third}) == 3, (first, second, third)
    assert shared(kind).ask(f"/{path.name}").body == b"three"
    # What has changed just now may change again within the same tick.
    path.write_bytes(b"four")
    answer = shared(kind).ask(f"/{path.name}", "Range: bytes=0-0", f"If-Range: {third}")
    assert answer.get("etag").startswith(b"W/") and (answer.status, answer.body) == (200, b"four"), answer
    # A file from the future.
    make(path, b"five", 4102444800)
    answer = shared(kind).ask(f"/{path.name}")
    assert email.utils.parsedate_to_datetime(answer.get("last-modified").decode()) <= \
        email.utils.parsedate_to_datetime(answer.get("date").decode()), answer


# ---- codings

CODINGS = [
    ("/both.js", None, None),
    ("/both.js", "", None),
    ("/both.js", "gzip", "gzip"),
    ("/both.js", "br", "br"),
    ("/both.js", "gzip, deflate, br, zstd", "br"),
    ("/both.js", "br;q=0.5, gzip;q=0.9", "gzip"),
    ("/both.js", "br;q=0, gzip", "gzip"),
    ("/both.js", "*", "br"),
    ("/both.js", "identity, gzip;q=0.5", None),
    ("/both.js", "gzip;q=0", None),
    ("/both.js", "identity;q=0, br", "br"),
    ("/gz.css", "br, gzip;q=0.1", "gzip"),
    ("/gz.css", "br", None),
    ("/stale.css", "gzip", None),
    ("/folder.css", "gzip", None),
    ("/photo.png", "gzip", None),
    ("/hello.txt", "gzip, br", None),
]


@both
def siblings_are_sent_to_who_wants_them(kind):
    site = tree() / "site"
    endings = {None: "", "gzip": ".gz", "br": ".br"}
    with shared(kind).client() as client:
        for target, accepted, coding in CODINGS:
            answer = client.ask(target, *([] if accepted is None else [f"Accept-Encoding: {accepted}"]))
            content = (site / f"{target[1:]}{endings[coding]}").read_bytes()
            assert (answer.status, answer.body) == (200, content), (target, accepted, answer)
            assert answer.get("content-encoding") == (coding and coding.encode()), (target, accepted, answer)
            plain = client.ask(target, method="HEAD")
            assert answer.get("content-type") == plain.get("content-type"), (target, accepted, answer)
            assert (answer.get("etag") == plain.get("etag")) == (coding is None), (target, accepted, answer)
            vary = None if target == "/photo.png" else b"accept-encoding"
            assert answer.get("vary") == plain.get("vary") == vary, (target, accepted, answer)
        # Asked for by its own name it is a file like others.
        answer = client.ask("/gz.css.gz", "Accept-Encoding: gzip")
        assert answer.get("content-type") == b"application/gzip" and answer.get("content-encoding") is None, answer


@both
def what_no_client_wants_is_not_sent(kind):
    answer = shared(kind).ask("/hello.txt", "Accept-Encoding: identity;q=0, gzip")
    assert (answer.status, answer.get("vary")) == (406, b"accept-encoding"), answer


@both
def siblings_have_ranges_and_tags_of_their_own(kind):
    coded = (tree() / "site/both.js.gz").read_bytes()
    tag = etag(kind, "/both.js", "Accept-Encoding: gzip")
    with shared(kind).client() as client:
        answer = client.ask("/both.js", "Accept-Encoding: gzip", "Range: bytes=2-", f"If-Range: {tag}")
        assert (answer.status, answer.body) == (206, coded[2:]), answer
        assert answer.get("content-encoding") == b"gzip", answer
        assert client.ask("/both.js", "Accept-Encoding: gzip", f"If-None-Match: {tag}").status == 304
        assert client.ask("/both.js", f"If-None-Match: {tag}").status == 200


# ---- large files, and files that change while they are sent

@both
def a_large_file_is_whole(kind):
    path = tree() / "site/large.bin"
    if not path.exists():
        block = hashlib.shake_256(b"large").digest(1024 * 1024)
        with open(path, "wb") as file:
            for i in range(BIG // len(block)):
                file.write(block[i:] + block[:i])
    with open(path, "rb") as file:
        wanted = hashlib.file_digest(file, "sha256").digest()
    with shared(kind).client() as client:
        answer = client.ask("/large.bin")
        assert len(answer.body) == BIG and hashlib.sha256(answer.body).digest() == wanted
        end = client.ask("/large.bin", f"Range: bytes={BIG - 1000}-")
        assert end.body == answer.body[-1000:]


@both
def many_ranges_go_to_a_slow_client(kind):
    size = 64 << 20
    path = tree() / "site/slow.bin"
    make(path, pattern(size))
    wanted = [(i << 20, (1 << 20) - 7) for i in range(60)]
    value = ",".join(f"{start}-{start + length - 1}" for start, length in wanted)
    server = shared(kind)
    before = len(descriptors_of(server.process.pid))
    with server.client(receive_buffer=16384) as client:
        client.send(request("/slow.bin", f"Range: bytes={value}"))
        assert client.is_readable()
        # While it waits for the client, not every part has a descriptor.
        assert len(descriptors_of(server.process.pid)) < before + 20
        check_ranges(client.read(), 206, wanted, size)


def wait_descriptors(server, count):
    """Asks again until the worker has no more than so many descriptors."""
    for _ in range(1000):
        if len(descriptors_of(server.process.pid)) <= count:
            return
        server.ask("/hello.txt")
    raise AssertionError(descriptors_of(server.process.pid))


@both
def clients_that_leave_cost_no_descriptor(kind):
    make(tree() / "site/left.bin", pattern(16 << 20))
    with serve(kind) as server:
        server.ask("/left.bin")
        before = len(descriptors_of(server.process.pid))
        for number in range(40):
            with server.client(receive_buffer=16384) as client:
                value = "bytes=0-" if number % 2 else "bytes=0-4000000,5000000-"
                client.send(request("/left.bin", f"Range: {value}"))
                assert client.is_readable()
                client.reset()
        wait_descriptors(server, before)


def read_truncated(kind, *headers):
    """A client that has begun to read a file of 64 MB when it becomes empty."""
    path = tree() / f"site/truncated-{kind}.bin"
    with open(path, "wb") as file:
        file.truncate(64 << 20)
    server = shared(kind)
    with server.client(receive_buffer=16384) as client:
        client.send(request(f"/{path.name}", *headers))
        assert client.is_readable()
        os.truncate(path, 0)
        try:
            answer = client.read()
        except Cut as cut:
            assert cut.answer is not None and cut.answer.status in (200, 206), cut
        else:
            raise AssertionError(f"a whole answer of {len(answer.body)} bytes")
    assert server.ask("/hello.txt").body == b"hello\n"


@both
def a_file_that_shrinks_cuts_the_connection(kind):
    read_truncated(kind)
    read_truncated(kind, "Range: bytes=0-40000000,40000002-")


@both
def a_file_that_is_replaced_is_sent_as_it_was(kind):
    size = 32 << 20
    path = tree() / f"site/replaced-{kind}.bin"
    make(path, pattern(size))
    with shared(kind).client(receive_buffer=16384) as client:
        client.send(request(f"/{path.name}"))
        assert client.is_readable()
        make(tree() / "new", b"new")
        os.replace(tree() / "new", path)
        assert client.read().body == pattern(size)
        assert client.ask(f"/{path.name}").body == b"new"


# ---- rights, options, the end

@both
def what_may_not_be_read_is_forbidden(kind):
    path = tree() / "site/denied.txt"
    make(path, SECRET)
    make(tree() / "site/locked/file.txt", SECRET)
    os.chmod(path, 0)
    os.chmod(tree() / "site/locked", 0)
    server = serve(kind)
    if os.geteuid() == 0:
        if not shutil.which("setpriv"):
            raise Skip("root may read everything, and setpriv is not installed")
        # Without the inheritable ones too: a container may hand them on.
        server.command = ["setpriv", "--bounding-set=-dac_override,-dac_read_search",
                          "--inh-caps=-dac_override,-dac_read_search", "--", *server.command]
    try:
        with server:
            for target in ("/denied.txt", "/locked/file.txt", "/locked/"):
                answer = server.ask(target)
                assert answer.status == 403 and SECRET not in answer.body, (target, answer)
            assert server.ask("/hello.txt").status == 200
    finally:
        os.chmod(tree() / "site/locked", 0o755)


@both
def max_age_is_told(kind):
    assert shared(kind).ask("/hello.txt").get("cache-control") is None
    with serve(kind, query="?max-age=3600") as server, server.client() as client:
        answer = client.ask("/hello.txt")
        assert answer.get("cache-control") == b"max-age=3600", answer
        again = client.ask("/hello.txt", f"If-None-Match: {answer.get('etag').decode()}")
        assert (again.status, again.get("cache-control")) == (304, b"max-age=3600"), again
        assert client.ask("/missing").get("cache-control") is None


@both
def a_relative_folder_counts_from_app_dir(kind):
    with Server(kind, "--app-dir", str(tree()), app="files:site") as server:
        assert server.ask("/hello.txt").body == b"hello\n"
    with Server(kind, "--app-dir", str(tree() / "site"), app="files:.") as server:
        assert server.ask("/hello.txt").body == b"hello\n"


@both
def what_cannot_be_served_is_refused(kind):
    for argument, word in (("", "which folder"), ("/nowhere/at/all", "No such file"),
                           (tree() / "site/hello.txt", "Not a directory"), (f"{tree()}?max-age=", "max-age"),
                           (f"{tree()}?max-age=1x", "max-age"), (f"{tree()}?immutable", "immutable")):
        ran = run_alone(kind, "--app", f"files:{argument}", "--bind", harness.new_address())
        assert ran.status == 78 and word in ran.err, (argument, ran)


@both
def it_ends_while_a_file_is_sent(kind):
    make(tree() / "site/last.bin", pattern(32 << 20))
    with serve(kind) as server:
        with server.client(receive_buffer=16384) as client:
            client.send(request("/last.bin"))
            assert client.is_readable()
            server.signal(signal.SIGTERM)
            assert client.read().body == pattern(32 << 20)
        assert server.wait_exit() == 0


if __name__ == "__main__":
    run_tests()
