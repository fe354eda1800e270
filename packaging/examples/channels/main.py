"""A Django project with Channels in one file: a page, and a WebSocket that says everything again."""

import os

import django
from django.conf import settings

settings.configure(
    ALLOWED_HOSTS=["*"],
    INSTALLED_APPS=["channels"],
    ROOT_URLCONF=__name__,
    SECRET_KEY=os.environ["SECRET_KEY"],
)
django.setup()

# Channels wants Django to be set up first.
# pylint: disable=wrong-import-position
from channels.generic.websocket import AsyncWebsocketConsumer  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.core.asgi import get_asgi_application  # noqa: E402
from django.http import JsonResponse  # noqa: E402
from django.urls import path  # noqa: E402


async def hello(_request):
    return JsonResponse({"message": "Hello from Channels"})


class Echo(AsyncWebsocketConsumer):
    """Sends back what comes, text as text and bytes as bytes."""

    async def receive(self, text_data=None, bytes_data=None):
        await self.send(text_data=text_data, bytes_data=bytes_data)


urlpatterns = [path("", hello)]

application = ProtocolTypeRouter({
    "http": get_asgi_application(),
    "websocket": URLRouter([path("echo", Echo.as_asgi())]),
})
