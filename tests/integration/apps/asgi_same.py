"""An ASGI application whose answers every server has to give in the same way, a path each."""

import json


async def read(receive):
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return body


async def echo(scope, receive):
    return 200, [(b"content-type", b"text/odd")], [await read(receive)]


async def show(scope, receive):
    names = ("type", "http_version", "method", "scheme", "path", "raw_path", "query_string", "root_path", "headers")
    shown = {name: scope[name] for name in names}
    return 200, [], [json.dumps(shown, default=lambda other: other.decode("latin-1")).encode()]


async def stream(scope, receive):
    return 200, [(b"x-kind", b"stream")], [b"one ", b"", b"two ", b"three"]


async def cookies(scope, receive):
    return 200, [(b"set-cookie", b"a=1"), (b"Set-Cookie", b"b=2; Path=/"), (b"x-latin", b"\xe4"), (b"x-none", b""),
                 (b"x-long", b"v" * 5000), (b"content-length", b"2")], [b"ok"]


async def status(scope, receive):
    return int(scope["query_string"]), [], [b""]


async def fail(scope, receive):
    raise RuntimeError("on purpose")


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            kind = (await receive())["type"]
            await send({"type": f"{kind}.complete"})
            if kind == "lifespan.shutdown":
                return
    answer = globals().get(scope["path"].strip("/").partition("/")[0], show)
    code, headers, parts = await answer(scope, receive)
    await send({"type": "http.response.start", "status": code, "headers": headers})
    for part in parts[:-1]:
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": parts[-1]})
