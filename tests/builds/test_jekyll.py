"""Jekyll sites: built with their plugins, served by nginx, kept between builds, and refused with Jekyll's own words."""
import re

from support.instance import wait_for
from support.pushes import accepted, refused

CONFIG = "title: A site\nplugins: [jekyll-feed, jekyll-sitemap]\n"
PAGE = "---\ntitle: {0}\n---\n# {0}\n"
POST = "---\ntitle: First\n---\n```ruby\nputs 1\n```\n"
PLUGIN = """Jekyll::Hooks.register :site, :post_read do |site|
  kept = File.join(ENV.fetch("SKIFF_CACHE_DIR"), "builds")
  builds = File.exist?(kept) ? File.read(kept).to_i + 1 : 1
  File.write(kept, builds)
  site.config["words"] = "#{Jekyll.env}, #{ENV['GREETING']}, build #{builds}"
end
"""
SITE = {"_config.yml": CONFIG, "index.md": "---\n---\n{{ site.words }}\n", "about.md": PAGE.format("About"),
        "404.html": "---\n---\nnothing here\n", "_posts/2026-01-02-first.md": POST, "_plugins/words.rb": PLUGIN}
GEMFILE = 'source "https://rubygems.org"\ngem "jekyll", "~> 4.3"\ngem "jekyll-feed"\ngem "jekyll-sitemap"\n'


def test_a_site_without_a_gemfile(skiff):
    app = skiff.app(SITE, ["GREETING=hello"])
    said = accepted(app.push())
    assert "-----> Jekyll app detected" in said and "JEKYLL_ENV=production jekyll build" in said, said
    assert wait_for(lambda: "production, hello, build 1" in app.get(), 60), app.get()
    for path in ("/about", "/feed.xml", "/sitemap.xml"):
        assert app.get(path).startswith("HTTP/1.1 200"), app.get(path)
    missing = app.get("/gone")
    assert missing.startswith("HTTP/1.1 404") and "nothing here" in missing, missing
    for path in ("/_config.yml", "/_plugins/words.rb"):
        assert app.get(path).startswith("HTTP/1.1 404"), path
    tag = re.search(r"ETag: (\S+)", app.get("/about"))[1]
    # What a plugin keeps is there at the next build, and what did not change stays the same for a browser.
    app.write({"other.md": PAGE.format("Other")})
    accepted(app.push())
    assert wait_for(lambda: "build 2" in app.get(), 60), app.get()
    assert f"ETag: {tag}" in app.get("/about")
    # static.json has the first word.
    app.write({"static.json": '{"clean_urls": false, "headers": {"/**": {"X-Site": "mine"}}}'})
    accepted(app.push())
    assert wait_for(lambda: app.get("/about").startswith("HTTP/1.1 404"), 60)
    assert "X-Site: mine" in app.get("/about.html")
    app.write({"static.json": '{"root": "gone"}'})
    refused(app.push(), ' !     static.json: root: "gone" is no folder of the app')


def test_a_site_with_a_gemfile_needs_no_network(skiff):
    """Debian's gems fit: a mirror that nobody answers at is never asked."""
    app = skiff.app({**SITE, "Gemfile": GEMFILE}, ["BUNDLE_MIRROR__ALL=http://127.0.0.1:9"])
    said = accepted(app.push())
    assert "There is no Gemfile.lock" in said and "bundle exec jekyll build" in said and "Nothing to fetch" in said, said
    assert wait_for(lambda: "build 1" in app.get(), 60), app.get()
    app.write({"index.md": "---\n---\nsecond\n"})
    assert "The gems of Gemfile.lock are those of the last build" in accepted(app.push())


def test_jekyll_serve_is_replaced_and_told(skiff):
    app = skiff.app({**SITE, "Procfile": "web: bundle exec jekyll serve --port $PORT --host 0.0.0.0\r\n"})
    said = accepted(app.push())
    assert "jekyll serve is for writing, not for visitors" in said, said
    assert wait_for(lambda: "build 1" in app.get(), 60), app.get()


def test_a_failing_build_ends_with_jekylls_message(skiff):
    app = skiff.app({**SITE, "bad.md": "---\n---\n{% include gone.html %}\n"})
    said = refused(app.push(), "Could not locate the included file 'gone.html'")
    assert "Jekyll: " in said and "\tfrom " not in said and "--trace" not in said and ".rb:" not in said, said
    app.write({"bad.md": "x", "_plugins/bad.rb": "raise 'boom of the plugin'\n"})
    said = refused(app.push(), "_plugins/bad.rb, line 1: boom of the plugin (RuntimeError)")
    assert " from /" not in said, said
    skiff.skiff("config:set", "DEBUG=1", "-a", app.name)
    assert " from /" in app.push().said


def test_bad_sites_are_refused(skiff):
    app = skiff.app({**SITE, "_config.yml": "title: [\n"})
    refused(app.push(), " !     _config.yml, line 2 is not YAML")
    app.write({"_config.yml": "destination: ../out\n"})
    refused(app.push(), "_config.yml: destination: '../out' is no folder below the app")
    app.write({"_config.yml": "plugins: [jekyll-nobody-has]\n"})
    refused(app.push(), "The site needs jekyll-nobody-has, which is not among Debian's plugins", "Name it in a Gemfile")
