"""Answers any path with its scope."""

import json


async def app(scope, receive, send):
    assert scope["type"] == "http"
    body = json.dumps(scope, default=lambda other: other.decode("latin-1")).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})
