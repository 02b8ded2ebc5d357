"""What native code lacked, by what compilers and package managers say, and the Debian package that has it."""
import subprocess

import pytest

from support.instance import ROOT

LIB = ROOT / "buildpacks" / "lib"


def explain(folder, text):
    (folder / "log").write_text(text)
    script = f'set -euo pipefail; . "{LIB}/native_code.sh"; explain_native_code "{folder}/log"'
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60)
    assert done.stderr == "" and done.returncode == (0 if done.stdout else 1), done
    return done.stdout


@pytest.mark.parametrize("text, name, package", [
    ("a.c:1:10: fatal error: libpq-fe.h: No such file or directory\n", "libpq-fe.h", "libpq-dev"),
    ("Error: pg_config executable not found.\n", "pg_config", "libpq-dev"),
    ("/bin/sh: 1: mysql_config: not found\n", "mysql_config", "default-libmysqlclient-dev"),
    ("Command 'pkg-config --exists mysqlclient' returned non-zero exit status 1.\n", "mysqlclient", "default-libmysqlclient-dev"),
    ("Package 'vips-cpp', required by 'virtual:world', not found\n", "vips-cpp", "libvips-dev"),
    ("Package cairo was not found in the pkg-config search path.\n", "cairo", "libcairo2-dev"),
    ('meson.build:31:12: ERROR: Dependency "cairo" not found, tried pkgconfig\n', "cairo", "libcairo2-dev"),
    ("/usr/bin/ld: cannot find -lzmq: No such file or directory\n", "zmq", "libzmq3-dev"),
    ("Error: libvips-cpp.so.42: cannot open shared object file: No such file or directory\n", "libvips-cpp.so.42", "libvips-dev"),
    ("FileNotFoundError: [Errno 2] No such file or directory: 'gdal-config'\n", "gdal-config", "libgdal-dev"),
    ("The headers or library files could not be found for jpeg,\n", "jpeg", "libjpeg-dev"),
    ("error: command 'swig' failed: No such file or directory\n", "swig", "swig"),
    ("error: can't find Rust compiler\n", "Rust", "cargo"),
    ("Error: Please make sure the libxml2 and libxslt development packages are installed.\n", "libxml2 and libxslt", "libxslt1-dev"),
    ("An error occurred while installing pg (1.5.4), and Bundler cannot continue.\n", "a library", "libpq-dev"),
    # The first one that is known, and no words of a program that is none of a library's.
    ("sh: 1: tsc: not found\nx.c: fatal error: own.h: No such file\nx.c: fatal error: zmq.h: No such file\n", "zmq.h", "libzmq3-dev"),
])
def test_what_is_missing_and_the_package_that_has_it(tmp_path, text, name, package):
    assert explain(tmp_path, "before\n" + text + "after\n") == (
        f" !     Native code needs {name}, which the stack lacks: it is in Debian's package {package}.\n"
        f" !     Write the line \"{package}\" into a file Aptfile, commit it, and push again.\n")


def test_what_no_package_is_known_for(tmp_path):
    assert explain(tmp_path, "a.c:1: fatal error: foo/bar.h: No such file\n") == (
        " !     Native code needs foo/bar.h, which the stack lacks.\n"
        " !     Find the Debian package that has it (apt-file search foo/bar.h), write its name into a file Aptfile, and push again.\n")


@pytest.mark.parametrize("text", ["", "sh: 1: tsc: not found\n", "checking for zmq.h... yes\n", "pkg-config --exists zmq\n",
                                  "ENOENT: No such file or directory: '/app/x.json'\n", "module not found\n"])
def test_what_speaks_of_no_library(tmp_path, text):
    assert explain(tmp_path, text) == ""
