const ms = require("ms");
require("http").createServer((request, response) => response.end(`${ms(60000)} ${process.version}`)).listen(process.env.PORT);
