"""A Django project in one file."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import JsonResponse
from django.urls import path

settings.configure(
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    SECRET_KEY=os.environ["SECRET_KEY"],
)


def hello(_request):
    return JsonResponse({"message": "Hello from Django"})


def greet(_request, name):
    return JsonResponse({"message": f"Hello {name}"})


urlpatterns = [
    path("", hello),
    path("greet/<str:name>/", greet),
]

application = get_wsgi_application()
