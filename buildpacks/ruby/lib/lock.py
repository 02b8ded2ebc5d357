#!/usr/bin/env python3
"""lock.py APP PLATFORM: what Gemfile.lock says that would stop Bundler, told before it begins.

Prints the lines of the refusal and exits with 1, or prints nothing. PLATFORM is this machine's, x86_64-linux.
"""
import os
import re
import sys

MAX_BYTES = 8 << 20
COMMIT = "commit Gemfile.lock, and push again."


def section(text, name):
    found = re.search(rf"^{name}\n((?:[ \t]+\S.*\n)*)", text, re.MULTILINE)
    return [line.strip() for line in found[1].splitlines()] if found else []


def problem(app, platform):
    """The lines of a refusal, or None."""
    for name in ("Gemfile", "Gemfile.lock"):
        if os.path.isdir(os.path.join(app, name)):
            return [f"{name} is a folder, and should be a file."]
    path = os.path.join(app, "Gemfile.lock")
    if os.path.getsize(path) > MAX_BYTES:
        return [f"Gemfile.lock is larger than {MAX_BYTES >> 20} MB: is it the right file?"]
    with open(path, encoding="utf-8-sig", errors="replace") as file:
        text = file.read() + "\n"
    if re.search(r"^(<<<<<<<|>>>>>>>) ", text, re.MULTILINE):
        return ["Gemfile.lock has the marks of a merge (<<<<<<<).",
                f"Run: git checkout HEAD -- Gemfile.lock && bundle lock; {COMMIT}"]
    if not section(text, "DEPENDENCIES") and not section(text, "PLATFORMS"):
        return ["Gemfile.lock is no lock file of Bundler's: it has neither PLATFORMS nor DEPENDENCIES.",
                f"Run: rm Gemfile.lock && bundle lock; {COMMIT}"]
    platforms = section(text, "PLATFORMS")
    if platforms and not {"ruby", platform, f"{platform}-gnu"} & set(platforms):
        return [f"Gemfile.lock is for {', '.join(platforms)}, and not for {platform}, where the app runs.",
                f"Run: bundle lock --add-platform {platform}; {COMMIT}"]
    return None


if __name__ == "__main__":
    lines = problem(*sys.argv[1:3])
    if lines:
        print("\n".join(" !     " + line for line in lines))
        sys.exit(1)
