import os
from wsgiref.simple_server import make_server

import psycopg2
import sums


def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"2 + 3 = {sums.add(2, 3)}, libpq {psycopg2.extensions.libpq_version()}\n".encode()]


if __name__ == "__main__":
    make_server("", int(os.environ["PORT"]), app).serve_forever()
