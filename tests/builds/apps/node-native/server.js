require("http").createServer((request, response) => response.end(String(require("./build/Release/sum").sum(40, 2)))).listen(process.env.PORT);
