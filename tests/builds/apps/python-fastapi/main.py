from importlib.util import find_spec

from fastapi import FastAPI

app = FastAPI()


@app.get("/")
def greet() -> dict:
    return {"greeting": "hello from FastAPI", "development": find_spec("six") is not None}
