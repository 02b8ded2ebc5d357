#!/usr/bin/env python3
"""plain_platforms.py lock FILE PLATFORM | gems FOLDER PLATFORM: PLATFORM-gnu becomes PLATFORM (x86_64-linux), which is what
Debian's RubyGems takes it for; musl, which it takes for the same, is left out.

`lock` does so in a Gemfile.lock, and changes nothing where there is no such line. `gems` renames what was installed below
FOLDER.
"""
import glob
import os
import shutil
import sys


def plain_lock(text, platform):
    lines = text.splitlines()
    out, left_out = [], False
    for line in lines:
        if left_out and line.startswith("      "):  # what a gem that is left out depends on
            continue
        word = line.rstrip(")")
        left_out = word.endswith(f"{platform}-musl")
        plain = line.replace(f"{platform}-gnu", platform) if word.endswith(f"{platform}-gnu") else line
        if not left_out and (plain == line or plain not in lines):
            out.append(plain)
    return "\n".join(out) + "\n"


def rename_gems(folder, platform):
    ending = f"-{platform}-gnu"
    for top in {os.path.dirname(path) for path in glob.glob(f"{glob.escape(folder)}/**/specifications", recursive=True)}:
        for path in glob.glob(f"{glob.escape(top)}/gems/*{ending}"):
            plain = path[:-len("-gnu")]
            shutil.rmtree(plain, ignore_errors=True)
            os.rename(path, plain)
        for path in glob.glob(f"{glob.escape(top)}/specifications/*{ending}.gemspec"):
            with open(path, encoding="utf-8") as file:
                text = file.read()
            with open(path[:-len("-gnu.gemspec")] + ".gemspec", "w", encoding="utf-8") as file:
                file.write(text.replace(ending[1:], platform))
            os.remove(path)


if __name__ == "__main__":
    what, path, platform = sys.argv[1:]
    if what == "gems":
        rename_gems(path, platform)
    else:
        with open(path, encoding="utf-8-sig", errors="surrogateescape") as file:
            before = file.read()
        if f"{platform}-gnu" in before or f"{platform}-musl" in before:
            with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
                file.write(plain_lock(before, platform))
