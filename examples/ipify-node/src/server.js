// HTTP around the answers: headers, limits of a connection, an orderly end.
import { createServer } from "node:http";

import { answerFor } from "./answer.js";
import { clientAddress } from "./client.js";

const KEEP_ALIVE_MS = 75_000; // longer than proxies keep an idle connection, so that they end it and not this server
const HEADERS_MS = 10_000;
const REQUEST_MS = 30_000;
const HEADER_BYTES = 16_384;

// Any page may ask (CORS). An answer is true for one client: no cache may hand it to another.
const COMMON = ["Access-Control-Allow-Origin", "*", "Vary", "Origin", "Cache-Control", "no-store", "X-Content-Type-Options", "nosniff"];

export function createIpify({ trust }) {
  let stopping = false;
  const server = createServer(
    { keepAliveTimeout: KEEP_ALIVE_MS, headersTimeout: HEADERS_MS, requestTimeout: REQUEST_MS, maxHeaderSize: HEADER_BYTES },
    (request, response) => {
      const address = clientAddress(request.socket.remoteAddress ?? "", request.headers["x-forwarded-for"], trust);
      const { status, type, body } = answerFor(request.method, request.url, address);
      const headers = ["Content-Type", type, "Content-Length", Buffer.byteLength(body), ...COMMON];
      if (status === 405) headers.push("Allow", "GET, HEAD");
      if (stopping) headers.push("Connection", "close");
      response.writeHead(status, headers).end(request.method === "HEAD" ? undefined : body);
    },
  );
  /** Goes on accepting for a while, because the proxy may not have heard yet; then finishes what has begun. */
  const stop = async (drainMs) => {
    stopping = true;
    await new Promise((resolve) => setTimeout(resolve, drainMs));
    await new Promise((resolve) => {
      server.close(resolve);
      server.closeIdleConnections();
    });
  };
  return { server, stop };
}
