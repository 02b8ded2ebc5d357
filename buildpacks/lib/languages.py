#!/usr/bin/env python3
"""languages.py APP: the language that an app's own files name, when no built-in buildpack is made for it.

Prints three lines: the language, the file that says so, and the address of a buildpack that knows it (empty when there is
none that we know of). Prints nothing when the app names no such language. The order is that of Heroku's detection.
"""
import glob
import os
import sys

HEROKU = "https://github.com/heroku/heroku-buildpack-"
LANGUAGES = (  # name, files that name it, its buildpack
    ("Clojure", ("project.clj", "deps.edn"), HEROKU + "clojure"),
    ("Scala", ("build.sbt", "*.sbt"), HEROKU + "scala"),
    ("PHP", ("composer.json", "index.php"), HEROKU + "php"),
    (".NET", ("*.sln", "*.slnx", "*.csproj", "*.fsproj", "*.vbproj"), HEROKU + "dotnet"),
    ("Rust", ("Cargo.toml",), ""),
    ("Elixir", ("mix.exs",), ""),
    ("Deno", ("deno.json", "deno.jsonc"), ""),
    ("Bun", ("bun.lockb", "bunfig.toml"), ""),
    ("Dart", ("pubspec.yaml",), ""),
    ("Swift", ("Package.swift",), ""),
    ("Haskell", ("stack.yaml", "cabal.project", "*.cabal"), ""),
    ("Crystal", ("shard.yml",), ""),
    ("Perl", ("cpanfile", "Makefile.PL"), ""),
    ("Hugo", ("hugo.toml", "hugo.yaml", "hugo.json"), ""),
)


def find_language(app):
    """(name, file, buildpack) or None."""
    for name, patterns, pack in LANGUAGES:
        for pattern in patterns:
            for path in sorted(glob.glob(os.path.join(glob.escape(app), pattern))):
                if os.path.isfile(path):
                    return name, os.path.relpath(path, app), pack
    return None


if __name__ == "__main__":
    found = find_language(sys.argv[1])
    if found:
        print("\n".join(found))
