"""The rules of an Atom feed (RFC 4287) that a feed validator checks."""
import datetime
import re
import urllib.parse
import xml.etree.ElementTree as xml

ATOM = "{http://www.w3.org/2005/Atom}"
BASE = "{http://www.w3.org/XML/1998/namespace}base"
TEXT_TYPES = ("text", "html", "xhtml")
# RFC 3339 with a zone, as RFC 4287 3.3 asks.
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
# What readers remove, or what makes a feed dangerous.
UNSAFE = re.compile(r"<\s*(script|object|embed|iframe|style|form|meta)\b|\son\w+\s*=", re.IGNORECASE)
ONCE = ("id", "title", "updated")
AT_MOST_ONCE = ("published", "content", "summary", "subtitle", "generator", "icon", "logo", "rights")


def is_address(text):
    parts = urllib.parse.urlsplit(text or "")
    return parts.scheme in ("http", "https", "urn", "tag") and bool(parts.netloc or parts.scheme in ("urn", "tag"))


def time_problem(text):
    if not TIME.fullmatch(text or ""):
        return f"{text!r} is no time of RFC 3339"
    try:
        datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return f"{text!r} is no time"
    return None


def check_counts(where, element):
    for name in ONCE:
        count = len(element.findall(ATOM + name))
        if count != 1:
            yield f"{where}: {count} <{name}>, not one"
    for name in AT_MOST_ONCE:
        if len(element.findall(ATOM + name)) > 1:
            yield f"{where}: more than one <{name}>"


def check_common(where, element):
    """What feeds and entries have in common."""
    yield from check_counts(where, element)
    if not is_address(element.findtext(ATOM + "id")):
        yield f"{where}: the id {element.findtext(ATOM + 'id')!r} is no whole address"
    for name in ("updated", "published"):
        for found in element.findall(ATOM + name):
            problem = time_problem(found.text)
            if problem:
                yield f"{where}: {name}: {problem}"
    for name in ("title", "summary", "subtitle"):
        for found in element.findall(ATOM + name):
            if found.get("type", "text") not in TEXT_TYPES:
                yield f"{where}: {name} has the type {found.get('type')!r}"
            if not (found.text or "").strip():
                yield f"{where}: {name} is empty"
    for link in element.findall(ATOM + "link"):
        if not is_address(urllib.parse.urljoin(element.get(BASE, ""), link.get("href", ""))):
            yield f"{where}: a link leads to {link.get('href')!r}"
    for author in element.findall(ATOM + "author"):
        if not (author.findtext(ATOM + "name") or "").strip():
            yield f"{where}: an author without a name"
    for category in element.findall(ATOM + "category"):
        if not category.get("term"):
            yield f"{where}: a category without a term"


def check_entry(where, entry, feed_has_author):
    yield from check_common(where, entry)
    if not feed_has_author and entry.find(ATOM + "author") is None:
        yield f"{where}: no author, here or of the feed"
    alternates = [e for e in entry.findall(ATOM + "link") if e.get("rel", "alternate") == "alternate"]
    content = entry.find(ATOM + "content")
    if content is None and not alternates:
        yield f"{where}: neither content nor a link"
    if len({(e.get("type"), e.get("hreflang")) for e in alternates}) != len(alternates):
        yield f"{where}: two links of one kind"
    if content is not None and content.get("type", "text") == "html":
        found = UNSAFE.search(content.text or "")
        if found:
            yield f"{where}: the content has {found.group(0)!r}"
        if not is_address(content.get(BASE)) and re.search(r'(href|src)="(?!https?:|#)', content.text or ""):
            yield f"{where}: the content has relative links without a base"


def feed_problems(text, address):
    """What a validator would say of the feed that `address` answers with; nothing of a good one."""
    try:
        feed = xml.fromstring(text)
    except xml.ParseError as error:
        return [f"{address}: {error}"]
    if feed.tag != ATOM + "feed":
        return [f"{address}: the root is {feed.tag}"]
    problems = list(check_common(address, feed))
    own = [e.get("href") for e in feed.findall(ATOM + "link") if e.get("rel") == "self"]
    if own != [address]:
        problems.append(f"{address}: says that it is at {own}")
    entries = feed.findall(ATOM + "entry")
    ids = [entry.findtext(ATOM + "id") for entry in entries]
    if len(set(ids)) != len(ids):
        problems.append(f"{address}: two entries have one id")
    for number, entry in enumerate(entries, 1):
        problems += check_entry(f"{address}, entry {number}", entry, feed.find(ATOM + "author") is not None)
    return problems
