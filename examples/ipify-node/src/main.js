// Starts WEB_CONCURRENCY processes that share the port, or serves in this one when it is to be alone.
import cluster from "node:cluster";

import { parseConfig } from "./config.js";
import { createIpify } from "./server.js";

function readConfig() {
  try {
    return parseConfig(process.env);
  } catch (error) {
    console.error(`ipify: ${error.message}`);
    process.exit(2);
  }
}

function serve(config) {
  const { server, stop } = createIpify(config);
  const end = (error) => {
    console.error(`ipify: ${error.message}`);
    process.exit(1);
  };
  const listen = (host) => server.listen({ port: config.port, host, backlog: 4096 });
  server.on("error", (error) => (error.code === "EAFNOSUPPORT" ? listen("0.0.0.0") : end(error)));
  listen("::");
  process.once("SIGTERM", () => {
    process.once("SIGTERM", () => process.exit(0)); // a second one skips the wait
    stop(config.drainMs).then(() => process.exit(0));
  });
}

function supervise(config) {
  let stopping = false;
  cluster.schedulingPolicy = cluster.SCHED_NONE; // the workers accept by themselves: no process in between
  for (let n = 0; n < config.processes; n++) cluster.fork();
  cluster.on("exit", (worker, code, signal) => {
    if (stopping) return;
    // The platform starts the dyno again, and waits longer each time when it does not stay up.
    console.error(`ipify: a process ended by ${signal ?? `code ${code}`}`);
    process.exit(1);
  });
  process.on("SIGTERM", () => {
    stopping = true;
    for (const worker of Object.values(cluster.workers)) worker.process.kill("SIGTERM");
    if (Object.keys(cluster.workers).length === 0) process.exit(0);
  });
}

const config = readConfig();
if (cluster.isPrimary && config.processes > 1) supervise(config);
else serve(config);
