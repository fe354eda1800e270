"""What the clients of chaos.py ask for: the cases of the tests in HTTP, an echo as WebSocket."""

from asgi_cases import app as cases
from asgi_websocket import echo


async def app(scope, receive, send):
    if scope["type"] == "websocket":
        await echo(scope, receive, send)
    else:
        await cases(scope, receive, send)
