#!/usr/bin/env python3
"""jekyll_reason.py LOG: why a Jekyll build failed, in one line: what it was, and in which file of the site.

Jekyll tells the file in lines of its own ("Liquid Exception: … in a.md"). Ruby tells an error first and then what caused
it; its stack names the plugin.
"""
import re
import sys

MAX_CHARACTERS = 500
OWN = re.compile(r"^\s+(?:Liquid Exception|Conversion error|Dependency Error|Error|Invalid date|Theme error):\s+(.+)")
# "/usr/…/site.rb:3:in `read': no such thing (RuntimeError)", with or without the place.
RAISED = re.compile(r"^(?:\S+:\d+:in [`'][^']*': )?(.*) \(([A-Z]\w*(?:::[A-Z]\w*)*)\)$")
PLACE = re.compile(r"^\s*(?:from |\d+: from )?/app/((?!vendor/)[^:]+):(\d+):in ")


def reason(text):
    lines = [line.rstrip() for line in re.sub(r"\x1b\[[0-9;]*m", "", text).splitlines() if line.strip()]
    for number, line in enumerate(lines):
        own = OWN.match(line)
        if own:
            # A converter's error ends with a colon, and the next line has it.
            more = lines[number + 1].strip() if own[1].endswith(":") and number + 1 < len(lines) else ""
            return f"{own[1]} {more}".strip().replace("/app/", "")
    raised = [found[1].strip() + f" ({found[2]})" for found in map(RAISED.match, lines) if found and found[2] != "SystemExit"]
    ended = [found[1].strip() for found in map(RAISED.match, lines) if found and found[2] == "SystemExit"]
    aborted = lines[lines.index("rake aborted!") + 1:][:1] if "rake aborted!" in lines else []
    said = (raised or ended or aborted or lines[-1:] or ["it said nothing"])[0]
    place = next((found for found in map(PLACE.match, lines) if found), None)
    return f"{place[1]}, line {place[2]}: {said}" if place else said.replace("/app/", "")


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8", errors="replace") as log:
        print(reason(log.read())[:MAX_CHARACTERS])
