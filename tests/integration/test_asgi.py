#!/usr/bin/python3
"""ASGI in unicornd-worker-async, on asyncio's own loop and on uvloop: the specification line by line.

The paths are functions of apps/asgi_cases.py; what asyncio has to offer is tried by apps/asgi_asyncio.py. WebSockets are
in test_websocket.py, starting and ending in test_asgi_life.py.
"""

import importlib.util
import json
import os
import select
import tempfile

import harness
from asgi_servers import APPS, LOOPS, serve, shared
from gateway_servers import logged, with_each, writer_of
from harness import Skip, run_tests, test, until
from http_client import Client, Cut, chunks, request


def check(server):
    assert not [line for line in server.log.lines[server.mark:] if "never" in line], "something was left"


both = with_each(LOOPS, "on", shared, check)


def ok(answer):
    assert answer.status == 200, answer
    return answer


def ask_json(server, *arguments, **options):
    return json.loads(ok(server.ask(*arguments, **options)).text)


# ---- scope

@both
def scope_has_what_the_specification_wants(server):
    found = ask_json(server, "/show_scope/a%20b%c3%a4%2F%e4?x=1&y=%20", "X-One: a", "X-Two: b", "x-one: c ", method="POST")
    host, _, port = server.address.rpartition(":")
    wanted = {"type": "http", "http_version": "1.1", "method": "POST", "scheme": "http", "root_path": "",
              "path": "/show_scope/a bä/\ufffd", "raw_path": "/show_scope/a%20b%c3%a4%2F%e4",
              "query_string": "x=1&y=%20", "server": [host, int(port)],
              "headers": [["host", "probe"], ["x-one", "a"], ["x-two", "b"], ["x-one", "c"]],
              "asgi": {"version": "3.0", "spec_version": "2.5"}, "state": {"counter": [], "name": "value"},
              "extensions": {"http.response.pathsend": {}, "http.response.zerocopysend": {},
                             "http.response.early_hint": {}, "http.response.trailers": {}}}
    assert {name: found.get(name) for name in wanted} == wanted, found
    assert found["client"][0] == "127.0.0.1" and found["client"][1] > 0, found
    assert set(found) == {*wanted, "client"}, found


@both
def scope_of_http_1_0(server):
    found = ask_json(server, "/show_scope", version="1.0", host=None)
    assert found["http_version"] == "1.0" and found["headers"] == [] and found["query_string"] == "", found


@both
def scope_knows_long_and_odd_texts(server):
    path = "/show_scope/" + "a%25" * 700
    found = ask_json(server, f"{path}?{'q' * 2000}", f"X-Long: {'v' * 3000}", method="PROPFIND")
    assert found["path"] == path.replace("%25", "%") and found["raw_path"] == path, found
    assert found["query_string"] == "q" * 2000 and found["headers"][1] == ["x-long", "v" * 3000], found
    assert found["method"] == "PROPFIND", found


@both
def scope_is_a_requests_own(server):
    for _ in range(3):
        assert ask_json(server, "/spoil_scope") == [None, None, None, None]


@both
def state_is_a_shallow_copy(server):
    one, two = (ask_json(server, "/show_state")["counter"] for _ in range(2))
    assert two == one + 1, (one, two)
    ask_json(server, "/spoil_scope")
    assert "spoilt" not in ask_json(server, "/show_state")["names"]


@test
def scope_of_a_unix_socket():
    with tempfile.TemporaryDirectory() as folder, serve(bind=f"unix:{folder}/web.sock") as server:
        found = ask_json(server, "/show_scope")
        assert found["server"] == [f"{folder}/web.sock", None] and found["client"] is None, found


@test
def root_path_is_in_front_of_the_path_once():
    with serve("--root-path", "/mounted", app="asgi_scope:app") as server:
        for sent, path in (("/mounted/x", "/mounted/x"), ("/x%20y", "/mounted/x y"), ("/mounted", "/mounted"),
                           ("/mountedx", "/mounted/mountedx")):
            found = ask_json(server, sent)
            assert (found["root_path"], found["path"], found["raw_path"]) == ("/mounted", path, sent), found


@test
def scheme_and_client_come_from_a_trusted_proxy():
    with serve("--trust", "127.0.0.0/8") as server:
        found = ask_json(server, "/show_scope", "X-Forwarded-For: 192.0.2.7", "X-Forwarded-Proto: https")
        assert found["scheme"] == "https" and found["client"][0] == "192.0.2.7", found


# ---- receive()

@both
def body_is_read_whole(server):
    assert ok(server.ask("/echo")).body == b""
    for size in (1, 4096, 70000, 3 << 20):
        body = os.urandom(size)
        assert ok(server.ask("/echo", method="POST", body=body)).body == body, size


@both
def chunked_body_is_decoded(server):
    with server.client() as client:
        client.send(request("/echo", "Transfer-Encoding: chunked", method="POST"),
                    chunks(b"one ", b"two ", b"x" * 100000))
        assert ok(client.read()).body == b"one two " + b"x" * 100000


@both
def body_comes_as_it_is_sent(server):
    with server.client() as client:
        client.send(request("/messages", "Transfer-Encoding: chunked", method="POST"), b"3\r\nabc\r\n")
        while b"http.request 3 True\n" not in client.buffer:
            assert client.is_readable() and client._more(), client.buffer
        client.send(b"2\r\nde\r\n0\r\n\r\n")
        lines = client.read().text.splitlines()
        assert lines[0] == "http.request 3 True" and lines[-1].endswith("False"), lines
        assert sum(int(line.split()[1]) for line in lines) == 5, lines


@both
def body_is_not_read_before_it_is_asked_for(server):
    total = 64 << 20
    with server.client() as client:
        client.send(request("/unread", f"Content-Length: {total}", method="POST"))
        logged(server, "unread begins")
        client.socket.settimeout(None)
        client.socket.setblocking(False)
        sent = fill(client.socket, total)
        assert sent < total // 2, sent
        assert ok(server.ask("/open_gate"))
        client.socket.settimeout(harness.BOUND)
        piece = b"x" * (1 << 20)
        while sent < total:
            client.socket.sendall(piece[:total - sent])
            sent += len(piece[:total - sent])
        assert ok(client.read()).text == str(total)


def fill(sock, total):
    """Sends until the other side takes no more for a while. @return bytes sent"""
    import select
    sent = 0
    piece = b"x" * 65536
    while sent < total and select.select([], [sock], [], 1)[1]:
        sent += sock.send(piece[:total - sent])
    return sent


@both
def expectation_is_met_when_the_body_is_asked_for(server):
    with server.client() as client:
        client.send(request("/echo", "Expect: 100-continue", "Content-Length: 5", method="POST"))
        assert client.read_interim().status == 100
        assert ok(client.send(b"hello").read()).body == b"hello"
    with server.client() as client:
        client.send(request("/ignore_body", "Expect: 100-continue", "Content-Length: 5", method="POST"))
        answer = client.read()
        assert answer.interim == [] and answer.text == "ignored\n", answer


@both
def body_may_be_left_unread(server):
    with server.client() as client:
        for _ in range(3):
            assert ok(client.ask("/ignore_body", method="POST", body=b"x" * 3000)).text == "ignored\n"


@both
def receive_tells_the_end_of_the_answer(server):
    ok(server.ask("/early_answer", method="POST", body=b"x" * 10))
    logged(server, "after the answer: http.disconnect")


@both
def receive_in_another_task_learns_of_the_end(server):
    assert ok(server.ask("/receive_until_sent")).text == "sent\n"
    logged(server, "the other task got http.disconnect")


@both
def cancelled_receive_takes_no_message(server):
    with server.client() as client:
        client.send(request("/cancel_receive", "Content-Length: 4", method="POST"))
        logged(server, "cancelled four")
        found = json.loads(ok(client.send(b"late").read()).text)
        assert found == ["timeout"] * 3 + ["cancelled", "late"], found


@both
def awaitables_are_like_coroutines(server):
    assert ok(server.ask("/awaitables")).text == "late\n"


# ---- send()

@both
def start_is_held_until_the_body(server):
    assert server.ask("/held_start").status == 500
    assert "Failure: behind the start" in logged(server, "asgi: http GET /held_start")


@both
def transfer_encoding_is_the_workers(server):
    answer = ok(server.ask("/own_coding"))
    assert answer.body == b"coded\n" and answer.get("transfer-encoding") in (None, b"chunked"), answer


@both
def answer_without_a_length_is_chunked(server):
    answer = ok(server.ask("/stream"))
    assert answer.get("transfer-encoding") == b"chunked" and answer.body == b"one\ntwo\n", answer
    answer = ok(server.ask("/stream", version="1.0"))
    assert answer.closes and answer.body == b"one\ntwo\n", answer


@both
def iterables_and_buffers_are_taken(server):
    answer = ok(server.ask("/buffers"))
    assert answer.body == b"array view\n" and (answer.get("x-a"), answer.get("x-b")) == (b"1", b"2"), answer
    answer = ok(server.ask("/many_headers"))
    names = [(name, value) for name, value in answer.headers if name.startswith(b"x-")]
    assert names == [(b"x-%d" % number, b"%d" % number) for number in range(80)], names
    answer = ok(server.ask("/changing_headers"))
    assert [answer.get(name) for name in ("x-one", "x-two", "x-three")] == [b"1" * 600, b"2", b"3" * 600], answer


@both
def answers_without_a_body(server):
    with server.client() as client:
        for path in ("/hello", "/stream", "/own_coding"):
            assert ok(client.ask(path, method="HEAD")).body == b""
        for status in (204, 304, 201, 404, 599):
            assert client.ask(f"/status?{status}").status == status
        assert client.ask("/hello").text == "hello\n"


@both
def messages_behind_the_last_are_ignored(server):
    assert ok(server.ask("/after_the_end")).text == "whole\n"
    logged(server, "then http.disconnect http.disconnect")
    assert "error" not in "\n".join(server.log.lines[server.mark:])


@both
def send_waits_for_a_slow_client(server):
    total = 400 * 65536
    with server.client(receive_buffer=65536) as client:
        client.send(request("/flood"))
        client.is_readable()
        sent = steady(server)
        assert 0 < sent < total // 2, sent
        assert ask_json(server, "/kept")["sent"] == sent
        assert len(client.read().body) == total
        until(lambda: ask_json(server, "/kept")["sent"] == total, "not all was sent")


def steady(server):
    """@return what /flood has sent, when that does not change any more"""
    before, same = -1, 0
    for _ in range(10000):
        now = ask_json(server, "/kept").get("sent", 0)
        same = same + 1 if now == before else 0
        if same > 50 and now > 0:
            return now
        before = now
    raise AssertionError("send() never waits")


@both
def bad_messages_are_refused(server):
    refused = ask_json(server, "/bad_message")
    assert len(refused) == 18 and set(refused) == {"RuntimeError", "TypeError", "ValueError"}, refused


def in_one_turn(address, folder, *requests):
    """Sends requests so that they are there together when the loop looks at its sockets. @return their clients"""
    fifo = f"{folder}/keep"
    os.mkfifo(fifo)
    clients = [Client(address) for _ in requests]
    with Client(address) as keeper:
        for client in clients:
            assert client.ask("/hello").text == "hello\n"
        keeper.send(request(f"/keep?{fifo}"))
        writer = writer_of(fifo)
        for client, piece in zip(clients, requests):
            client.send(piece)
        os.close(writer)
        assert keeper.read().status == 200
    return clients


def take_all(client):
    """Reads what is there. @return whether there was something"""
    length = len(client.buffer)
    while client.socket in select.select([client.socket], [], [], 0)[0]:
        client.buffer += client.socket.recv(1 << 20)
    return len(client.buffer) > length


@test
def who_waits_for_a_quick_client_goes_on():
    """The client takes all before the call is over that has to wait for it: no event of the socket will follow."""
    for loop in LOOPS:
        with tempfile.TemporaryDirectory() as folder, \
                serve("--loop", loop, bind=f"unix:{folder}/web.sock", app="asgi_held:app") as server:
            fifo = f"{folder}/flood"
            os.mkfifo(fifo)
            hello, flood = in_one_turn(server.address, folder, request("/hello"), request(f"/flood?{fifo}"))
            with hello, flood:
                writer = writer_of(fifo)
                assert take_all(flood)
                os.close(writer)
                assert len(ok(flood.read()).body) == 1 << 20


# ---- the client leaves

@both
def send_is_not_for_use_within_send(server):
    assert ok(server.ask("/send_within_send")).text == "receive() or send() while a message is being sent"


@both
def disconnect_is_told_and_nothing_is_cancelled(server):
    with server.client() as client:
        client.send(request("/wait_disconnect"))
        logged(server, "waiting for the client to leave")
    logged(server, "was told http.disconnect http.disconnect")
    logged(server, "not cancelled")
    text = logged(server, "send raised OSError")
    assert "Traceback" not in text and "error" not in text, text


@both
def what_comes_of_a_disconnect_is_no_error(server):
    with server.client() as client:
        client.send(request("/wait_disconnect?chain"))
        logged(server, "waiting for the client to leave")
    logged(server, "send raised OSError")
    assert server.ask("/hello").status == 200
    assert "Traceback" not in "\n".join(server.log.lines[server.mark:])


@both
def all_receivers_are_told(server):
    with server.client() as client:
        client.send(request("/two_receivers"))
        logged(server, "two are waiting")
    logged(server, "both: ['http.disconnect', 'http.disconnect']")


@both
def send_raises_when_the_client_is_gone(server):
    with server.client() as client:
        client.send(request("/flood_until_error"))
        client.is_readable()
        client.reset()
    text = logged(server, "send raised ClientDisconnected True")
    assert "Traceback" not in text, text


@both
def body_that_breaks_off_is_a_disconnect(server):
    with server.client() as client:
        client.send(request("/echo", "Content-Length: 10", method="POST"), b"half")
        client.end_sending()
        client.read_all()
    logged(server, "http.disconnect")


# ---- applications that misbehave

@both
def exception_before_the_start_is_500(server):
    for path, what in (("/raise_before", "Failure: before the start"), ("/raise_later", "Failure: after a sleep")):
        answer = server.ask(path)
        assert answer.status == 500, answer
        text = logged(server, what)
        assert f"asgi: http GET {path}" in text and "Traceback" in text, text


@both
def paths_do_not_forge_lines_of_the_log(server):
    assert server.ask("/raise_before/%0Aerror:%20forged").status == 500
    assert "\nerror: forged" not in logged(server, "asgi: http GET /raise_before/%0Aerror:%20forged")


@both
def sys_exit_in_a_forked_child_ends_the_child(server):
    for _ in range(3):
        assert ok(server.ask("/fork")).text == "7"
    assert not server.log.lines[server.mark:], server.log.lines[server.mark:]


@both
def exception_behind_all_that_was_promised_cuts_nothing(server):
    """So do background tasks that fail within a middleware that has not seen the end of the answer."""
    with server.client() as client:
        for method in ("GET", "HEAD", "GET"):
            assert ok(client.ask("/raise_behind_all", method=method)).body == b"whole"[:5 if method == "GET" else 0]
    logged(server, "Failure: behind what was promised")


@both
def exception_during_the_body_cuts_the_connection(server):
    try:
        raise AssertionError(server.ask("/raise_during"))
    except Cut as cut:
        assert cut.answer.status == 200, cut.answer
    assert "Traceback" in logged(server, "Failure: during the body")


@both
def exception_after_the_end_is_logged(server):
    with server.client() as client:
        assert client.ask("/raise_after").text == "whole\n"
        assert client.ask("/hello").text == "hello\n"
    assert "Traceback" in logged(server, "Failure: after the end")


@both
def incomplete_answers(server):
    for path in ("/return_nothing", "/return_early"):
        assert server.ask(path).status == 500
        logged(server, "returned without")
    for path, what in (("/return_half", "completing"), ("/too_short", "shorter")):
        try:
            raise AssertionError(server.ask(path))
        except Cut as cut:
            assert cut.answer.status == 200
        logged(server, what)


@both
def answer_longer_than_announced(server):
    with server.client() as client:
        answer = client.ask("/too_long")
        assert answer.body == b"much ", answer
    logged(server, "longer than Content-Length")


@both
def exit_is_an_error_like_others(server):
    for path in ("/exit_app", "/exit_later", "/cancel_itself"):
        assert server.ask(path).status == 500, path
        logged(server, f"asgi: http GET {path}")
    assert server.ask("/exit_in_task").text == "SystemExit\n"


@both
def many_fail_at_once(server):
    clients = [server.client() for _ in range(20)]
    for number, client in enumerate(clients):
        client.send(request(("/raise_later", "/raise_before", "/hello", "/background")[number % 4]))
    assert [client.read().status for client in clients] == [500, 500, 200, 200] * 5
    for client in clients:
        client.close()


@test
def what_is_called_need_not_be_a_coroutine_function():
    for loop in LOOPS:
        with serve("--loop", loop, app="asgi_cases:sync_call") as server:
            for path in ("/plain_function", "/own_awaitable", "/hello"):
                assert server.ask(path).text == "hello\n", path
            assert server.ask("/not_awaitable").status == 500
            assert server.log.wait("cannot be awaited")


@both
def pipelined_requests_are_answered_in_order(server):
    with server.client() as client:
        client.send(b"".join(request(path) for path in ("/raise_later", "/hello", "/stream", "/slow?0.01", "/hello")))
        assert [client.read().status for _ in range(5)] == [500, 200, 200, 200, 200]
        client.send(request("/echo", method="POST", body=b"one") + request("/background") + request("/hello"))
        assert [client.read().text for _ in range(3)] == ["one", "answered\n", "hello\n"]


# ---- extensions

@both
def pathsend_sends_a_file(server):
    for size in (0, 5, 1 << 20):
        with tempfile.NamedTemporaryFile() as file:
            content = os.urandom(size)
            file.write(content)
            file.flush()
            with server.client() as client:
                answer = ok(client.ask(f"/send_path?{file.name}"))
                assert answer.body == content and answer.get("content-length") == b"%d" % size, answer
                assert client.ask(f"/send_path?{file.name}", method="HEAD").status == 200
                assert client.ask("/hello").text == "hello\n"
    assert server.ask("/send_path?/nowhere").status == 500
    logged(server, "No such file or directory: '/nowhere'")
    try:
        raise AssertionError(server.ask("/send_path_mixed"))
    except Cut:
        logged(server, "pathsend must be the only part")


@both
def zerocopysend_sends_parts_of_files(server):
    with server.client() as client:
        assert ok(client.ask("/send_files")).text == "<234|12|89|56789"
        assert client.ask("/hello").text == "hello\n"
    found = ask_json(server, "/send_bad_files")
    assert found == ["OSError", "OSError", "TypeError", "TypeError", "ValueError", "FileNotFoundError",
                     "IsADirectoryError", "OSError", "TypeError"], found


@both
def early_hints_come_in_front(server):
    with server.client() as client:
        answer = ok(client.ask("/early_hints"))
        assert [hint.status for hint in answer.interim] == [103, 103] and answer.body == b"hinted\n", answer
        assert [value for name, value in answer.interim[0].headers if name == b"link"] == \
            [b"</a.css>; rel=preload", b"</b.js>; rel=preload"], answer.interim[0].headers
    assert ok(server.ask("/early_hints", version="1.0")).interim == []


@both
def trailers_come_to_those_who_want_them(server):
    with server.client() as client:
        answer = ok(client.ask("/trailers", "TE: trailers"))
        assert answer.trailers == [(b"x-sum", b"5"), (b"x-more", b"6")] and answer.body == b"body\n", answer
        answer = ok(client.ask("/trailers"))
        assert answer.trailers == [] and answer.body == b"body\n", answer
    try:
        raise AssertionError(server.ask("/no_trailers"))
    except Cut:
        logged(server, "without completing its response")
    try:
        raise AssertionError(server.ask("/bad_trailers", "TE: trailers"))
    except Cut:
        logged(server, "ValueError: a status, a header")


# ---- tasks

@both
def work_goes_on_behind_the_answer(server):
    assert ok(server.ask("/background")).text == "answered\n"
    logged(server, "background ends")


@both
def slow_requests_do_not_hinder_others(server):
    with server.client() as client:
        client.send(request("/slow?0.3"))
        logged(server, "slow begins")
        assert all(server.ask("/hello").text == "hello\n" for _ in range(20))
        assert client.read().text == "slow\n"


@both
def context_variables_are_a_requests_own(server):
    for _ in range(3):
        assert ok(server.ask("/set_variable")).text == "nothing set"


ASYNCIO_PATHS = ("running", "tasks", "timeouts", "timers", "threads", "subprocesses", "plain_subprocess", "streams",
                 "sockets", "big_stream", "contexts", "context_is_own", "generators", "cancellation", "signals",
                 "factory", "factory_made", "exceptions", "reentry", "selector", "nothing_left")


def try_paths(loop, paths):
    with serve("--loop", loop, app="asgi_asyncio:app") as server:
        for path in paths:
            answer = server.ask(f"/{path}")
            assert answer.text == "ok", f"{path}: {answer.text}\n{server.log.text()}"
        assert not [line for line in server.log.lines if "never" in line or "rror" in line.replace("NotImpl", "")] or \
            all("no lifespan" in line for line in server.log.lines), server.log.text()


@test
def everything_of_asyncio_works():
    try_paths("asyncio", ASYNCIO_PATHS)


@test
def everything_of_asyncio_works_on_uvloop():
    if "uvloop" not in LOOPS:
        raise Skip("uvloop is not installed")
    try_paths("uvloop", ASYNCIO_PATHS)


@test
def factory_of_tasks_that_fails():
    for loop in LOOPS:
        with serve("--loop", loop, app="asgi_asyncio:app") as server:
            assert [server.ask(path).status for path in ("/factory_fails", "/running", "/running")] == [200, 500, 200]
            text = logged(server, "RuntimeError: the factory has failed, False")
            assert "asgi: http GET /running\n" in text and "no exception" not in text, text


@test
def task_groups_of_anyio():
    if not importlib.util.find_spec("anyio"):
        raise Skip("anyio is not installed")
    for loop in LOOPS:
        try_paths(loop, ("anyio_group", "running", "anyio_group"))


# ---- frameworks

def need(name):
    if not importlib.util.find_spec(name):
        raise Skip(f"{name} is not installed")


@test
def starlette():
    need("starlette")
    for loop in LOOPS:
        with serve("--loop", loop, app="asgi_starlette:app") as server, server.client() as client:
            assert client.ask("/").text == "started"
            assert client.ask("/threads").text == "True"
            assert client.ask("/form", "Content-Type: application/x-www-form-urlencoded", method="POST",
                              body=b"a=1&b=2").text == "a=1 b=2"
            assert client.ask("/stream").body == b"0\n1\n2\n"
            assert b"starlette" in client.ask("/file").body
            assert client.ask("/raise").status == 500
            assert client.ask("/missing").status == 404
            assert client.ask("/").get("x-middleware") == b"seen"
            assert client.ask("/background").text == "begun"
            assert server.log.wait("background is done")
            with server.client() as other:
                other.send(request("/endless"))
                other.is_readable()
            until(lambda: ok(client.ask("/collect")) and "endless has ended" in server.log.text(), "the generator ends")
            assert client.ask("/").text == "started"


@test
def fastapi():
    need("fastapi")
    for loop in LOOPS:
        with serve("--loop", loop, app="asgi_fastapi:app") as server, server.client() as client:
            assert json.loads(client.ask("/items/5?q=x").text) == {"item": 5, "q": "x"}
            assert client.ask("/items/five").status == 422
            answer = client.ask("/items", "Content-Type: application/json", method="POST",
                                body=b'{"name": "n", "price": 1.5}')
            assert json.loads(answer.text) == {"name": "n", "price": 1.5, "state": "kept"}, answer
            assert json.loads(client.ask("/sync").text) == {"thread": True}
            assert client.ask("/docs").status == 200
            assert client.ask("/raise").status == 500


if __name__ == "__main__":
    assert APPS.is_dir()
    assert Client
    run_tests()
