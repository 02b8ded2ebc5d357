"""examples/blog as a visitor meets it: its answers, its pages, and a copy of it to push."""
import http.client
import shutil
import urllib.parse

from support.instance import ROOT
from support.web_page import WebPage

SOURCE = ROOT / "examples" / "blog"
MAX_REDIRECTS = 3


class Answer:
    def __init__(self, address, status, headers, body):
        self.address, self.status, self.headers, self.body = address, status, headers, body
        self.is_page = headers.get_content_type() == "text/html"
        self.page = WebPage(address, body.decode()) if self.is_page else None


class Blog:
    """A blog at an address of this machine."""

    def __init__(self, address, says=""):
        self.address, self.says = address, says
        self._answers = {}

    def url(self, path):
        return urllib.parse.urljoin(self.address, path)

    def fetch(self, path):
        """An answer, asked for anew. Names below localhost are this machine, which not every resolver knows."""
        for _ in range(MAX_REDIRECTS):
            url = urllib.parse.urlsplit(self.url(path))
            connection = http.client.HTTPConnection("127.0.0.1", url.port, timeout=20)
            connection.request("GET", url.path, headers={"Host": url.netloc})
            got = connection.getresponse()
            body = got.read()
            connection.close()
            if got.status not in (301, 302, 307, 308):
                break
            path = urllib.parse.urljoin(url.geturl(), got.headers["Location"])
        return Answer(url.geturl(), got.status, got.headers, body)

    def get(self, path):
        address = urllib.parse.urldefrag(self.url(path)).url
        if address not in self._answers:
            self._answers[address] = self.fetch(address)
        return self._answers[address]

    def page(self, path):
        got = self.get(path)
        assert got.status == 200 and got.is_page, (path, got.status)
        return got.page

    def is_own(self, address):
        return urllib.parse.urlsplit(address).netloc == urllib.parse.urlsplit(self.address).netloc

    def pages(self):
        """Every page that can be reached from the first one."""
        found, waiting = {}, [self.address]
        while waiting:
            address = waiting.pop()
            got = self.get(address)
            if address in found or not got.is_page:
                continue
            found[address] = got.page
            waiting += [urllib.parse.urldefrag(t).url for t in got.page.targets if self.is_own(t)]
        return found


def copy_of_the_blog(skiff):
    app = skiff.app({})
    shutil.copytree(SOURCE, app.folder, dirs_exist_ok=True,
                    ignore=shutil.ignore_patterns("_site", ".jekyll-cache", "vendor", ".bundle"))
    address = f"http://{app.host}:{skiff.http}/"
    skiff.skiff("config:set", f"SITE_URL={address}", "-a", app.name)
    return app, address
