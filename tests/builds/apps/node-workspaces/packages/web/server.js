require("http").createServer((request, response) => response.end(require("words")() + " " + require("ms")(2000))).listen(process.env.PORT);
