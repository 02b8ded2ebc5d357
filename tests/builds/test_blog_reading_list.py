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


# Asks for many lists in one build, by the blog's own means, and leaves what it got as /asked.json.
MANY = """module Blog
  class Asked < Jekyll::Generator
    def generate(site)
      got = ENV.fetch("LISTS").split.to_h do |address|
        kept = site.in_source_dir(".jekyll-cache/#{address[/[a-z]+\\z/]}.json")
        [address[/[a-z]+\\z/], ReadingList::Copy.new(kept, address).newest.to_h { |entry| entry.values_at("title", "url") }]
      end
      page = Jekyll::PageWithoutAFile.new(site, site.source, "", "asked.json")
      page.content = JSON.generate(got)
      site.pages << page
    end
  end
end
"""


class Shelf:
    """A server on this machine, as pods see it: what it answers at a path is what a test puts into .lists, a text or a function
    of the request."""

    def __init__(self, address):
        self.lists, self.asked, self.closed = {}, [], threading.Event()
        shelf = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                shelf.asked.append(self.path)
                with contextlib.suppress(OSError):
                    shelf.answer(self, shelf.lists[self.path[1:]])

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer((address, 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://{address}:{self.server.server_port}/"

    @staticmethod
    def answer(request, text):
        if callable(text):
            text(request)
            return
        request.send_response(200)
        request.send_header("Content-Length", str(len(text.encode())))
        request.end_headers()
        request.wfile.write(text.encode())

    def redirects(self, request):
        request.send_response(302)
        request.send_header("Location", request.path)
        request.send_header("Content-Length", "0")
        request.end_headers()

    def slowly(self, request):
        request.send_response(200)
        request.end_headers()
        for _ in range(PATIENCE_SECONDS):
            request.wfile.write(b" ")
            request.wfile.flush()
            if self.closed.wait(1):
                return

    def without_an_end(self, request):
        request.send_response(200)
        request.end_headers()
        while not self.closed.is_set():
            request.wfile.write(b"[" + b" " * 65536)

    def close(self):
        self.closed.set()
        self.server.shutdown()
        self.server.server_close()


class Reader:
    """A blog whose builds ask a shelf."""

    def __init__(self, skiff, config):
        self.app, self.address = copy_of_the_blog(skiff)
        skiff.skiff("config:set", config, "-a", self.app.name)
        self.pushes = 0

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


def items(blog):
    page = blog.page("/reading/")
    return {e.text: e["href"] for e in page.all("a") if e.parent.name == "li" and e["rel"] == "noopener noreferrer"}


def told(blog):
    """What the build said of lists, in order."""
    return [line.split("Reading list:")[1].strip() for line in blog.says.splitlines() if "Reading list:" in line]


def test_a_list_is_shown_and_outlives_its_server(skiff, shelf):
    reader = Reader(skiff, f"READING_LIST_URL={shelf.url}story")
    shelf.lists["story"] = json.dumps(LIST)
    blog = reader.push()
    shown = items(blog)
    assert shown["Out of the <b>Tar</b> Pit & more"] == "https://example.com/tar?a=1&b=2"
    assert sorted(shown.values()) == ["https://example.com/long", "https://example.com/tar?a=1&b=2"]
    assert all(len(title) <= 241 for title in shown), shown
    assert blog.page("/").link("What we read").endswith("/reading/") and blog.page("/reading/").problems == []
    assert "<b>Tar" not in blog.get("/reading/").body.decode()

    shelf.lists["story"] = "<html><p>Please log in"
    asked = shelf.asked.count("/story")
    blog = reader.push()
    assert items(blog) == shown and shelf.asked.count("/story") > asked
    assert told(blog) == ["READING_LIST_URL has XML that can't be read; the copy of an earlier build is used"]

    shelf.lists["story"] = "[]"
    blog = reader.push()
    assert blog.get("/reading/").status == 404 and "Reading" not in [e.text for e in blog.page("/").all("a")]
    assert told(blog) == []


GARBAGE = {"binary": "\0\1\2 garbage", "nested": "[" * 1000, "entities": BOMB, "files": '[{"title": "x", "url": "file:///etc/passwd"}]'}
OTHERS = {"rss": RSS, "atom": ATOM}
GOOD = json.dumps([{"title": "Kept", "url": "https://example.com/kept"}])


def test_nothing_that_servers_do_spoils_a_push(skiff, shelf):
    """Two builds ask many servers: a good day, and a bad one for some, whose lists of the day before are used."""
    bad_day = {"redirects": shelf.redirects, "slow": shelf.slowly, "endless": shelf.without_an_end, "broken": "<rss>"}
    names = [*OTHERS, *bad_day, *GARBAGE]
    addresses = [shelf.url + name for name in names] + ["http://127.0.0.1:9/absent", "ftp://example.com/ftp"]
    reader = Reader(skiff, "LISTS=" + " ".join(addresses))
    reader.app.write({"_plugins/asked.rb": MANY})
    expected = {"rss": {"Hints & more": "https://example.com/hints"}, "atom": {"Reflections": "https://example.com/trust"},
                **dict.fromkeys(bad_day, {"Kept": "https://example.com/kept"}), **dict.fromkeys([*GARBAGE, "absent", "ftp"], {})}

    def push(left_out, **lists):
        shelf.lists.update(OTHERS | GARBAGE | lists)
        blog = reader.push()
        assert json.loads(blog.get("/asked.json").body) == expected
        said = told(blog)
        assert [line.split("; ")[1] for line in said[-left_out:]] == ["the list is left out"] * left_out, said
        assert "can't be reached" in said[-2] and "is no http or https address" in said[-1], said
        return said[:-left_out]

    left_out = len(GARBAGE) + 2
    assert push(left_out, **dict.fromkeys(bad_day, GOOD)) == []
    said = push(left_out, **bad_day)
    for line, words in zip(said, ("redirects without an end", "did not answer in 5 seconds", "more than 512 KB", "XML that can't be read"),
                           strict=True):
        assert words in line and line.endswith("; the copy of an earlier build is used"), said
