"""A Flask application: routes, forms, uploads, streams, errors, sessions of threads."""

import hashlib

import flask

app = flask.Flask(__name__)


@app.get("/")
def index():
    return "hello from Flask\n"


@app.get("/greet/<name>")
def greet(name):
    return {"name": name, "query": flask.request.args.get("q"), "url": flask.request.url}


@app.post("/form")
def form():
    return dict(flask.request.form)


@app.post("/upload")
def upload():
    sent = flask.request.files["file"]
    return {"name": sent.filename, "sha": hashlib.sha256(sent.read()).hexdigest()}


@app.post("/echo")
def echo():
    return flask.request.get_data(), 200, {"Content-Type": "application/octet-stream"}


@app.get("/stream")
def stream():
    @flask.stream_with_context
    def parts():
        for number in range(5):
            yield f"{number} {flask.request.path}\n"
    return parts(), {"Content-Type": "text/plain"}


@app.get("/file")
def file():
    return flask.send_file(__file__, mimetype="text/x-python")


@app.get("/error")
def error():
    raise LookupError("raised in Flask")
