"""A Django application in one file."""

import hashlib

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import FileResponse, HttpResponse, JsonResponse, StreamingHttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

settings.configure(DEBUG=False, ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, SECRET_KEY="for tests",
                   MIDDLEWARE=["django.middleware.common.CommonMiddleware",
                               "django.middleware.http.ConditionalGetMiddleware"],
                   LOGGING={"version": 1, "handlers": {"console": {"class": "logging.StreamHandler"}},
                            "loggers": {"django.request": {"handlers": ["console"]}}})
django.setup()


def index(_):
    return HttpResponse("hello from Django\n", content_type="text/plain")


def greet(request, name):
    return JsonResponse({"name": name, "query": request.GET.get("q"), "url": request.build_absolute_uri()})


@csrf_exempt
def form(request):
    return JsonResponse(request.POST.dict())


@csrf_exempt
def upload(request):
    sent = request.FILES["file"]
    return JsonResponse({"name": sent.name, "sha": hashlib.sha256(sent.read()).hexdigest()})


@csrf_exempt
def echo(request):
    return HttpResponse(request.body, content_type="application/octet-stream")


def stream(request):
    return StreamingHttpResponse((f"{number} {request.path}\n" for number in range(5)), content_type="text/plain")


def file(_):
    return FileResponse(open(__file__, "rb"), content_type="text/x-python")


def error(_):
    raise LookupError("raised in Django")


urlpatterns = [path("", index), path("greet/<str:name>", greet), path("form", form), path("upload", upload),
               path("echo", echo), path("stream", stream), path("file", file), path("error", error)]
application = get_wsgi_application()
