"""examples/blog, pushed as it lies there: what visitors, feed readers, search engines and a browser find."""
import io
import itertools
import json
import urllib.parse
import xml.etree.ElementTree as xml

import pytest

from support.blog import SOURCE, Blog, copy_of_the_blog
from support.browser import chromium, missing_browser
from support.feed_rules import feed_problems
from support.instance import wait_for
from support.png import read_png

MAX_PAGE_BYTES = 60_000
POSTS = sorted(path.name[len("2026-11-23-"):-len(".md")] for path in (SOURCE / "_posts").iterdir())
SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


@pytest.fixture(scope="module")
def blog(skiff):
    app, address = copy_of_the_blog(skiff)
    pushed = app.push()
    assert pushed.ok, pushed.said
    made = Blog(address, pushed.said)
    assert wait_for(lambda: made.fetch("/").status == 200), pushed.said
    return made


@pytest.fixture(scope="module")
def browser():
    why = missing_browser()
    if why:
        pytest.skip(why)
    with chromium() as found:
        yield found


def test_a_push_makes_pages_that_are_served_with_care(blog):
    got = blog.get("/")
    assert got.page.one("h1").text == "Notes from building a small platform"
    assert "default-src 'none'" in got.headers["Content-Security-Policy"]
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert blog.fetch("/archives").page.one("h1").text == "Archives"


def test_every_link_of_every_page_leads_somewhere(blog):
    pages = blog.pages()
    assert len(pages) > len(POSTS) + 10
    for address, page in pages.items():
        for target in filter(blog.is_own, page.targets):
            got = blog.get(target)
            assert got.status == 200, f"{address} leads to {target}, which answers {got.status}"
            fragment = urllib.parse.urlsplit(target).fragment
            assert not fragment or fragment in got.page.ids, f"{address} leads to {target}"


def test_pages_are_well_made(blog):
    for address, page in blog.pages().items():
        assert page.problems == [], address
        assert page.one("html")["lang"] == "en" and page.one("title").text and page.one("main")
        assert "width=device-width" in page.meta("viewport") and "maximum-scale" not in page.meta("viewport")
        assert len(set(page.ids)) == len(page.ids), address
        levels = [int(e.name[1]) for e in page.all("h1", "h2", "h3", "h4", "h5", "h6")]
        assert levels[0] == 1 and levels.count(1) == 1, address
        assert all(after <= before + 1 for before, after in itertools.pairwise(levels)), (address, levels)
        assert all(e["alt"] is not None for e in page.all("img")), address
        assert page.all("a")[0]["href"] == "#content" and page.one("main")["id"] == "content"


def test_pages_need_no_script_and_nothing_from_elsewhere(blog):
    for address, page in blog.pages().items():
        assert all(e["type"] == "application/ld+json" for e in page.all("script")), address
        assert not [e for e in page.elements for name in e.attributes if name.startswith("on")], address
        loaded = [e["href"] for e in page.linked("icon") + page.linked("stylesheet")] + [e["src"] for e in page.elements if e["src"]]
        assert all(blog.is_own(blog.url(one)) for one in loaded), address
        style = page.one("style").text
        assert "@import" not in style and "url(" not in style, address


def test_pages_invite_to_the_archives_and_the_feeds(blog):
    for page in blog.pages().values():
        sentences = [e.text for e in page.all("p")]
        assert "Browse the archives for engineering or all blogs." in sentences
        assert "Subscribe to the RSS feed for engineering or all blogs." in sentences
    first = blog.page("/")
    leads = {(e.parent.text.split()[0], e.text): e["href"] for e in first.all("a") if e.parent.name == "p"}
    assert leads["Browse", "engineering"] == "/engineering/" and leads["Browse", "all blogs"] == "/archives/"
    assert leads["Subscribe", "engineering"] == "/feed/engineering.xml" and leads["Subscribe", "all blogs"] == "/feed.xml"


def test_there_are_five_posts_and_more_with_highlighted_code(blog):
    assert len(POSTS) >= 5
    for name in POSTS:
        page = blog.page(f"/2026/{name}/")
        words = len(page.one("article").text.split())
        assert 400 <= words <= 1100, (name, words)
        code = [e for e in page.all("pre") if "highlight" in (e["class"] or "")]
        assert code and all(e["tabindex"] == "0" for e in code), name
        assert [e for e in page.all("span") if e["class"] and e.parent.name == "code"], name


def posts_listed(page):
    return [e["href"].strip("/").split("/")[1] for e in page.all("a")
            if e["href"].startswith("/2026/") and e["href"] != "/2026/" and e.parent.name in ("h2", "li")]


def test_pages_of_the_index_show_each_post_once_with_a_teaser(blog):
    seen, page = [], blog.page("/")
    while True:
        teasers = page.all("article")
        assert 0 < len(teasers) <= 4 and all(len(e.text.split()) > 30 for e in teasers)
        seen += posts_listed(page)
        following = [e for e in page.all("a") if e["rel"] == "next"]
        if not following:
            break
        page = blog.page(following[0]["href"])
    assert sorted(seen) == POSTS


def test_archives_list_posts_by_year_tag_and_category(blog):
    assert sorted(posts_listed(blog.page("/archives/"))) == POSTS
    assert sorted(posts_listed(blog.page("/2026/"))) == POSTS
    by_category = posts_listed(blog.page("/engineering/")) + posts_listed(blog.page("/news/"))
    assert sorted(by_category) == POSTS
    tags = [e["href"] for e in blog.page("/archives/").all("a") if e["href"].startswith("/tags/")]
    assert len(tags) >= 5
    for tag in tags:
        listed = posts_listed(blog.page(tag))
        assert listed and all(tag in [e["href"] for e in blog.page(f"/2026/{name}/").all("a")] for name in listed), tag


def test_feeds_are_valid_and_a_feed_reader_reads_them(blog):
    feedparser = pytest.importorskip("feedparser")
    offered = [e["href"] for e in blog.page("/").linked("alternate")]
    assert offered == ["/feed.xml", "/feed/engineering.xml", "/feed/news.xml"]
    names = {}
    for path in offered:
        got = blog.get(path)
        assert got.headers.get_content_type() in ("application/xml", "text/xml", "application/atom+xml")
        assert feed_problems(got.body, blog.url(path)) == []
        read = feedparser.parse(io.BytesIO(got.body))
        assert not read.bozo and read.version == "atom10" and read.feed.title.startswith("The Skiff log")
        names[path] = sorted(entry.link.rstrip("/").rsplit("/", 1)[1] for entry in read.entries)
        for entry in read.entries:
            assert blog.get(entry.link).status == 200 and entry.title and entry.published_parsed
            assert len(entry.content[0].value) > 1000 and entry.author and entry.tags
            assert blog.get(entry.media_content[0]["url"]).status == 200
    assert names["/feed.xml"] == POSTS == sorted(names["/feed/engineering.xml"] + names["/feed/news.xml"])
    assert len(names["/feed/news.xml"]) >= 1


def test_a_broken_feed_is_found_out(blog):
    """The rules can say no."""
    good, address = blog.get("/feed.xml").body.decode(), blog.url("/feed.xml")
    for broken in (good.replace("</feed>", ""), good.replace("<updated>20", "<updated>Monday 20"), good.replace("<id>http", "<id>"),
                   good.replace('rel="self"', 'rel="other"'), good.replace("<name>The Skiff project</name>", "<name></name>"),
                   good.replace("</id>", "</id><id>urn:twice</id>", 1), good.replace("<![CDATA[<p>", "<![CDATA[<script>x</script><p>")):
        assert broken != good and feed_problems(broken, address)


def test_search_engines_find_all_pages(blog):
    assert f"Sitemap: {blog.url('/sitemap.xml')}" in blog.get("/robots.txt").body.decode().splitlines()
    listed = [e.text for e in xml.fromstring(blog.get("/sitemap.xml").body).iter(SITEMAP + "loc")]
    assert sorted(listed) == sorted(set(listed)) and set(listed) == set(blog.pages())
    titles = {}
    for address, page in blog.pages().items():
        assert [e["href"] for e in page.linked("canonical")] == [address]
        assert page.meta("og:url") == address and len(page.meta("description")) > 20
        titles.setdefault(page.one("title").text, []).append(address)
        (data,) = page.all("script")
        data = json.loads("".join(data.words))
        assert data["@context"] == "https://schema.org" and data["author"]["@type"] == "Organization"
        assert page.meta("og:locale") == "en_GB"
    assert all(len(addresses) == 1 for addresses in titles.values()), titles


def test_each_post_has_a_picture_of_its_own(blog):
    pictures = {}
    for name in POSTS:
        page = blog.page(f"/2026/{name}/")
        assert page.meta("og:title") == page.one("h1").text and page.meta("og:image:alt")
        assert page.meta("twitter:card") == "summary_large_image"
        got = blog.get(page.meta("og:image"))
        assert got.headers.get_content_type() == "image/png" and got.status == 200
        width, height, drawn = read_png(got.body)
        assert (width, height) == (1200, 630) == (int(page.meta("og:image:width")), int(page.meta("og:image:height")))
        assert 0.04 < drawn < 0.5, (name, drawn)
        pictures[got.body] = name
    assert len(pictures) == len(POSTS)


def test_what_is_not_there_is_a_page_that_helps(blog):
    got = blog.fetch("/no/such/page")
    assert got.status == 404 and got.page.one("h1").text == "Nothing at this address"
    assert got.page.link("archives") == blog.url("/archives/")
    assert blog.fetch("/_config.yml").status == blog.fetch("/Gemfile").status == 404


BROWSED = ("/", "/page/2/", "/archives/", "/2026/", "/engineering/", "/about/", "/tags/testing/", "/no/such/page")


def browsed():
    return [*BROWSED, *(f"/2026/{name}/" for name in POSTS)]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(blog, browser, scheme):
    browser.colours(scheme)
    for width in (390, 1280):
        browser.size(width)
        for path in ("/", "/archives/", "/about/", "/no/such/page", *(f"/2026/{name}/" for name in POSTS)):
            browser.open(blog.url(path))
            assert browser.axe() == [], (path, scheme, width)


def test_a_page_that_is_not_accessible_is_found_out(browser):
    browser.open("data:text/html,<title>x</title><main><h1>x</h1><img src=x><p style='color:%23ccc'>faint</p></main>")
    found = " ".join(browser.axe())
    assert "image-alt" in found and "color-contrast" in found and "html-has-lang" in found


def test_a_telephone_shows_pages_without_scrolling_sideways(blog, browser):
    for width in (320, 390):
        browser.size(width, 800)
        for path in browsed():
            browser.open(blog.url(path))
            wide = browser.run("return [document.documentElement.scrollWidth, document.documentElement.clientWidth]")
            assert wide[0] <= wide[1] == width, (path, wide)
            assert browser.run("return parseFloat(getComputedStyle(document.body).fontSize)") >= 16


def brightness(browser, what):
    colour = browser.run(f"return getComputedStyle(document.body).{what}")
    red, green, blue = (float(part) for part in colour[colour.index("(") + 1:-1].split(",")[:3])
    return (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255


def test_dark_systems_get_dark_pages(blog, browser):
    browser.size(1280)
    shots = {}
    for scheme in ("light", "dark"):
        browser.colours(scheme)
        browser.open(blog.url("/"))
        paper, ink = brightness(browser, "backgroundColor"), brightness(browser, "color")
        assert (paper > 0.9 and ink < 0.2) if scheme == "light" else (paper < 0.15 and ink > 0.7), (scheme, paper, ink)
        shots[scheme] = browser.screenshot()
        width, height, drawn = read_png(shots[scheme])
        assert (width, height) == (1280, 900) and 0.03 < drawn < 0.6 and len(shots[scheme]) > 20_000
    assert shots["light"] != shots["dark"]


def test_a_visit_is_small_and_asks_nobody_else(blog, browser):
    for path in browsed():
        browser.open(blog.url(path))
        fetched = {address: length for address, length in browser.fetched().items() if not address.startswith("data:")}
        assert fetched and all(blog.is_own(address) for address in fetched), fetched
        assert sum(fetched.values()) < MAX_PAGE_BYTES, fetched
        assert sum(len(blog.fetch(address).body) for address in fetched) < MAX_PAGE_BYTES, fetched


def test_a_keyboard_reaches_the_content_first(blog, browser):
    browser.size(1280)
    browser.open(blog.url("/"))
    browser.press("\ue004")  # Tab
    focused = "const e = document.activeElement, b = e.getBoundingClientRect(); return [e.textContent, b.left >= 0 && b.top >= 0]"
    assert browser.run(focused) == ["Skip to the content", True]
    browser.press("\ue007")  # Enter
    assert browser.run("return document.activeElement.id") == "content"
    browser.press("\ue004")
    outline = "const s = getComputedStyle(document.activeElement); return [s.outlineStyle, parseFloat(s.outlineWidth)]"
    assert browser.run(outline) == ["solid", 3]
