const { readFileSync } = require("fs");
const app = require("express")();
app.get("/", (request, response) => response.send(readFileSync("built.txt", "utf8")));
app.get("/about", (request, response) => {
  let development = true;
  try { require("left-pad"); } catch { development = false; }
  response.json({ node: process.version, mode: process.env.NODE_ENV, concurrency: process.env.WEB_CONCURRENCY, development,
    updates: process.env.npm_config_update_notifier });
});
app.listen(process.env.PORT);
