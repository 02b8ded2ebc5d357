"""examples/blog brings a reading list from elsewhere into its build, and nothing that the other side does spoils a push."""
import contextlib
import http.server
import json
import threading

import pytest

from support.blog import Blog, copy_of_the_blog
from support.instance import wait_for

LIST = [
    {"title": "Out of the <b>Tar</b> Pit & more", "url": "https://example.com/tar?a=1&b=2", "author": "Moseley", "note": "Twice."},
    {"title": "A script", "url": "javascript:alert(1)"},
    {"title": "  ", "url": "https://example.com/nothing"},
    {"title": "Long " * 200, "url": "https://example.com/long"},
    "no entry",
]
RSS = """<?xml version="1.0"?><rss version="2.0"><channel><title>x</title>
<item><title>Hints &amp;amp; more</title><link>https://example.com/hints</link></item></channel></rss>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><entry><title>Reflections</title>
<link rel="alternate" href="https://example.com/trust"/><author><name>Thompson</name></author></entry></feed>"""
BOMB = '<!DOCTYPE x [<!ENTITY a "' + "a" * 1000 + '">' + "".join(
    f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 20}">' for i in range(6)) + "]><rss><channel><item><title>&g;</title></item></channel></rss>"
# Longer than a build waits for all of it.
PATIENCE_SECONDS = 60


class Shelf:
    """A server on this machine, as pods see it, whose list is what a test puts into .text, or what .behave does."""

    def __init__(self, address):
        self.text, self.status, self.behave, self.asked, self.closed = "[]", 200, None, 0, threading.Event()
        shelf = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                shelf.asked += 1
                with contextlib.suppress(OSError):
                    shelf.answer(self)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer((address, 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://{address}:{self.server.server_port}/list"

    def answer(self, request):
        body = self.text.encode()
        request.send_response(self.status)
        if self.status in (301, 302):
            request.send_header("Location", "/list")
        if self.behave is None:
            request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        if self.behave is None:
            request.wfile.write(body)
        else:
            self.behave(request)

    def slowly(self, request):
        for _ in range(PATIENCE_SECONDS):
            request.wfile.write(b" ")
            request.wfile.flush()
            if self.closed.wait(1):
                return

    def without_an_end(self, request):
        while not self.closed.is_set():
            request.wfile.write(b"[" + b" " * 65536)

    def close(self):
        self.closed.set()
        self.server.shutdown()
        self.server.server_close()


class Reader:
    """A blog whose builds ask a shelf."""

    def __init__(self, skiff, shelf):
        self.skiff, self.shelf = skiff, shelf
        self.app, self.address = copy_of_the_blog(skiff)
        self.pushes = 0

    def ask(self, url):
        self.skiff.skiff("config:set", f"READING_LIST_URL={url}", "-a", self.app.name)

    def push(self):
        """The blog as it is after another push, which says so on a page of its own."""
        self.pushes += 1
        self.app.write({"pushes.txt": f"---\n---\npush {self.pushes}\n"})
        pushed = self.app.push()
        assert pushed.ok, pushed.said
        blog = Blog(self.address, pushed.said)
        said = f"push {self.pushes}".encode()
        assert wait_for(lambda: blog.fetch("/pushes.txt").body.strip() == said), pushed.said
        return blog


@pytest.fixture(scope="module")
def shelf(skiff):
    made = Shelf(skiff.gateway)
    yield made
    made.close()


@pytest.fixture(scope="module")
def reader(skiff, shelf):
    return Reader(skiff, shelf)


@pytest.fixture(autouse=True)
def a_friendly_shelf(shelf):
    shelf.text, shelf.status, shelf.behave = "[]", 200, None


def items(blog):
    page = blog.page("/reading/")
    return {e.text: e["href"] for e in page.all("a") if e.parent.name == "li" and e["rel"] == "noopener noreferrer"}


def is_left_out(blog):
    return blog.get("/reading/").status == 404 and "Reading" not in [e.text for e in blog.page("/").all("a")]


def test_a_list_is_shown_and_outlives_its_server(reader, shelf):
    """One story: the list is there, then its server does what servers do."""
    reader.ask(shelf.url)
    shelf.text = json.dumps(LIST)
    blog = reader.push()
    shown = items(blog)
    assert shown["Out of the <b>Tar</b> Pit & more"] == "https://example.com/tar?a=1&b=2"
    assert sorted(shown.values()) == ["https://example.com/long", "https://example.com/tar?a=1&b=2"]
    assert all(len(title) <= 241 for title in shown), shown
    assert blog.page("/").link("What we read").endswith("/reading/") and blog.page("/reading/").problems == []
    assert "<b>Tar" not in blog.get("/reading/").body.decode()

    def fails(expected, **how):
        for name, value in how.items():
            setattr(shelf, name, value)
        asked = shelf.asked
        blog = reader.push()
        assert shelf.asked > asked and items(blog) == shown
        lines = [line for line in blog.says.splitlines() if "Reading list:" in line]
        assert len(lines) == 1 and expected in lines[0] and "the copy of an earlier build is used" in lines[0], blog.says

    fails("XML that can't be read", text="<html><p>Please log in")
    fails("redirects without an end", status=302)
    fails("did not answer in 5 seconds", status=200, behave=shelf.slowly)
    fails("more than 512 KB", behave=shelf.without_an_end)
    shelf.behave = None

    shelf.text = "[]"
    assert is_left_out(reader.push())


def test_feeds_are_reading_lists_too(reader, shelf):
    reader.ask(shelf.url + "/feed")
    shelf.text = RSS
    assert items(reader.push()) == {"Hints & more": "https://example.com/hints"}
    shelf.text = ATOM
    assert items(reader.push()) == {"Reflections": "https://example.com/trust"}


GARBAGE = {"no text": "\0\1\2 garbage", "nested": "[" * 1000, "entities upon entities": BOMB,
           "addresses of files": '[{"title": "x", "url": "file:///etc/passwd"}]'}


def test_garbage_without_a_copy_leaves_the_list_out(reader, shelf):
    reader.ask(f"{shelf.url}/garbage")  # no earlier build had a list from there
    for kind, text in GARBAGE.items():
        shelf.text = text
        blog = reader.push()
        assert is_left_out(blog) and "the list is left out" in blog.says, kind


def test_a_server_that_is_not_there_costs_the_push_nothing(reader):
    reader.ask("http://127.0.0.1:9/list")
    blog = reader.push()
    assert is_left_out(blog) and "can't be reached" in blog.says
    reader.ask("ftp://example.com/list")
    blog = reader.push()
    assert is_left_out(blog) and "is no http or https address" in blog.says
