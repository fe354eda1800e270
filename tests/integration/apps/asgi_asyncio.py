"""What an application may do with asyncio and anyio: each path answers "ok" or what went wrong."""

import asyncio
import concurrent.futures
import contextvars
import functools
import os
import signal
import socket
import sys
import threading
import time
import warnings

TEXT = (b"content-type", b"text/plain")
VARIABLE = contextvars.ContextVar("VARIABLE", default="nothing")
LEFT = []
COMPANIONS = []


async def running():
    loop = asyncio.get_running_loop()
    assert loop is asyncio.get_event_loop_policy().get_event_loop() and loop.is_running()
    task = asyncio.current_task()
    assert isinstance(task, asyncio.Task) and task in asyncio.all_tasks(), task
    assert task.get_name().startswith("http-") and not task.done() and task.get_loop() is loop
    assert "running" in repr(task.get_coro().cr_code) or task.get_coro().cr_running, task.get_coro()
    repr(task)
    await asyncio.sleep(0)
    assert asyncio.current_task() is task and task in asyncio.all_tasks()
    assert task.get_stack()
    LEFT.append(task)


async def nothing_left():
    """Tasks of requests that are over are done, and not in all_tasks()."""
    await asyncio.sleep(0.01)
    mine = asyncio.current_task()
    others = [task for task in asyncio.all_tasks() if task is not mine and task.get_name().startswith("http-")]
    assert not others, others
    assert all(task.done() and not task.cancelled() and task.exception() is None for task in LEFT), LEFT


async def tasks():
    async def double(number):
        await asyncio.sleep(0.001 * number)
        return 2 * number
    assert await asyncio.gather(*(double(number) for number in range(5))) == [0, 2, 4, 6, 8]
    done, pending = await asyncio.wait([asyncio.create_task(double(number)) for number in (0, 5000)],
                                       return_when=asyncio.FIRST_COMPLETED)
    assert len(done) == 1 and len(pending) == 1
    pending.pop().cancel()
    if sys.version_info >= (3, 11):
        async with asyncio.TaskGroup() as group:
            members = [group.create_task(double(number)) for number in range(3)]
        assert [member.result() for member in members] == [0, 2, 4]


async def timeouts():
    began = time.monotonic()
    try:
        await asyncio.wait_for(asyncio.sleep(20), 0.02)
    except asyncio.TimeoutError:
        pass
    else:
        raise AssertionError("no timeout")
    assert 0.015 < time.monotonic() - began < 5
    if sys.version_info >= (3, 11):
        try:
            async with asyncio.timeout(0.01):
                await asyncio.sleep(20)
        except TimeoutError:
            pass
        async with asyncio.timeout(20):
            pass
    assert not getattr(asyncio.current_task(), "cancelling", int)()


async def timers():
    loop = asyncio.get_running_loop()
    order = []
    done = loop.create_future()
    now = loop.time()
    loop.call_at(now + 0.03, done.set_result, None)
    loop.call_at(now + 0.02, order.append, 2)
    loop.call_at(now + 0.01, order.append, 1)
    loop.call_soon(order.append, 0)
    loop.call_later(0.015, order.append, "cancelled").cancel()
    await done
    assert order == [0, 1, 2], order


async def threads():
    loop = asyncio.get_running_loop()
    main = threading.get_ident()
    assert await asyncio.to_thread(threading.get_ident) != main
    assert await loop.run_in_executor(None, time.sleep, 0.01) is None
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        assert await loop.run_in_executor(pool, functools.partial(pow, 2, 10)) == 1024
    future = loop.create_future()
    threading.Thread(target=lambda: loop.call_soon_threadsafe(future.set_result, 5)).start()
    assert await future == 5
    asked = await asyncio.to_thread(lambda: asyncio.run_coroutine_threadsafe(asyncio.sleep(0.001, 6), loop).result())
    assert asked == 6


async def subprocesses():
    process = await asyncio.create_subprocess_exec("sh", "-c", "cat; exit 7", stdin=-1, stdout=-1)
    out, _ = await process.communicate(b"through a pipe")
    assert (out, process.returncode) == (b"through a pipe", 7), (out, process.returncode)
    many = [await asyncio.create_subprocess_shell(f"exit {number}") for number in range(4)]
    assert [await process.wait() for process in many] == [0, 1, 2, 3]
    process = await asyncio.create_subprocess_exec("sleep", "100")
    process.terminate()
    assert await process.wait() == -signal.SIGTERM


async def plain_subprocess():
    import subprocess
    assert subprocess.run(["sh", "-c", "exit 5"], check=False).returncode == 5
    assert await asyncio.to_thread(lambda: subprocess.run(["sh", "-c", "sleep 0.05; exit 6"],
                                                          check=False).returncode) == 6


async def streams():
    async def serve(reader, writer):
        writer.write((await reader.readline()).upper())
        await writer.drain()
        writer.close()
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"shout\n")
        assert await reader.read() == b"SHOUT\n"
        writer.close()
    loop = asyncio.get_running_loop()
    assert (await loop.getaddrinfo("127.0.0.1", 80))[0][4] == ("127.0.0.1", 80)


async def sockets():
    loop = asyncio.get_running_loop()
    one, other = socket.socketpair()
    with one, other:
        one.setblocking(False)
        other.setblocking(False)
        reading = asyncio.create_task(loop.sock_recv(one, 10))
        await asyncio.sleep(0)
        await loop.sock_sendall(other, b"bytes")
        assert await reading == b"bytes"
        seen = asyncio.Event()
        for watched in (one, one.fileno()):
            seen.clear()
            loop.add_reader(watched, seen.set)
            await loop.sock_sendall(other, b"more")
            await asyncio.wait_for(seen.wait(), 5)
            loop.remove_reader(watched)
            assert not loop.remove_reader(watched)
            one.recv(10)
        loop.add_writer(one, seen.set)
        loop.add_reader(one, seen.set)
        seen.clear()
        await asyncio.wait_for(seen.wait(), 5)
        loop.remove_reader(one)
        loop.remove_writer(one)


async def big_stream():
    """More than a socket holds, so that both directions have to be waited for."""
    total = 4 << 20

    async def serve(reader, writer):
        writer.write(b"x" * total)
        await writer.drain()
        writer.close()
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        count = 0
        while piece := await reader.read(65536):
            count += len(piece)
        writer.close()
        assert count == total, count


async def contexts():
    VARIABLE.set("outer")

    async def inner():
        assert VARIABLE.get() == "outer"
        VARIABLE.set("inner")
        await asyncio.sleep(0)
        return VARIABLE.get()
    assert await asyncio.create_task(inner()) == "inner" and VARIABLE.get() == "outer"
    seen = []
    asyncio.get_running_loop().call_soon(lambda: seen.append(VARIABLE.get()))
    await asyncio.sleep(0)
    assert seen == ["outer"]
    assert await asyncio.to_thread(VARIABLE.get) == "outer"


async def context_is_own():
    assert VARIABLE.get() == "nothing", VARIABLE.get()


async def generators():
    closed = []

    async def count():
        try:
            for number in range(10):
                yield number
                await asyncio.sleep(0)
        finally:
            closed.append(True)
    generator = count()
    async for number in generator:
        if number == 3:
            break
    await generator.aclose()
    assert closed and [number async for number in count()][-1] == 9


async def cancellation():
    async def stubborn():
        try:
            await asyncio.sleep(100)
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            raise
    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        pass
    assert task.cancelled()
    shielded = asyncio.create_task(asyncio.sleep(0.02, "kept"))
    try:
        await asyncio.wait_for(asyncio.shield(shielded), 0.001)
    except asyncio.TimeoutError:
        pass
    assert await shielded == "kept"


async def signals():
    loop = asyncio.get_running_loop()
    seen = asyncio.Event()
    loop.add_signal_handler(signal.SIGUSR2, seen.set)
    os.kill(os.getpid(), signal.SIGUSR2)
    await asyncio.wait_for(seen.wait(), 5)
    assert loop.remove_signal_handler(signal.SIGUSR2)


async def factory():
    """A request's task comes from the loop's factory where there is one: see the next path."""
    loop = asyncio.get_running_loop()

    def make(its_loop, coroutine, **options):
        COMPANIONS.append(asyncio.Task(asyncio.Event().wait(), loop=its_loop))
        task = asyncio.Task(coroutine, loop=its_loop, **options)
        task.set_name("http-made")
        return task
    loop.set_task_factory(make)


async def factory_made():
    assert asyncio.current_task().get_name() == "http-made", asyncio.current_task()
    await asyncio.sleep(0)
    assert asyncio.current_task().get_name() == "http-made"
    asyncio.get_running_loop().set_task_factory(None)
    assert {asyncio.current_task(), *COMPANIONS} <= asyncio.all_tasks(), asyncio.all_tasks()
    for companion in COMPANIONS:
        companion.cancel()


async def factory_fails():
    """The next request gets no task: its factory makes one and raises."""
    def make(its_loop, coroutine, **options):
        its_loop.set_task_factory(None)
        made = asyncio.Task(coroutine, loop=its_loop, **options)
        raise RuntimeError(f"the factory has failed, {made.done()}")
    asyncio.get_running_loop().set_task_factory(make)


async def anyio_group():
    import anyio
    results = []

    async def add(number):
        await anyio.sleep(0.001 * number)
        results.append(number)
    async with anyio.create_task_group() as group:
        for number in (2, 0, 1):
            group.start_soon(add, number)
    assert sorted(results) == [0, 1, 2], results
    with anyio.move_on_after(0.01) as scope:
        await anyio.sleep(10)
    assert scope.cancel_called
    try:
        with anyio.fail_after(0.01):
            await anyio.sleep(10)
    except TimeoutError:
        pass
    async with anyio.create_task_group() as group:
        group.start_soon(anyio.sleep, 100)
        group.cancel_scope.cancel()
    assert await anyio.to_thread.run_sync(threading.get_ident) != threading.get_ident()
    assert anyio.get_current_task().id


async def exceptions():
    """What nobody asks for is told by asyncio itself, but requests leave nothing of that kind behind."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        results = await asyncio.gather(asyncio.sleep(0), asyncio.wait_for(asyncio.sleep(9), 0.001),
                                       return_exceptions=True)
    assert results[0] is None and isinstance(results[1], asyncio.TimeoutError), results


async def reentry():
    """A callback of the loop may be what ends a request."""
    done = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(done.set_result, None)
    await done


async def selector():
    """The loop's selector is like those of the module selectors."""
    loop = asyncio.get_running_loop()
    chosen = getattr(loop, "_selector", None)
    if chosen is None:
        return
    one, other = socket.socketpair()
    with one, other:
        key = chosen.register(one, 1, "data")
        assert key == (one, one.fileno(), 1, "data") and chosen.get_key(one.fileno()) == key
        assert chosen.get_map()[one] == key and chosen.get_map().get(other) is None
        assert one.fileno() in list(chosen.get_map()) and len(chosen.get_map()) >= 2
        for wrong, call in ((KeyError, lambda: chosen.register(one, 1)), (ValueError, lambda: chosen.register(other, 4)),
                            (KeyError, lambda: chosen.unregister(other)), (ValueError, lambda: chosen.register(-1, 1)),
                            (KeyError, lambda: chosen.get_key(other)), (OSError, lambda: chosen.register(9999, 1)),
                            (KeyError, lambda: chosen.modify(other, 1))):
            try:
                call()
            except wrong:
                continue
            raise AssertionError((wrong, call))
        assert chosen.modify(one, 3, "new").data == "new" and chosen.modify(one, 2).events == 2
        number = one.fileno()
        one.close()
        assert chosen.unregister(one).fd == number


async def app(scope, receive, send):
    if scope["type"] != "http":
        raise NotImplementedError(scope["type"])
    try:
        await globals()[scope["path"][1:]]()
        body = b"ok"
    except BaseException as error:  # pylint: disable=broad-except
        import traceback
        traceback.print_exc()
        body = repr(error).encode()
    await send({"type": "http.response.start", "status": 200 if body == b"ok" else 500, "headers": [TEXT]})
    await send({"type": "http.response.body", "body": body})
