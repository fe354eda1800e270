#!/usr/bin/python3
"""WSGI in unicornd-worker-sync, with one thread and with four: PEP 3333 line by line, and applications that misbehave.

What keeps to PEP 3333 is served from within wsgiref's validator, which turns what it finds into a 500.
"""

import atexit
import concurrent.futures
import functools
import hashlib
import json
import os
import signal
import subprocess
import sys
import time

import harness
from gateway_servers import logged, with_each
from harness import APPS, BOUND, BUILD, Site, listener, new_address, pool, run_tests, test, until
from http_client import Client, Cut, Server, chunks, program, request, run_alone

GATEWAYS = str(BUILD / ".libs")
os.environ.setdefault("UNICORND_GATEWAYS", GATEWAYS)
os.environ["PYTHONDONTWRITEBYTECODE"] = "1"

HELLO = request("/hello")


def serve(*options, app="wsgi_cases:application", threads=1, **named):
    return Server("sync", "--app-dir", str(APPS), "--threads", str(threads), *options, app=f"wsgi:{app}", **named)


@functools.lru_cache(maxsize=None)
def shared(threads):
    """A server for all tests that leave it as it was."""
    server = serve(threads=threads).start()
    atexit.register(server.close)
    return server


both = with_each((1, 4), "in", shared)  # with so many threads


def ok(answer):
    assert answer.status == 200, answer
    return answer


def environ(server, *arguments, **options):
    return json.loads(ok(server.ask(*arguments, **options)).text)


# ---- environ

@both
def environ_has_what_pep_3333_wants(server):
    found = environ(server, "/environ/a%20b%E4%c3%a4%/c%2fd?x=1&y=%20", "User-Agent: test", "Content-Type: text/odd")
    host, _, port = server.address.rpartition(":")
    wanted = {"REQUEST_METHOD": "GET", "SCRIPT_NAME": "", "QUERY_STRING": "x=1&y=%20", "SERVER_NAME": host,
              "SERVER_PORT": port, "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": "probe", "HTTP_USER_AGENT": "test",
              "CONTENT_TYPE": "text/odd", "PATH_INFO": "/environ/a b\xe4\xc3\xa4%/c/d", "wsgi.url_scheme": "http",
              "RAW_URI": "/environ/a%20b%E4%c3%a4%/c%2fd?x=1&y=%20", "wsgi.version": [1, 0], "wsgi.run_once": False,
              "REQUEST_URI": "/environ/a%20b%E4%c3%a4%/c%2fd?x=1&y=%20", "wsgi.input_terminated": True,
              "wsgi.multithread": "4" in server.command[server.command.index("--threads") + 1],
              "ours": "may be put into it"}
    for name, value in wanted.items():
        assert found.get(name) == value, (name, found.get(name), value)
    assert found["REMOTE_ADDR"] and found["REMOTE_PORT"].isdigit(), found
    for name in ("wsgi.input", "wsgi.errors", "wsgi.file_wrapper", "wsgi.early_hints"):
        assert name in found, found
    assert not {"HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH", "CONTENT_LENGTH"} & set(found), found


@both
def nothing_is_left_of_the_request_before(server):
    with server.client() as client:
        client.ask("/environ?a", "X-Gone: 1", "Cookie: a", method="POST", body=b"abc")
        found = json.loads(client.ask("/environ", version="1.0", host=None).text)
    assert (found["REQUEST_METHOD"], found["QUERY_STRING"], found["SERVER_PROTOCOL"]) == ("GET", "", "HTTP/1.0"), found
    assert not {"HTTP_X_GONE", "HTTP_COOKIE", "HTTP_HOST", "CONTENT_LENGTH"} & set(found), found


@both
def remote_port_is_the_connections(server):
    with server.client() as one, server.client() as other:
        for client in (one, other, one):
            found = json.loads(client.ask("/environ").text)
            assert (found["REMOTE_ADDR"], int(found["REMOTE_PORT"])) == client.socket.getsockname(), found


@both
def headers_that_could_pass_for_others_are_dropped(server):
    found = environ(server, "/environ", "Proxy: http://evil", "X_Forwarded_For: 1", "X-Real: 2", "Content_Length: 5")
    assert "HTTP_PROXY" not in found and found["HTTP_X_REAL"] == "2", found
    assert "HTTP_X_FORWARDED_FOR" not in found and "CONTENT_LENGTH" not in found, found


@both
def repeated_headers_are_joined(server):
    long = "X-" + "long-" * 20
    found = environ(server, "/environ", "X-A: 1", "Cookie: a=1", "X-A: 1", "X-A: 2", "Cookie: b=2", f"{long}: 1",
                    f"{long}: \xe4")
    assert found["HTTP_X_A"] == "1, 1, 2" and found["HTTP_COOKIE"] == "a=1; b=2", found
    assert found["HTTP_" + long.upper().replace("-", "_")] == "1, \xe4", found


@both
def many_headers_are_no_matter(server):
    for turn in range(3):
        sent = {f"X-Name-{turn}-{number}": "v" * number for number in range(80)}
        found = environ(server, "/environ", *(f"{name}: {value}" for name, value in sent.items()))
        for name, value in sent.items():
            assert found["HTTP_" + name.upper().replace("-", "_")] == value


@test
def root_path_becomes_script_name():
    with serve("--root-path", "/mounted") as server:
        for target, path in (("/mounted/environ", "/environ"), ("/mounted/%65nviron/x", "/environ/x"),
                             ("/environ/mounted", "/environ/mounted")):
            found = environ(server, target)
            assert (found["SCRIPT_NAME"], found["PATH_INFO"], found["RAW_URI"]) == ("/mounted", path, target), found
        assert ok(server.ask("/mountedx")).text == "hello\n"


@test
def unix_socket_has_a_name_all_the_same():
    with serve(bind=f"unix:{harness.tempfile.mkdtemp()}/s") as server:
        found = environ(server, "/environ", host="there:81")
        assert (found["SERVER_NAME"], found["SERVER_PORT"]) == ("there", "81"), found
        found = environ(server, "/environ", host="[::1]")
        assert (found["SERVER_NAME"], found["SERVER_PORT"]) == ("[::1]", "80"), found


def supervised(*options, **settings):
    """A daemon with workers of the sort. @return it and the address"""
    address = new_address()
    command = " ".join([program("sync"), "--app-dir", str(APPS), "--app", "wsgi:wsgi_cases:application", *options])
    return Site(listener("web", address) + pool("app", command, **settings)), address


def ask(address, *arguments):
    with Client(address) as client:
        return client.ask(*arguments)


@test
def multiprocess_is_true_where_it_is():
    site, address = supervised(workers=2)
    with site.start():
        found = json.loads(ask(address, "/environ").text)
    assert found["wsgi.multiprocess"] is True and found["wsgi.multithread"] is False, found
    address = new_address()
    command = [program("sync"), "--app-dir", str(APPS), "--app", "wsgi:wsgi_cases:application", "--bind", address]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as alone:
        try:
            until(lambda: can_connect(address), "it does not listen")
            assert json.loads(ask(address, "/environ").text)["wsgi.multiprocess"] is False
        finally:
            alone.kill()


def can_connect(address):
    try:
        Client(address).close()
    except ConnectionRefusedError:
        return False
    return True


# ---- input

@both
def input_reads_as_a_file(server):
    body = b"first\nsecond line\n\nlast"
    for calls, wanted in (("read:-1", [body]), ("read:5,read:100,read:1", [body[:5], body[5:], b""]),
                          ("readline,readline:3,readline:-1,readline:0", [b"first\n", b"sec", b"ond line\n", b""]),
                          ("readlines,read:1", [body.splitlines(True), b""]),
                          ("readlines:3,iter", [[b"first\n"], body.splitlines(True)[1:]]),
                          ("readline,read:3,iter,readline", [b"first\n", b"sec",
                                                             [b"ond line\n", b"\n", b"last"], b""])):
        for chunked in (False, True):
            options = {"body": body} if not chunked else {}
            with server.client() as client:
                if chunked:
                    client.send(request(f"/read?{calls}", "Transfer-Encoding: chunked", method="POST"),
                                chunks(body[:7], body[7:]))
                    answer = client.read()
                else:
                    answer = client.ask(f"/read?{calls}", method="POST", **options)
            assert ok(answer).text == repr(wanted), (calls, chunked, answer.text)


@both
def input_reads_without_a_size(server):
    answer = ok(server.ask("/raw/read_all", method="POST", body=b"0123456789"))
    assert answer.text == repr([4, b"0123", b"456789", b"", b""]), answer.text


@both
def input_ends_with_the_body(server):
    with server.client() as client:
        client.send(request("/read?read:100", method="POST", body=b"abc") + HELLO)
        assert client.read().text == "[b'abc']"
        assert client.read().text == "hello\n"
        client.send(request("/hello", method="POST", body=b"not read") + HELLO)
        assert client.read().text == client.read().text == "hello\n"


@both
def large_bodies_arrive_whole(server):
    body = b"x" * 3_000_000
    assert ok(server.ask("/raw/count", method="POST", body=body)).text == "3000000 3000000"
    line = ok(server.ask("/read?readline", method="POST", body=b"y" * 100_000 + b"\n" + b"z"))
    assert line.text == repr([b"y" * 100_000 + b"\n"])


@both
def chunked_bodies_have_a_length(server):
    with server.client() as client:
        client.send(request("/environ", "Transfer-Encoding: chunked", method="POST"), chunks(b"abc", b"defg"))
        found = json.loads(client.read().text)
    assert found["CONTENT_LENGTH"] == "7" and "HTTP_TRANSFER_ENCODING" not in found, found


@both
def expect_is_answered(server):
    with server.client() as client:
        client.send(request("/raw/count", "Content-Length: 3", "Expect: 100-continue", method="POST"))
        assert client.read_interim().status == 100
        client.send(b"xyx")
        assert client.read().text == "3 2"


@both
def what_is_kept_is_of_no_use(server):
    ok(server.ask("/raw/keep?keep", method="POST", body=b"body"))
    assert ok(server.ask("/raw/keep?use")).text.count("the request is over") == 3


@both
def errors_go_to_the_log(server):
    ok(server.ask("/errors"))
    assert "an error is told in lines" in logged(server, "an error is")


# ---- start_response and iteration

@both
def write_comes_first(server):
    assert ok(server.ask("/writes")).text == "written, twice, and returned"


@both
def start_response_may_come_late(server):
    answer = server.ask("/lazily")
    assert (answer.status, answer.reason, answer.text) == (202, "Accepted", "late start"), answer


@both
def an_answer_can_be_replaced(server):
    answer = server.ask("/replaced")
    assert (answer.status, answer.reason, answer.text) == (503, "Sorry", "replaced"), answer
    assert answer.get("x-first") is None, answer
    answer = server.ask("/held")
    assert (answer.status, answer.reason, answer.text) == (404, "Not There", "nothing here"), answer


@both
def an_answer_that_is_sent_cannot_be_replaced(server):
    with server.client() as client:
        try:
            client.ask("/raw/replaced_late")
            raise AssertionError("it ended as if it were whole")
        except Cut as cut:
            assert cut.answer.status == 200 and cut.answer.body == b"first", cut.answer
    logged(server, "KeyError: 'too late for another answer'")


@both
def parts_go_out_one_by_one(server):
    path = server.folder / "pipe"
    if not path.exists():
        os.mkfifo(path)
    with server.client() as client:
        client.send(request(f"/one_by_one?{path}"))
        for number in range(3):
            wanted = b"part %d\n" % number
            while wanted not in client.buffer:
                assert client._more(), client.buffer  # pylint: disable=protected-access
            with open(path, "wb"):
                pass
        assert client.read().chunk_count == 3


def closes_of(server):
    return json.loads(server.ask("/raw/closed").text)


@both
def close_is_called_once(server):
    for target, name in (("/lazily", "lazily"), ("/held", "held"), ("/raw/length?parts,5", "length parts,5"),
                         ("/raw/length?parts,9", "length parts,9"), ("/raw/fails?first", "fails first"),
                         ("/raw/file?wrapped", "wrapped")):
        before = closes_of(server).get(name, 0)
        server.ask(target)
        until(lambda: closes_of(server).get(name, 0) > before, f"close() of {name}")  # pylint: disable=W0640
        assert closes_of(server)[name] == before + 1, name
    before = closes_of(server).get("lazily", 0)
    assert server.ask("/lazily", method="HEAD").status == 202
    until(lambda: closes_of(server)["lazily"] == before + 1, "close() after HEAD")


@both
def close_is_called_when_the_client_leaves(server):
    """The one that reads nothing, and the one that resets, while other requests go on."""
    for how in ("close", "reset"):
        name = f"{how} {time.monotonic_ns()}".replace(" ", "-")
        client = server.client(receive_buffer=4096).send(request(f"/endless?{name}"))
        assert client.is_readable()
        assert ok(server.ask("/hello")).text == "hello\n"
        getattr(client, how)()
        until(lambda: closes_of(server).get(name) == 1, f"close() has not been called: {how}")  # pylint: disable=W0640
    assert "garbage collected without being closed" not in "\n".join(server.log.lines[server.mark:])


@both
def sequences_have_a_length(server):
    for kind, body in (("tuple", b"abcdef"), ("empty", b""), ("large", b"x" * 200000), ("bytes", b"bytes")):
        answer = ok(server.ask(f"/raw/sequence?{kind}"))
        assert answer.body == body and int(answer.get("content-length")) == len(body), answer
        head = server.ask(f"/raw/sequence?{kind}", method="HEAD")
        assert head.status == 200 and not head.body, head


@both
def other_iterables_are_chunked_or_close(server):
    answer = server.ask("/lazily")
    assert answer.get("transfer-encoding") == b"chunked" and answer.chunk_count == 2, answer
    answer = server.ask("/lazily", version="1.0")
    assert answer.closes and answer.text == "late start" and answer.get("transfer-encoding") is None, answer


@both
def answers_without_a_body(server):
    for status in ("204+No+Content", "304+Not+Modified"):
        with server.client() as client:
            answer = client.ask(f"/status?{status}")
            assert answer.status == int(status[:3]) and answer.get("transfer-encoding") is None, answer
            assert client.ask("/hello").text == "hello\n"
    answer = ok(server.ask("/status?200+OK"))
    assert answer.get("content-length") == b"0", answer
    head = server.ask("/hello", method="HEAD")
    assert head.status == 200 and head.get("content-length") == b"6", head


@both
def date_and_server_are_added(server):
    answer = server.ask("/hello")
    assert answer.get("date") and answer.get("server"), answer
    answer = ok(server.ask("/many_headers"))
    assert [answer.get(f"x-{number}") for number in (0, 59)] == [b"0 \xe4", b"59 \xe4"], answer


@both
def early_hints_come_first(server):
    answer = server.ask("/raw/hints")
    assert [hint.status for hint in answer.interim] == [103] and answer.text == "hinted", answer
    assert answer.interim[0].get("link") == b"</style.css>; rel=preload", answer.interim
    assert not server.ask("/raw/hints", version="1.0").interim


@both
def wrong_headers_and_statuses_are_refused(server):
    sys.path.insert(0, str(APPS))
    names = {"headers": ("type pair triple tuple bytes newline nul name colon empty wide length "
                         "lengths").split(),
             "status": "word short glued number interim high newline bytes".split()}
    for what, kinds in names.items():
        for kind in kinds:
            server.mark = len(server.log.lines)
            answer = server.ask(f"/raw/{what}_wrong?{kind}")
            assert answer.status == 500 and answer.get("x-b") is None, (kind, answer)
            text = logged(server, "Error: start_response()")
            assert "in headers_wrong" in text or "in status_wrong" in text, text
    for name, said in (("twice", "has been called before"), ("never", "has not called start_response")):
        assert server.ask(f"/raw/{name}").status == 500
        logged(server, said)


@test
def headers_of_the_connection_are_left_out():
    """Events that are streamed by Flask, and answers that are handed on, have them; Gunicorn leaves them out as well."""
    with serve() as server:
        server.mark = 0
        with server.client() as client:
            for kind in ("hop", "coding", "upgrade", "hop"):
                answer = ok(client.ask(f"/raw/headers_wrong?{kind}"))
                names = [name for name, _ in answer.headers]
                assert not {b"connection", b"transfer-encoding", b"upgrade"} & set(names), answer
                assert answer.body == b"x" and answer.get("content-length") == b"1", answer
        assert logged(server, "is left out").count("is left out") == 1, server.log.lines


# ---- files

@both
def files_are_sent_from_where_they_stand(server):
    for kind in ("file", "unbuffered", "memory", "gzip", "wrapped"):
        assert ok(server.ask(f"/raw/file?{kind}")).body == (b"0123456789" * 3)[4:], kind
    answer = ok(server.ask("/raw/file?file"))
    assert answer.get("content-length") == b"26", answer
    assert ok(server.ask("/raw/file?large")).body == (b"0123456789" * 100000)[4:]
    assert ok(server.ask("/raw/file?file,5")).body == b"45678"
    head = server.ask("/raw/file?file", method="HEAD")
    assert head.status == 200 and head.get("content-length") == b"26" and not head.body, head
    until(lambda: server.ask("/raw/files_open").text == "0", "a file is left open")


@both
def a_file_that_is_too_short_is_cut(server):
    with server.client() as client:
        try:
            client.ask("/raw/file?file,100")
            raise AssertionError("it ended as if it were whole")
        except Cut as cut:
            assert len(cut.answer.body) == 26, cut.answer


# ---- misbehaviour

@both
def children_are_the_applications_own(server):
    """The worker's loop must not reap them: their exit status would be lost, and subprocess says 0 then."""
    assert ok(server.ask("/raw/subprocesses")).text == "0"


@both
def sys_exit_in_a_forked_child_ends_the_child(server):
    for _ in range(3):
        assert ok(server.ask("/raw/forks")).text == "7"
    assert not server.log.lines[server.mark:], server.log.lines[server.mark:]


@both
def errors_before_the_head_are_500(server):
    for when in ("before", "started", "first"):
        answer = server.ask(f"/raw/fails?{when}")
        assert answer.status == 500 and answer.text == "Internal Server Error\n", answer
    text = logged(server, "LookupError: raised before the first part")
    for line in ("KeyError: 'its cause'", "LookupError: raised before the answer", "GET /raw/fails?before",
                 "Traceback (most recent call last)", "LookupError: raised behind start_response"):
        assert line in text, (line, text)


@both
def errors_behind_the_head_cut_the_connection(server):
    with server.client() as client:
        try:
            client.ask("/raw/fails?during")
            raise AssertionError("it ended as if it were whole")
        except Cut as cut:
            assert cut.answer.status == 200 and cut.answer.body == b"first ", cut.answer
    logged(server, "LookupError: raised during the answer")
    assert server.ask("/raw/fails?after").text == "first "
    logged(server, "LookupError: raised behind the last byte")


@both
def the_end_of_the_process_is_not_the_applications(server):
    for how, said in (("exit", "SystemExit: the application has had enough"), ("interrupt", "KeyboardInterrupt")):
        assert server.ask(f"/raw/ends?{how}").status == 500
        logged(server, said)
    logged(server, "the worker goes on")


@both
def errors_of_close_are_told(server):
    assert server.ask("/raw/close_fails").text == "whole"
    logged(server, "LookupError: raised by close()")


@both
def more_than_content_length_is_not_sent(server):
    for how in ("list", "parts"):
        with server.client() as client:
            assert client.ask(f"/raw/length?{how},8").text == "01234", how
            assert client.ask("/hello").text == "hello\n", how
        logged(server, "5 bytes of its Content-Length")
        server.mark = len(server.log.lines)
    assert server.ask("/raw/length?write,8").text == "01234"
    logged(server, "longer than the 5 bytes of its Content-Length")


@both
def less_than_content_length_cuts_the_connection(server):
    for how in ("list", "parts", "write"):
        with server.client() as client:
            try:
                client.ask(f"/raw/length?{how},3")
                raise AssertionError("it ended as if it were whole")
            except Cut as cut:
                assert cut.answer.body == b"012", cut.answer
    assert ok(server.ask("/raw/length?list,5")).text == "01234"


@both
def a_body_may_be_read_by_several_threads(server):
    body = b"".join(b"x" * (number * 7919 % 30000) + b"\n" for number in range(600))
    for _ in range(10):
        assert ok(server.ask("/shared_input", method="POST", body=body)).text == f"{len(body)}"


@both
def several_threads_may_write(server):
    for _ in range(10):
        body = ok(server.ask("/shared_write")).body
        assert body.rstrip(b"x") == b"" or body.endswith(b"end") and len(body) % 3000 == 3, len(body)


@both
def a_list_may_change_while_it_is_sent(server):
    for _ in range(5):
        body = ok(server.ask("/shared_list")).body
        assert len(body) == 30_000_000 and body.count(body[:1]) == len(body), body[:20]


@both
def what_is_not_bytes_is_an_error(server):
    for kind in ("none", "numbers", "text"):
        assert server.ask(f"/raw/not_bytes?{kind}").status == 500, kind
    assert server.ask("/raw/sequence?text").status == 500
    with server.client() as client:
        try:
            client.ask("/raw/not_bytes?later")
            raise AssertionError("it ended as if it were whole")
        except Cut as cut:
            assert cut.answer.body == b"a", cut.answer
    logged(server, "must be one of bytes, not of str")


# ---- threads and contexts

@both
def each_answer_keeps_its_own_context(server):
    """Two that wait for their clients take turns in one thread."""
    names = ("anna", "berta", "clara")
    clients = [server.client(receive_buffer=4096).send(request(f"/context?{name}")) for name in names]
    for client in clients:
        assert client.is_readable()
    for client, name in zip(reversed(clients), reversed(names)):
        body = ok(client.read()).body
        assert body == b"nobody" + b" %-16s" % name.encode() * 1000 * 400, (name, body[:100])
        client.close()


@test
def four_threads_meet():
    with serve(threads=4) as server, concurrent.futures.ThreadPoolExecutor(4) as clients:
        for answer in clients.map(lambda _: server.ask("/together"), range(8)):
            assert answer.text == "met", answer


@test
def one_thread_is_alone():
    with serve() as server, concurrent.futures.ThreadPoolExecutor(4) as clients:
        for answer in clients.map(lambda _: server.ask("/alone"), range(40)):
            assert answer.text == "1", answer


@both
def threads_of_the_application_run_between_requests(server):
    path = server.folder / "later"
    ok(server.ask(f"/later?{path}"))
    until(path.exists, "the thread of the application has not run")
    assert path.read_text() == "done by the thread"
    path.unlink()


@test
def a_request_that_blocks_leaves_the_other_threads():
    with serve(threads=2) as server:
        server.mark = 0
        client = server.client().send(request("/raw/block"))
        logged(server, "blocks now")
        for _ in range(10):
            assert server.ask("/hello").text == "hello\n"
        server.process.send_signal(signal.SIGABRT)
        server.process.wait(BOUND)
        logged(server, "Fatal Python error: Aborted")
        logged(server, "in block")
        client.close()
        server.process.returncode = 0


@test
def a_worker_that_blocks_for_ever_is_replaced():
    site, address = supervised("--request-timeout", "300ms", heartbeat_interval="100ms", heartbeat_soft="500ms",
                               heartbeat_hard="1s")
    with site.start():
        with Client(address) as client:
            client.send(request("/raw/block"))
            site.wait("worker_aborting", text="no heartbeat")
            try:
                client.read()
                raise AssertionError("a request that blocks for ever was answered")
            except (Cut, EOFError):
                pass
        site.wait("worker_ready")
        assert ask(address, "/hello").text == "hello\n"
        # Where it was is in the log, since Python's faulthandler hears the signal.
        site.wait_log("Fatal Python error: Aborted")
        site.wait_log(r"wsgi_cases.py.*in block")
        assert site.stop() == 0


# ---- frameworks

def framework(name, app):
    """@return a server, or skips"""
    have = subprocess.run(["/usr/bin/python3", "-c", f"import {name}"], capture_output=True, check=False)
    if have.returncode != 0:
        raise harness.Skip(f"{name} is missing")
    return serve(app=app, threads=1)


def check_framework(name, app):
    with framework(name.lower(), app) as server:
        server.mark = 0
        assert ok(server.ask("/")).text == f"hello from {name}\n"
        found = json.loads(server.ask("/greet/J%C3%BCrgen?q=%C3%A4", host="host:81").text)
        assert (found["name"], found["query"]) == ("Jürgen", "ä") and found["url"].startswith("http://host:81/"), found
        kind = "Content-Type: application/x-www-form-urlencoded"
        assert json.loads(server.ask("/form", kind, method="POST", body=b"a=1&b=%20").text) == {"a": "1", "b": " "}
        data = bytes(range(256)) * 12000
        body = b"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"n\"\r\n\r\n" + data + b"\r\n--b--\r\n"
        kind = "Content-Type: multipart/form-data; boundary=b"
        found = json.loads(server.ask("/upload", kind, method="POST", body=body).text)
        assert found == {"name": "n", "sha": hashlib.sha256(data).hexdigest()}, found
        with server.client() as client:
            client.send(request("/echo", "Transfer-Encoding: chunked", method="POST"), chunks(data[:70000], b"end"))
            assert client.read().body == data[:70000] + b"end"
        assert ok(server.ask("/stream")).text == "".join(f"{number} /stream\n" for number in range(5))
        source = (APPS / f"wsgi_{name.lower()}.py").read_bytes()
        assert ok(server.ask("/file")).body == source
        assert server.ask("/", method="HEAD").status == 200 and server.ask("/missing").status == 404
        assert server.ask("/error").status == 500
        logged(server, f"LookupError: raised in {name}")


@test
def flask_works():
    check_framework("Flask", "wsgi_flask")


@test
def django_works():
    check_framework("Django", "wsgi_django")


# ---- finding the application

def refused(status, said, *arguments, app_dir=APPS):
    ran = run_alone("sync", "--bind", new_address(), "--app-dir", str(app_dir), *arguments)
    assert ran.status == status and said in ran.err, ran
    return ran.err


@test
def the_application_is_found():
    for app in ("wsgi_cases", "wsgi_cases:application", "wsgi_cases:Nested.application", "wsgi_cases:make()",
                "wsgi_cases.py:application", str(APPS / "wsgi_cases.py")):
        with serve(app=app, bind=new_address()) as server:
            assert ok(server.ask("/hello")).text in ("hello\n", "nested"), app
    with serve("--factory", app="wsgi_cases:make") as server:
        assert ok(server.ask("/")).text == "nested"


@test
def what_is_not_there_is_refused():
    with harness.tempfile.TemporaryDirectory() as folder:
        def module(text):
            with open(os.path.join(folder, "main.py"), "w", encoding="utf-8") as file:
                file.write(text)

        def fails(status, said, name="main:app"):
            return refused(status, said, "--app", f"wsgi:{name}", app_dir=folder)
        module("def app(environ, start_response): pass\nthing = 5\n")
        assert "there is main" in fails(78, 'there is no module "mian"', "mian:app")
        assert "there is app" in fails(78, "has no attribute apt", "main:apt")
        fails(78, "of type int", "main:thing")
        fails(78, "there is no file", "other.py:app")
        fails(78, "MODULE:CALLABLE", ":app")
        module("async def app(scope, receive, send): pass\n")
        fails(78, "is an ASGI application")
        module("def app(:\n")
        assert "def app(:" in fails(78, "SyntaxError")
        module("import not_there_at_all\n")
        assert "main.py" in fails(1, "ModuleNotFoundError: No module named 'not_there_at_all'")
        module("raise OSError('no database')\n")
        assert 'main.py", line 1' in fails(1, "OSError: no database")
        module("import sys\nsys.exit(3)\n")
        fails(1, "SystemExit: 3")
        module("def app():\n    raise OSError('no database')\n")
        assert "in app" in fails(1, "OSError: no database", "main:app()")
    ran = run_alone("async", "--bind", new_address(), "--app-dir", str(APPS), "--app", "wsgi:wsgi_cases:application")
    assert ran.status == 78 and "unicornd-worker-sync" in ran.err, ran


@test
def a_module_may_be_called_wsgi():
    """What most guides to Flask have: wsgi.py, and wsgi:app."""
    with harness.tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "wsgi.py"), "w", encoding="utf-8") as file:
            file.write("def app(environ, start_response):\n    start_response('200 OK', [])\n    return [b'here']\n")
        for name in ("wsgi:app", "wsgi:wsgi:app", f"wsgi:{folder}/wsgi.py:app"):
            address = new_address()
            command = f"{program('sync')} --app-dir {folder} --app {name}"
            with Site(listener("web", address) + pool("app", command)) as site:
                site.start()
                assert ask(address, "/").text == "here", name
                assert site.stop() == 0
        assert "there is app" in refused(78, "has no attribute apt", "--app", "wsgi:apt", app_dir=folder)


@test
def a_virtual_environment_is_used():
    with harness.tempfile.TemporaryDirectory() as folder:
        subprocess.run(["/usr/bin/python3", "-m", "venv", "--without-pip", folder], check=True)
        for options, variables in ((("--virtualenv", folder), {}), ((), {"VIRTUAL_ENV": folder})):
            os.environ.update(variables)
            try:
                with serve(*options) as server:
                    found = json.loads(server.ask("/raw/process").text)
            finally:
                os.environ.pop("VIRTUAL_ENV", None)
            assert found["prefix"] == os.path.realpath(folder), found
            assert found["executable"].startswith(os.path.realpath(folder)), found
            assert found["path"] == str(APPS.resolve()) and found["main"] is True, found
        refused(78, "is no virtual environment", "--app", "wsgi:wsgi_cases", "--virtualenv", str(APPS))


@test
def what_is_printed_is_in_the_log_at_once():
    source = "print('printed while it starts')\ndef app(environ, start_response):\n    print('printed for', " \
             "environ['PATH_INFO'])\n    start_response('200 OK', [])\n    return []\n"
    with harness.tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "main.py"), "w", encoding="utf-8") as file:
            file.write(source)
        address = new_address()
        command = f"{program('sync')} --app-dir {folder} --app wsgi:main:app"
        with Site(listener("web", address) + pool("app", command)) as site:
            site.start()
            ask(address, "/here")
            site.wait_log("printed while it starts")
            site.wait_log("printed for /here")
            assert site.stop() == 0


run_tests()
