// What is answered to a request: pure, without a socket.

const CALLBACK = /^[A-Za-z_$][\w$]*(\.[A-Za-z_$][\w$]*)*$/;
const CALLBACK_LENGTH = 128;

const text = (status, body) => ({ status, type: "text/plain", body });

function decoded(value) {
  try {
    return decodeURIComponent(value);
  } catch {
    return ""; // which is no name
  }
}

/** The first value of `name`, still encoded. */
function queryValue(query, name) {
  for (const pair of query.split("&")) {
    const equals = pair.indexOf("=");
    if ((equals < 0 ? pair : pair.slice(0, equals)) === name) return equals < 0 ? "" : pair.slice(equals + 1);
  }
  return undefined;
}

function jsonp(query, json) {
  const callback = decoded(queryValue(query, "callback") ?? "callback");
  if (callback.length > CALLBACK_LENGTH || !CALLBACK.test(callback)) {
    return text(400, `callback must be a JavaScript name such as app.show_ip, of at most ${CALLBACK_LENGTH} characters.\n`);
  }
  return { status: 200, type: "application/javascript", body: `${callback}(${json});` };
}

export function answerFor(method, target, address) {
  if (method !== "GET" && method !== "HEAD") return text(405, "Only GET and HEAD are answered here.\n");
  if (target === "/") return text(200, address);
  const path = target.replace(/^[a-z]+:\/\/[^/?]*/i, ""); // the form that proxies are sent: http://host/path
  const mark = path.indexOf("?");
  const query = mark < 0 ? "" : path.slice(mark + 1);
  const place = mark < 0 ? path : path.slice(0, mark);
  if (place !== "/" && !(place === "" && path !== target)) {
    return text(404, "Nothing is here. Ask for / to learn your IP address.\n");
  }
  const format = queryValue(query, "format");
  const json = `{"ip":"${address}"}`; // an address has no character that JSON would escape
  if (format === "json") return { status: 200, type: "application/json", body: json };
  if (format === "jsonp") return jsonp(query, json);
  return text(200, address);
}
