import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../src/main.js", import.meta.url));

async function freePort() {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  await once(probe, "close");
  return port;
}

async function start(t, environment) {
  const port = await freePort();
  const program = spawn(process.execPath, [MAIN], { env: { PORT: port, DRAIN_MS: 0, ...environment }, stdio: "inherit" });
  t.after(() => program.kill("SIGKILL"));
  const ask = (path, options) => fetch(`http://127.0.0.1:${port}${path}`, options);
  for (;;) {
    try {
      await (await ask("/")).text();
      return { program, ask };
    } catch {
      assert.equal(program.exitCode, null);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

for (const processes of [1, 2]) {
  test(`${processes} processes answer and stop in order`, async (t) => {
    const { program, ask } = await start(t, { WEB_CONCURRENCY: processes });
    const answer = await ask("/?format=json", { headers: { "X-Forwarded-For": "6.6.6.6, 2001:DB8::1" } });
    assert.deepEqual(await answer.json(), { ip: "2001:db8::1" });
    assert.equal(answer.headers.get("content-type"), "application/json");
    assert.equal(answer.headers.get("access-control-allow-origin"), "*");
    assert.equal(answer.headers.get("cache-control"), "no-store");
    const head = await ask("/", { method: "HEAD" });
    assert.equal(head.headers.get("content-length"), "9");
    assert.equal((await ask("/", { method: "POST", body: "x" })).headers.get("allow"), "GET, HEAD");
    program.kill("SIGTERM");
    assert.deepEqual(await once(program, "exit"), [0, null]);
    await assert.rejects(ask("/"));
  });
}

test("a wrong variable is named", async () => {
  const program = spawn(process.execPath, [MAIN], { env: { WEB_CONCURRENCY: "many" }, stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  program.stderr.on("data", (data) => (said += data));
  assert.deepEqual(await once(program, "close"), [2, null]);
  assert.match(said, /^ipify: WEB_CONCURRENCY is "many" but must be a number from 1 to 256\n$/);
});
