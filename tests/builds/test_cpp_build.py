"""The C++ buildpack's bin/compile on this machine, push after push: what is compiled again, and what must not be old."""
import json
import pathlib
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
COMPILE = ROOT / "buildpacks" / "cpp" / "bin" / "compile"
CMAKE = "cmake_minimum_required(VERSION 3.25)\nproject(app CXX)\n"
PRINT_X = '#include <cstdio>\nint main() { std::puts(X); }\n'


class App:
    """A source tree and the cache that stays from push to push."""

    def __init__(self, folder):
        self.folder, self.cache, self.env = folder / "app", folder / "cache", folder / "env"
        self.cache.mkdir()
        self.env.mkdir()

    def build(self, files, links=()):
        """bin/compile as for a push of exactly these files."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        for name, target in dict(links).items():
            (self.folder / name).symlink_to(target)
        return subprocess.run(["bash", COMPILE, self.folder, self.cache, self.env], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=120)

    def push(self, files, links=()):
        done = self.build(files, links)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def run(self, program="build/app"):
        return subprocess.run([self.folder / program], capture_output=True, text=True, timeout=30, check=True).stdout.strip()


@pytest.fixture
def app(tmp_path):
    return App(tmp_path)


def test_what_did_not_change_is_not_compiled_again(app):
    files = {"CMakeLists.txt": CMAKE + "add_executable(app a.cc b.cc)\n", "b.cc": "int b() { return 0; }\n",
             "a.cc": "int b(); int main() { return b(); }\n"}
    app.push(files)
    said = app.push({**files, "b.cc": "int b() { return 0; } // changed\n"})
    assert "b.cc.o" in said and "a.cc.o" not in said
    assert ".cc.o" not in app.push({**files, "b.cc": "int b() { return 0; } // changed\n", "README": "x"})


def test_objects_of_a_build_that_failed_are_kept(app):
    files = {"CMakeLists.txt": CMAKE + "add_executable(app a.cc b.cc)\n", "a.cc": "int b(); int main() { return b(); }\n"}
    assert app.build({**files, "b.cc": "wrong\n"}).returncode != 0
    said = app.push({**files, "b.cc": "int b() { return 0; }\n"})
    assert "b.cc.o" in said and "a.cc.o" not in said


@pytest.mark.parametrize("first,second", [
    ("option(TWO \"\" OFF)\n", "option(TWO \"\" ON)\n"),
    ("set(TWO \"\" CACHE STRING \"\")\n", "set(TWO yes CACHE STRING \"\")\n"),
], ids=["option", "cache variable"])
def test_a_changed_default_of_cmakelists_counts(app, first, second):
    rest = 'add_executable(app a.cc)\nif(TWO)\n  set_property(SOURCE a.cc PROPERTY COMPILE_DEFINITIONS X="two")\nelse()\n' \
           '  set_property(SOURCE a.cc PROPERTY COMPILE_DEFINITIONS X="one")\nendif()\n'
    app.push({"CMakeLists.txt": CMAKE + first + rest, "a.cc": PRINT_X})
    assert app.run() == "one"
    app.push({"CMakeLists.txt": CMAKE + second + rest, "a.cc": PRINT_X})
    assert app.run() == "two"


def test_a_library_that_went_is_looked_for_again(app):
    cmake = CMAKE + ('find_library(EXTRA extra PATHS ${CMAKE_SOURCE_DIR}/%s NO_DEFAULT_PATH REQUIRED)\n'
                     'add_executable(app a.cc)\ntarget_link_libraries(app ${EXTRA})\n')
    app.push({"CMakeLists.txt": cmake % "one", "a.cc": "int main() {}\n", "one/libextra.so": "!<arch>\n"})
    app.push({"CMakeLists.txt": cmake % "two", "a.cc": "int main() {}\n", "two/libextra.so": "!<arch>\n"})


def test_a_folder_build_of_the_source_is_the_sources(app):
    files = {"CMakeLists.txt": CMAKE + "add_executable(app a.cc)\n", "a.cc": "int main() {}\n"}
    app.push(files)
    for setting in ("one", "two"):
        assert "cache" not in app.push({**files, "build/setting.txt": setting})
        assert (app.folder / "build/setting.txt").read_text() == setting
    app.push(files)
    assert not (app.folder / "build/setting.txt").exists()


def test_a_file_build_of_the_source_is_left_alone(app):
    app.push({"Makefile": "all:\n\tmkdir build\n"})
    app.push({"Makefile": "all:\n\ttrue\n", "build": "script"})
    assert (app.folder / "build").read_text() == "script"


def test_a_build_folder_of_the_developers_machine_does_no_harm(app):
    app.push({"CMakeLists.txt": CMAKE + "add_executable(app a.cc)\n", "a.cc": "int main() {}\n",
              "build/CMakeCache.txt": "CMAKE_HOME_DIRECTORY:INTERNAL=/home/me/app\nCMAKE_CACHEFILE_DIR:INTERNAL=/home/me/app/build\n"
                                      "CMAKE_GENERATOR:INTERNAL=Ninja\n"})


MAKE = {"Makefile": "build/app: a.cc\n\tmkdir -p build\n\t$(CXX) -DX='\"one\"' -o $@ a.cc\n", "a.cc": PRINT_X}


def test_make_starts_anew_when_more_than_sources_changed(app):
    app.push(MAKE)
    assert "up to date" in app.push(MAKE)
    app.push({**MAKE, "Makefile": MAKE["Makefile"].replace("one", "two")})
    assert app.run() == "two"


def test_make_need_not_know_the_headers(app):
    app.push({**MAKE, "a.cc": '#include "x.h"\n' + PRINT_X, "x.h": '#undef X\n#define X "one"\n'})
    app.push({**MAKE, "a.cc": '#include "x.h"\n' + PRINT_X, "x.h": '#undef X\n#define X "two"\n'})
    assert app.run() == "two"


def test_make_compiles_changed_sources_only(app):
    files = {"Makefile": "build/app: build/a.o build/b.o\n\t$(CXX) -o $@ $^\n"
                         "build/%.o: %.cc\n\tmkdir -p build\n\t$(CXX) -c -o $@ $<\n",
             "a.cc": "int b(); int main() { return b(); }\n", "b.cc": "int b() { return 1; }\n"}
    app.push(files)
    said = app.push({**files, "b.cc": "int b() { return 0; }\n"})
    assert "b.o b.cc" in said and "a.o a.cc" not in said
    app.run()


def test_make_links_no_object_of_a_source_that_went(app):
    files = {"Makefile": "build/app: $(patsubst %.cc,build/%.o,$(wildcard *.cc))\n\t$(CXX) -o $@ $^\n"
                         "build/%.o: %.cc\n\tmkdir -p build\n\t$(CXX) -c -o $@ $<\n",
             "a.cc": "#include <cstdio>\n__attribute__((weak)) const char* x() { return \"one\"; }\nint main() { std::puts(x()); }\n"}
    app.push({**files, "b.cc": "const char* x() { return \"two\"; }\n"})
    assert app.run() == "two"
    app.push(files)
    assert app.run() == "one"


@pytest.mark.parametrize("link,name", [("x.h", "%s.h"), ("include", "%s")], ids=["file", "folder"])
def test_a_link_that_points_elsewhere_counts(app, link, name):
    files = {"CMakeLists.txt": CMAKE + "add_executable(app a.cc)\ntarget_include_directories(app PRIVATE . include)\n",
             "a.cc": '#include "x.h"\n' + PRINT_X}
    for value in ("one", "two"):
        header = f'#define X "{value}"\n'
        files |= {f"{value}.h": header} if link == "x.h" else {f"{value}/x.h": header}
    for value in ("one", "two"):
        app.push(files, {link: name % value})
        assert app.run() == value


def test_another_stack_compiles_all_anew(app):
    files = {"CMakeLists.txt": CMAKE + "add_executable(app a.cc)\n", "a.cc": "int main() {}\n"}
    app.push(files)
    assert "a.cc.o" not in app.push(files)
    kept = app.cache / "times.json"
    kept.write_text(json.dumps(json.loads(kept.read_text()) | {"/var/lib/dpkg/status": ["another", 0]}))
    assert "a.cc.o" in app.push(files)


def test_half_of_a_file_is_not_kept(app):
    files = {"Makefile": "build/sub/text:\n\tmkdir -p build\n\t$(MAKE) -f sub.mk\n",
             "sub.mk": "build/sub/text:\n\tmkdir -p build/sub\n\techo half >$@; test -f ready.c\n\techo whole >$@\n"}
    assert app.build(files).returncode != 0
    app.push({**files, "ready.c": ""})
    assert (app.folder / "build/sub/text").read_text() == "whole\n"


def test_a_target_that_went_leaves_no_program(app):
    cmake = CMAKE + "add_subdirectory(sub)\nadd_executable(app a.cc)\n"
    files = {"a.cc": "int main() {}\n", "sub/b.cc": "int main() {}\n"}
    app.push({**files, "CMakeLists.txt": cmake, "sub/CMakeLists.txt": "add_executable(one b.cc)\nadd_library(two SHARED b.cc)\n"})
    assert (app.folder / "build/sub/one").exists() and (app.folder / "build/sub/libtwo.so").exists()
    said = app.push({**files, "CMakeLists.txt": cmake, "sub/CMakeLists.txt": "add_executable(three b.cc)\n"})
    assert "a.cc.o" not in said
    left = {path.name for path in (app.folder / "build/sub").iterdir()}
    assert "three" in left and not left & {"one", "libtwo.so"}
    app.push({"CMakeLists.txt": CMAKE + "add_executable(app a.cc)\n", "a.cc": "int main() {}\n"})
    assert not (app.folder / "build/sub/three").exists()
