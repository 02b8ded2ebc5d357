"""What a page of a web site says, without running it: its elements, links, headings and texts."""
import html.parser
import urllib.parse

VOID = frozenset("area base br col embed hr img input link meta source track wbr".split())


class Element:
    def __init__(self, name, attributes, parent):
        self.name, self.attributes, self.parent, self.words = name, attributes, parent, []

    def __getitem__(self, attribute):
        return self.attributes.get(attribute)

    @property
    def text(self):
        return " ".join("".join(self.words).split())


class WebPage(html.parser.HTMLParser):
    """A parsed page; .problems has tags that are not closed in order."""

    def __init__(self, address, text):
        super().__init__()
        self.address, self.elements, self.problems, self._open = address, [], [], []
        self.feed(text)
        self.close()
        self.problems += [f"<{element.name}> is not closed" for element in self._open]

    def handle_starttag(self, name, attributes):
        names = [key for key, _ in attributes]
        if len(set(names)) != len(names):
            self.problems.append(f"<{name}> has an attribute twice")
        element = Element(name, dict(attributes), self._open[-1] if self._open else None)
        self.elements.append(element)
        if name not in VOID:
            self._open.append(element)

    def handle_startendtag(self, name, attributes):
        self.handle_starttag(name, attributes)
        if name not in VOID:
            self._open.pop()

    def handle_endtag(self, name):
        if not self._open or self._open[-1].name != name:
            self.problems.append(f"</{name}> closes {self._open[-1].name if self._open else 'nothing'}")
            return
        self._open.pop()

    def handle_data(self, data):
        for element in self._open:
            element.words.append(data)

    def all(self, *names):
        return [element for element in self.elements if element.name in names]

    def one(self, name):
        found = self.all(name)
        assert len(found) == 1, f"{self.address}: {len(found)} <{name}>"
        return found[0]

    def meta(self, name):
        found = [e["content"] for e in self.all("meta") if name in (e["name"], e["property"])]
        return found[0] if found else None

    def linked(self, rel):
        return [e for e in self.all("link") if rel in (e["rel"] or "").split()]

    @property
    def ids(self):
        return [e["id"] for e in self.elements if e["id"]]

    @property
    def targets(self):
        """Whole addresses of all that the page links to or shows."""
        found = [e["href"] for e in self.all("a", "link") if e["href"]] + [e["src"] for e in self.elements if e["src"]]
        return [urllib.parse.urljoin(self.address, target) for target in found]

    def link(self, text):
        """Where the link with this text leads."""
        found = [e["href"] for e in self.all("a") if e.text == text]
        assert found, f"{self.address}: no link says {text!r}"
        return urllib.parse.urljoin(self.address, found[0])
