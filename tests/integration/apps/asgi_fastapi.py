"""What applications with FastAPI are made of."""

import threading

import fastapi
import pydantic

app = fastapi.FastAPI()
MAIN = threading.get_ident()
STATE = {}


class Item(pydantic.BaseModel):
    name: str
    price: float


@app.on_event("startup")
async def start():
    STATE["is"] = "kept"


def state():
    yield STATE["is"]


@app.get("/items/{item}")
async def get_item(item: int, q: str = ""):
    return {"item": item, "q": q}


@app.post("/items")
async def post_item(item: Item, found: str = fastapi.Depends(state)):
    return {**item.dict(), "state": found}


@app.get("/sync")
def in_a_thread():
    return {"thread": threading.get_ident() != MAIN}


@app.get("/raise")
async def fail():
    raise ValueError("on purpose")


@app.websocket("/ws")
async def echo(socket: fastapi.WebSocket):
    await socket.accept()
    try:
        while True:
            await socket.send_json({"got": await socket.receive_json()})
    except fastapi.WebSocketDisconnect as error:
        print("closed with", error.code, flush=True)
