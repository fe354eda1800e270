"""A Flask application: says hello, and takes what is sent to it."""

from flask import Flask, request

app = Flask(__name__)


@app.get("/")
def hello():
    return {"message": "Hello from Flask"}


@app.post("/shout")
def shout():
    return {"message": request.get_json()["message"].upper()}
