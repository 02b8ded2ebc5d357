"""Jekyll sites: built with their plugins, served by nginx, kept between builds, and refused with Jekyll's own words."""
import re
import subprocess

import pytest

from support.instance import ROOT, wait_for
from support.pushes import accepted, refused

PARTS = ROOT / "buildpacks" / "ruby" / "lib"

CONFIG = "title: A site\nplugins: [jekyll-feed, jekyll-sitemap]\n"
PAGE = "---\ntitle: {0}\n---\n# {0}\n"
POST = "---\ntitle: First\n---\n```ruby\nputs 1\n```\n"
PLUGIN = """Jekyll::Hooks.register :site, :post_read do |site|
  kept = File.join(ENV.fetch("SKIFF_CACHE_DIR"), "builds")
  builds = File.exist?(kept) ? File.read(kept).to_i + 1 : 1
  File.write(kept, builds)
  warn "said by warn"
  site.config["words"] = "#{Jekyll.env}, #{ENV['GREETING']}, build #{builds}"
end
"""
SITE = {"_config.yml": CONFIG, "index.md": "---\n---\n{{ site.words }}\n", "about.md": PAGE.format("About"),
        "404.html": "---\n---\nnothing here\n", "_posts/2026-01-02-first.md": POST, "_plugins/words.rb": PLUGIN}
GEMFILE = 'source "https://rubygems.org"\ngem "jekyll", "~> 4.3"\ngem "jekyll-feed"\ngem "jekyll-sitemap"\n'


def test_a_site_without_a_gemfile(skiff):
    app = skiff.app(SITE, ["GREETING=hello"])
    said = accepted(app.push())
    assert "-----> Jekyll app detected" in said and "JEKYLL_ENV=production jekyll build" in said and "said by warn" in said, said
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
    assert "X-Site: mine" in app.get("/about.html") and app.get("/static.json").startswith("HTTP/1.1 404")
    app.write({"static.json": '{"root": "gone"}'})
    refused(app.push(), ' !     static.json: root: "gone" is no folder of the app')


def test_a_site_with_a_gemfile_needs_no_network(skiff):
    """Debian's gems fit: a mirror that nobody answers at is never asked."""
    app = skiff.app({**SITE, "Gemfile": GEMFILE}, ["BUNDLE_MIRROR__ALL=http://127.0.0.1:9"])
    said = accepted(app.push())
    assert "There is no Gemfile.lock" in said and "bundle exec jekyll build" in said and "Nothing to fetch" in said, said
    assert wait_for(lambda: "build 1" in app.get(), 60), app.get()
    app.write({"index.md": "---\n---\nsecond\n"})
    said = accepted(app.push())
    assert "taking the versions of the last push" in said and "The gems of Gemfile.lock are those of the last build" in said, said


RACK = """require "http_parser.rb"
require "jekyll"
run lambda { |env|
  file = ["", ".html", "/index.html"].map { |ending| File.join("_site", env["PATH_INFO"].chomp("/") + ending) }.find { |path| File.file?(path) }
  [file ? 200 : 404, { "Content-Type" => "text/html" }, [File.read(file || "_site/404.html"), SassC::Engine.new("a { b: 1 + 2 }").render]]
}
"""


def test_a_site_that_puma_serves(skiff):
    """Without a network: Debian's gems come along, with the libraries that those with C code load."""
    lock = (ROOT / "examples" / "blog" / "Gemfile.lock").read_text()
    lock = lock.replace("\n    rb-inotify (", "\n    nio4r (2.5.8)\n    puma (5.6.5)\n      nio4r (~> 2.0)\n    rake (13.0.6)\n    rb-inotify (")
    lock = re.sub(r"DEPENDENCIES\n(  .*\n)*", "DEPENDENCIES\n  jekyll\n  jekyll-feed\n  jekyll-sitemap\n  puma\n  rake\n", lock)
    gemfile = 'source "https://rubygems.org"\ngem "jekyll"\ngem "puma"\ngem "rake"\ngem "jekyll-feed"\ngem "jekyll-sitemap"\n'
    app = skiff.app({**SITE, "Gemfile": gemfile, "Gemfile.lock": lock, "config.ru": RACK, "Procfile": "web: bundle exec puma -p $PORT\n",
                     "Rakefile": "task('assets:precompile') { sh 'jekyll build --baseurl /by-rake' }\n", "base.txt": "---\n---\n{{ site.baseurl }}\n"},
                    ["BUNDLE_MIRROR__ALL=http://127.0.0.1:9"])
    said = accepted(app.push())
    assert said.count("Running: ") == 1 and "assets:precompile" in said and "Configuring nginx" not in said, said
    assert wait_for(lambda: "production, , build 1" in app.get(), 60), app.get()
    assert "b: 3" in app.get("/about") and "/by-rake" in app.get("/base.txt")
    missing = app.get("/gone")
    assert missing.startswith("HTTP/1.1 404") and "nothing here" in missing, missing


def test_jekyll_serve_is_replaced_and_told(skiff):
    """This one keeps nothing between builds, as with Jekyll 3, and its links lead below a baseurl."""
    app = skiff.app({**SITE, "_config.yml": CONFIG + "disable_disk_cache: true\nbaseurl: /my/site\n", "Procfile": "web: bundle exec jekyll serve --port $PORT --host 0.0.0.0\r\n"})
    said = accepted(app.push())
    assert "jekyll serve is for writing, not for visitors" in said, said
    # As `jekyll serve` does, with a baseurl.
    assert wait_for(lambda: "build 1" in app.get("/my/site/"), 60), app.get("/my/site/")
    assert "Location: /my/site/" in app.get() and app.get("/my/site/about").startswith("HTTP/1.1 200")
    missing = app.get("/my/site/gone")
    assert missing.startswith("HTTP/1.1 404") and "nothing here" in missing, missing


def test_a_failing_build_ends_with_jekylls_message(skiff):
    app = skiff.app({**SITE, "bad.md": "---\n---\n{% include gone.html %}\n"})
    said = refused(app.push(), "Could not locate the included file 'gone.html'")
    assert re.search(r"Jekyll: .* in bad\.md$", said, re.MULTILINE) and "\tfrom " not in said and "--trace" not in said and ".rb:" not in said, said
    app.write({"bad.md": "x", "_plugins/bad.rb": "raise 'boom of the plugin'\n"})
    said = refused(app.push(), "_plugins/bad.rb, line 1: boom of the plugin (RuntimeError)")
    assert "\tfrom /" not in said, said
    skiff.skiff("config:set", "DEBUG=1", "-a", app.name)
    assert "\tfrom /" in app.push().said


def test_bad_sites_are_refused(skiff):
    app = skiff.app({**SITE, "_config.yml": "title: [\n"})
    refused(app.push(), " !     _config.yml, line 2 is not YAML")
    app.write({"_config.yml": "destination: ../out\n"})
    refused(app.push(), "_config.yml: destination: '../out' is no folder below the app")
    app.write({"_config.yml": "plugins: [jekyll-nobody-has]\n"})
    refused(app.push(), "The site needs jekyll-nobody-has, which is not among Debian's plugins", "Name it in a Gemfile")


@pytest.mark.parametrize("config, kept", [
    ("title: x\nbaseurl: https://example.com/a\n", ["_site", ".jekyll-cache", "", "resources"]),
    ("source: docs\ncache_dir: .cache\nbaseurl: /a/b.c/\n", ["_site", "docs/.cache", "a/b.c", "resources", "docs/resources"]),
    ("source: ./\ndestination: out\nkeep_files: [img, ../x]\nbaseurl: /../a\n", ["out", ".jekyll-cache", "", "resources", "out/img"]),
])
def test_what_a_build_reads_of_a_sites_configuration(tmp_path, config, kept):
    (tmp_path / "_config.yml").write_text(config)
    done = subprocess.run(["python3", PARTS / "site_config.py", tmp_path / "_config.yml"], env={"PYTHONPATH": str(ROOT / "buildpacks" / "lib")},
                          capture_output=True, text=True, timeout=30)
    assert done.stdout.splitlines() == ["ok", *kept], done


SCSS = """             Conversion error: Jekyll::Converters::Scss encountered an error while converting 's.scss':
                               Error: Undefined variable: "$c". on line 2:12 of s.scss
s.scss:2: Error: Undefined variable: "$c". (SassC::SyntaxError)
"""
DATE = """                    Error: could not read file /app/a.md: Invalid date '2026-13-45'
                    ERROR: YOUR SITE COULD NOT BE BUILT:
/usr/lib/x.rb:1:in `time': argument out of range (ArgumentError)
"""
FETCH = """/usr/lib/ruby/3.1.0/net/http.rb:987:in `initialize': Failed to open TCP connection (Errno::ECONNREFUSED)
\tfrom /usr/lib/ruby/3.1.0/net/http.rb:987:in `open'
\tfrom /app/vendor/bundle/x.rb:1:in `call'
\tfrom /app/_plugins/list.rb:2:in `block in <top (required)>'
/usr/lib/ruby/3.1.0/net/http.rb:987:in `initialize': Connection refused (Errno::ECONNREFUSED)
"""
ABORTED = "no answer\n/app/_plugins/a.rb:1:in `abort': no answer (SystemExit)\n"


@pytest.mark.parametrize("log, reason", [
    (SCSS, "Jekyll::Converters::Scss encountered an error while converting 's.scss': Error: Undefined variable: \"$c\". on line 2:12 of s.scss"),
    (DATE, "could not read file a.md: Invalid date '2026-13-45'"),
    (FETCH, "_plugins/list.rb, line 2: Failed to open TCP connection (Errno::ECONNREFUSED)"),
    (ABORTED, "_plugins/a.rb, line 1: no answer"),
    ("rake aborted!\nErrno::ENOENT: No such file - x\n/app/Rakefile:3:in `block'\nTasks: TOP => assets:precompile\n", "Rakefile, line 3: Errno::ENOENT: No such file - x"),
    ("\x1b[31m  killed\x1b[0m\n\n", "  killed"),
    ("", "it said nothing"),
], ids=["scss", "date", "fetch", "abort", "rake", "killed", "nothing"])
def test_the_reason_of_a_failed_build(tmp_path, log, reason):
    (tmp_path / "log").write_text(log)
    done = subprocess.run(["python3", PARTS / "jekyll_reason.py", tmp_path / "log"], capture_output=True, text=True, timeout=30)
    assert done.stdout == reason + "\n", done
