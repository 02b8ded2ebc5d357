"""A monorepo: pages that Node.js builds in one folder, served by a Go program in another."""
from support.instance import wait_for
from support.pushes import accepted
from test_go import MODULE

SERVER = """package main

import (
\t"net/http"
\t"os"
)

func main() {
\thttp.Handle("/", http.FileServer(http.Dir("web/dist")))
\thttp.HandleFunc("/api", func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("from Go\\n")) })
\thttp.ListenAndServe(":"+os.Getenv("PORT"), nil)
}
"""
BUILD = ("const fs = require('fs'); fs.mkdirSync('web/dist', {recursive: true});"
         "fs.writeFileSync('web/dist/index.html', 'built with ' + process.release.name + ' for ' + process.env.TITLE + '\\n')")
FILES = {"package.json": '{"name": "pages", "private": true, "scripts": {"build": "node web/build.js"}}\n', "web/build.js": BUILD,
         "go.mod": MODULE, "api/main.go": SERVER, "Procfile": "web: bin/api\n"}


def test_pages_of_node_js_are_served_by_go(skiff):
    app = skiff.app(FILES, ["TITLE=both"])
    skiff.skiff("buildpacks:set", "heroku/go", "-a", app.name)
    skiff.skiff("buildpacks:add", "--index", "1", "heroku/nodejs", "-a", app.name)
    said = accepted(app.push())
    assert said.index("-----> Node.js app detected") < said.index("-----> Go app detected"), said
    assert wait_for(lambda: app.get("/").endswith("\nbuilt with node for both\n"), 60), app.get("/")
    assert app.get("/api").endswith("from Go\n")
