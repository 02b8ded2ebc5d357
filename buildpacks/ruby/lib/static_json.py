#!/usr/bin/env python3
"""static_json.py APP DESTINATION BASEURL: writes the built site's folder and addresses without endings into APP/static.json,
where that does not say otherwise. What is wrong with the file is told by the buildpack for static sites.

A site with a BASEURL lies there below APP/.skiff/site, and / leads to it."""
import json
import os
import sys


def place(app, site, destination, baseurl):
    if "root" in site or not baseurl:
        site.setdefault("root", destination)
        return
    site["root"] = ".skiff/site"
    page = str(site.get("error_page", "404.html")).lstrip("/")
    if os.path.isfile(os.path.join(app, destination, page)):
        site["error_page"] = f"{baseurl}/{page}"
    moved = site.setdefault("redirects", {})
    if isinstance(moved, dict):
        moved.setdefault("/", {"url": f"/{baseurl}/", "status": 302})


def main(app, destination, baseurl):
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
    place(app, site, destination, baseurl)
    site.setdefault("clean_urls", True)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(site, file)


if __name__ == "__main__":
    main(*sys.argv[1:4])
