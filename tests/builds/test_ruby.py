"""Ruby apps: their gems from a server that the test makes of Debian's, what runs, and what is refused."""
import pathlib
import re
import shutil
import subprocess

import pytest

import gem_index
from support.instance import ROOT, wait_for
from support.pushes import accepted, refused

APPS = pathlib.Path(__file__).parent / "apps"
DETECT = ROOT / "buildpacks" / "ruby" / "bin" / "detect"
HELLO_C = {"ext/hello_c/extconf.rb": "require 'mkmf'\ncreate_makefile 'hello_c/hello_c'\n", "lib/hello_c.rb": "require 'hello_c/hello_c'\n",
           "ext/hello_c/hello_c.c": "#include <ruby.h>\nstatic VALUE greet(VALUE self) { return rb_str_new_cstr(\"hello from C\"); }\n"
           "void Init_hello_c(void) { rb_define_singleton_method(rb_define_module(\"HelloC\"), \"greet\", greet, 0); }\n"}
NEEDS_SQLITE = {"ext/needs_sqlite/extconf.rb": "require 'mkmf'\ncreate_makefile 'needs_sqlite/needs_sqlite'\n",
                "ext/needs_sqlite/needs_sqlite.c": "#include <sqlite3.h>\n#include <ruby.h>\nvoid Init_needs_sqlite(void) { rb_define_module(\"N\"); }\n"}
LOCK = """GEM
  remote: https://rubygems.org/
  specs:
    {0} (1.0.0)

PLATFORMS
  x86_64-linux

DEPENDENCIES
  {0}

BUNDLED WITH
   2.3.15
"""


def gemfile(*lines):
    return 'source "https://rubygems.org"\n' + "".join(f"{line}\n" for line in lines)


@pytest.fixture(scope="module")
def index(skiff, tmp_path_factory):
    if not shutil.which("gem"):
        pytest.skip("Ruby is not installed")
    made = gem_index.GemIndex(tmp_path_factory.mktemp("gems"), ["ruby-sinatra", "ruby-execjs", "puma", "rake", "rails", "ruby-sass-rails", "ruby-bootsnap"])
    made.add("hello_c", HELLO_C, "s.extensions = ['ext/hello_c/extconf.rb']; s.require_paths = ['lib']")
    made.add("newer", {"lib/newer.rb": ""}, "s.required_ruby_version = '>= 3.2'")
    made.add("needs_sqlite", NEEDS_SQLITE, "s.extensions = ['ext/needs_sqlite/extconf.rb']")
    yield made.start(skiff.gateway)
    made.close()


def mirror(index):
    return [f"BUNDLE_MIRROR__ALL={index.address}"]


def files_of(name):
    folder = APPS / name
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def sinatra():
    return files_of("sinatra")


def test_sinatra_runs_and_the_second_push_fetches_nothing(skiff, index):
    app = skiff.app(sinatra(), mirror(index))
    said = accepted(app.push())
    assert "-----> Ruby app detected" in said and "Installing hello_c 1.0.0 with native extensions" in said, said
    assert "Installing sinatra" not in said, said  # Debian's own
    assert wait_for(lambda: "hello from C, production, true, 42" in app.get(), 60), app.get()
    asked = len(index.asked)
    # Without "bundle exec", as at Heroku.
    app.write({"app.rb": sinatra()["app.rb"].replace("HelloC.greet}", "HelloC.greet} again"), "Procfile": "web: puma -p $PORT\n"})
    assert "The gems of Gemfile.lock are those of the last build" in accepted(app.push())
    assert len(index.asked) == asked
    assert wait_for(lambda: "hello from C again" in app.get(), 60), app.get()


def test_rails_with_assets_and_sessions(skiff, index):
    """Debian's Rails: its gems have folders called cache, and bootsnap notes files that only a build has."""
    app = skiff.app({**files_of("rails"), "lib/tasks/bad.rake": "require 'nobody/has/this'\n"}, mirror(index))
    # Debian's own nokogiri loads libraries that a dyno has by the Aptfile only: it is left to Bundler.
    refused(app.push(), "Installing nokogiri", "LoadError: cannot load such file -- nobody/has/this", " !     The Rakefile can't be loaded")
    (app.folder / "lib/tasks/bad.rake").unlink()
    (app.folder / "bin/rails").chmod(0o755)
    said = accepted(app.push())
    assert "-----> Ruby on Rails app detected" in said and "-----> Running: rake assets:precompile" in said, said
    assert wait_for(lambda: "production, visit 1" in app.get(), 60), app.get()
    page = app.get()
    style = re.search(r'href="(/assets/application-[0-9a-f]+\.css)"', page)[1]
    assert "color:#123456" in app.get(style)
    cookie = re.search(r"Set-Cookie: ([^;]+)", page)[1]
    assert "visit 2" in app.get("/", "-H", f"Cookie: {cookie}")


def test_a_lock_of_a_newer_bundler(skiff, index, tmp_path):
    """It names binaries for each C library, which Debian's RubyGems does not know."""
    binary = gem_index.build_binary(tmp_path, "binary", {"lib/binary.rb": "BINARY = 'for glibc'\n"})
    files = sinatra()
    lock = files["Gemfile.lock"].replace("2.3.15", "2.6.9").replace("    hello_c (", "".join(
        f"    binary (1.0.0-{platform})\n" for platform in ("arm64-darwin", "x86_64-linux-gnu", "x86_64-linux-musl")) + "    hello_c (")
    lock = lock.replace("  x86_64-linux\n", "  arm64-darwin\n  x86_64-linux-gnu\n  x86_64-linux-musl\n").replace("  hello_c\n", "  binary\n  hello_c\n")
    lock = lock.replace("RUBY VERSION", "CHECKSUMS\n  binary (1.0.0-x86_64-linux-musl) sha256=0\n\nRUBY VERSION")
    files["Gemfile.lock"] = lock.replace("\n", "\r\n")
    files["Gemfile"] += 'gem "binary"\n'
    files["app.rb"] = files["app.rb"].replace("HelloC.greet}", "HelloC.greet} #{BINARY}").replace('require "hello_c"', 'require "hello_c"\nrequire "binary"')
    # With vendor/cache Bundler asks no server: all that Debian's stack lacks is there.
    served = index.folder / "gems"
    files |= {f"vendor/cache/{gem.name}": gem.read_bytes() for gem in [binary, *served.glob("execjs-*"), *served.glob("hello_c-*")]}
    app = skiff.app(files, mirror(index))
    said = accepted(app.push())
    assert "Bundler 2.3.15" in said and "Installing binary 1.0.0 (x86_64-linux-gnu)" in said, said
    assert wait_for(lambda: "hello from C for glibc" in app.get(), 60), app.get()


@pytest.mark.parametrize("file, text, words", [
    ("Gemfile", gemfile('ruby "3.3.0"'), ['The Gemfile asks for Ruby 3.3.0, which can\'t be had here: there is Ruby 3.1.2', 'ruby "~> 3.1.0"']),
    ("Gemfile.lock", LOCK.format("hello_c").replace("x86_64-linux", "arm64-darwin-22"),
     ["Gemfile.lock is for arm64-darwin-22, and not for x86_64-linux", "bundle lock --add-platform x86_64-linux"]),
    ("Gemfile.lock", LOCK.format("hello_c").replace("x86_64-linux", "x86_64-linux-musl"), ["Gemfile.lock is for x86_64-linux-musl, and not for x86_64-linux"]),
    ("Gemfile.lock", "<<<<<<< HEAD\n" + LOCK.format("hello_c"), ["Gemfile.lock has the marks of a merge"]),
    ("Gemfile.lock", "nothing\n", ["Gemfile.lock is no lock file of Bundler's"]),
    ("Gemfile", gemfile('gem "puma"', 'gem "hello_c"'), ["Gemfile.lock is not up to date with the Gemfile", 'Run "bundle lock"']),
    ("Gemfile.lock/x", "", ["Gemfile.lock is a folder"]),
])
def test_what_can_not_be_built_is_refused(skiff, file, text, words):
    files = {"config.ru": "run proc { [200, {}, ['x']] }\n", "Gemfile": gemfile('gem "hello_c"'), "Gemfile.lock": LOCK.format("hello_c")}
    if "/" in file:
        del files["Gemfile.lock"]
    refused(skiff.app({**files, file: text}, ["BUNDLE_MIRROR__ALL=http://127.0.0.1:9"]).push(), *[f" !     {words[0]}", *words[1:]])


GEMFILE_1 = gemfile('ruby "~> 3.1"')


@pytest.mark.parametrize("files, ruby, says", [
    ({}, "3.1.2", "-----> Using Ruby 3.1.2"),
    ({"Gemfile": gemfile('ruby "~> 3.1.0"')}, "3.1.9", "-----> Using Ruby 3.1.9 (The Gemfile: ~> 3.1.0)"),
    ({"Gemfile": gemfile('ruby "~> 3.1.0"')}, "3.2.0", " !     The Gemfile asks for Ruby ~> 3.1.0"),
    ({"Gemfile": GEMFILE_1}, "3.2.0", "-----> Using Ruby 3.2.0 (The Gemfile: ~> 3.1)"),
    ({"Gemfile": GEMFILE_1}, "4.0.0", " !     The Gemfile asks for Ruby ~> 3.1"),
    ({"Gemfile": gemfile('ruby ">= 3.0", "< 3.1.2"')}, "3.1.2", " !     The Gemfile asks for Ruby >= 3.0, < 3.1.2"),
    ({"Gemfile": gemfile('ruby "3.1.4"')}, "3.1.2", " !     The Gemfile asks for Ruby 3.1.4"),
    ({"Gemfile": GEMFILE_1, ".ruby-version": "3.3.0"}, "3.1.2", "-----> Using Ruby 3.1.2 (The Gemfile: ~> 3.1)"),
    ({".ruby-version": "ruby-3.1.4\r\n", ".tool-versions": "ruby 2.7.8\n"}, "3.1.2", "-----> Using Ruby 3.1.2: .ruby-version asks for ruby-3.1.4"),
    ({".ruby-version": "3.2.1\r\n"}, "3.1.2", " !     .ruby-version asks for Ruby 3.2.1"),
    ({".tool-versions": "nodejs 20\nruby 2.7.8\n"}, "3.1.2", " !     .tool-versions asks for Ruby 2.7.8"),
    ({"Gemfile.lock": LOCK.format("x") + "\nRUBY VERSION\n   ruby 3.4.1p0\n"}, "3.1.2", " !     Gemfile.lock asks for Ruby 3.4.1p0"),
    ({"Gemfile": gemfile('ruby file: ".ruby-version"')}, "3.1.2", " !     The Gemfile takes its Ruby from .ruby-version, and there is no such file"),
    ({"Gemfile": gemfile('ruby "3.1.2", engine: "jruby", engine_version: "9.4"')}, "3.1.2", " !     The Gemfile asks for the engine jruby"),
])
def test_which_ruby_an_app_asks_for(tmp_path, files, ruby, says):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    done = subprocess.run(["python3", gem_index.PARTS / "versions.py", tmp_path, ruby], capture_output=True, text=True, timeout=30)
    assert done.stdout.startswith(says) and done.returncode == says.startswith(" !"), done


def test_gems_that_can_not_be_had(skiff, index):
    app = skiff.app({"config.ru": "run proc {}\n", "Gemfile": gemfile('gem "needs_sqlite"')}, mirror(index))
    refused(app.push(), "There is a Gemfile and no Gemfile.lock")
    app.write({"Gemfile.lock": LOCK.format("needs_sqlite")})
    refused(app.push(), "The gem needs_sqlite could not be compiled.", "Native code needs sqlite3.h", 'Write the line "libsqlite3-dev" into a file Aptfile')
    app.write({"Gemfile": gemfile('gem "newer"'), "Gemfile.lock": LOCK.format("newer")})
    refused(app.push(), "The gem newer 1.0.0 needs Ruby >= 3.2, and there is Ruby 3.1", 'run "bundle update newer"')
    app.write({"Gemfile": gemfile('gem "gone"'), "Gemfile.lock": LOCK.format("gone")})
    refused(app.push(), "gone", "A gem of Gemfile.lock can't be had")
    index.server.password = "Basic dXNlcjpwYXNz"
    try:
        app.write({"Gemfile": gemfile('gem "hello_c"'), "Gemfile.lock": LOCK.format("hello_c")})
        refused(app.push(), "asks for a password")
    finally:
        index.server.password = None
    skiff.skiff("config:set", "BUNDLE_MIRROR__ALL=http://127.0.0.1:9", "-a", app.name)
    refused(app.push(), "can't be reached from here", "BUNDLE_MIRROR__ALL=<address>")


def test_a_rack_app_without_a_gemfile(skiff):
    app = skiff.app({"config.ru": "run proc {}\n"})
    refused(app.push(), " !     There is a config.ru and no Gemfile", 'gem "puma"')
    (app.folder / "config.ru").rename(app.folder / "notes.txt")
    skiff.skiff("buildpacks:set", "heroku/ruby", "-a", app.name)
    refused(app.push(), " !     This is no app of Ruby's: it has no Gemfile")


@pytest.mark.parametrize("files, name", [
    (["_config.yml"], "Jekyll"),
    (["_config.toml", "package.json", "_layouts/a.html"], "Jekyll"),
    (["_config.yml", 'Gemfile: gem "jekyll-theme-chirpy", "~> 7.2"'], "Jekyll"),
    (["_config.yml", "Gemfile: gemspec", 'theme.gemspec: spec.add_runtime_dependency "jekyll", ">= 4"'], "Jekyll"),
    (["_config.yml", 'Gemfile: # gem "jekyll"'], "Ruby"),
    (["Gemfile", "package.json"], "Ruby"),
    (["Gemfile", "CMakeLists.txt"], "Ruby"),
    (["config.ru"], "Ruby"),
    (["CMakeLists.txt", "main.cc", "_config.yml"], "Jekyll"),
    (["CMakeLists.txt", "main.cc", "Procfile", "_config.yml"], None),
    (["Makefile", "Procfile", "_config.yml", "_posts/one.md"], "Jekyll"),
    (["package.json", "_config.yml"], None),
    (["index.html"], None),
])
def test_what_is_taken_for_ruby(tmp_path, files, name):
    for file in files:
        path, _, text = file.partition(": ")
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    done = subprocess.run(["bash", DETECT, tmp_path], capture_output=True, text=True, timeout=60)
    assert (done.stdout.strip() or None, done.returncode) == (name, 0 if name else 1), done
