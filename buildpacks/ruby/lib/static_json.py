#!/usr/bin/env python3
"""static_json.py APP DESTINATION: writes the built site's folder and addresses without endings into APP/static.json,
where that does not say otherwise. What is wrong with the file is told by the buildpack for static sites."""
import json
import os
import sys


def main(app, destination):
    path = os.path.join(app, "static.json")
    site = {}
    if os.path.exists(path):
        try:
            with open(path, encoding="utf-8-sig") as file:
                # Keys that are there twice are told by the reader of the file.
                pairs = json.load(file, object_pairs_hook=lambda found: found)
        except (OSError, ValueError, RecursionError):
            return
        with open(path, encoding="utf-8-sig") as file:
            site = json.load(file)
        if not isinstance(site, dict) or len(pairs) != len(site):
            return
    site.setdefault("root", destination)
    site.setdefault("clean_urls", True)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(site, file)


if __name__ == "__main__":
    main(*sys.argv[1:3])
