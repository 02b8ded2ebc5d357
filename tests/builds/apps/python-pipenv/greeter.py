from importlib.util import find_spec

from bottle import Bottle

app = Bottle()


@app.get("/")
def greet():
    return {"greeting": "hello from Bottle", "development": find_spec("six") is not None}
