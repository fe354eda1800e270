"""A first application: says hello, and which worker said it."""

import os

from fastapi import FastAPI

app = FastAPI()


@app.get("/")
async def hello():
    return {
        "message": "Hello from unicornd",
        "slot": int(os.environ.get("UNICORND_SLOT", 0)),
        "generation": int(os.environ.get("UNICORND_GENERATION", 0)),
        "pid": os.getpid(),
    }
