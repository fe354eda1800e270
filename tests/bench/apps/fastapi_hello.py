"""The first page of a FastAPI application."""

import fastapi

app = fastapi.FastAPI()


@app.get("/")
async def hello():
    return {"message": "Hello, world!"}
