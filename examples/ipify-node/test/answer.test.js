import assert from "node:assert/strict";
import { test } from "node:test";

import { answerFor } from "../src/answer.js";

const ask = (target, method = "GET") => answerFor(method, target, "203.0.113.42");

test("text, unless another format is asked for", () => {
  for (const target of ["/", "/?", "/?format=text", "/?format=xml", "http://ip.example", "http://ip.example/?a=b"]) {
    assert.deepEqual(ask(target), { status: 200, type: "text/plain", body: "203.0.113.42" }, target);
  }
});

test("JSON", () => {
  assert.deepEqual(ask("/?format=json&format=jsonp"), { status: 200, type: "application/json", body: '{"ip":"203.0.113.42"}' });
  assert.equal(ask("http://ip.example?format=json").type, "application/json");
});

test("JSONP", () => {
  assert.deepEqual(ask("/?format=jsonp"), { status: 200, type: "application/javascript", body: 'callback({"ip":"203.0.113.42"});' });
  assert.equal(ask("/?format=jsonp&callback=app.show%5f1").body, 'app.show_1({"ip":"203.0.113.42"});');
});

test("a callback is a script's name, or refused", () => {
  for (const wrong of ["", "a.", ".a", "1a", "a..b", "a(b)", "a%3Bb", "%", "%zz", "a%0a", "x".repeat(129), "%C3%A9"]) {
    assert.equal(ask(`/?format=jsonp&callback=${wrong}`).status, 400, wrong);
  }
  assert.equal(ask(`/?format=jsonp&callback=${"x".repeat(128)}`).status, 200);
});

test("other methods and paths", () => {
  assert.equal(ask("/", "POST").status, 405);
  assert.equal(ask("/", "HEAD").status, 200);
  for (const target of ["/x", "//", "/index.html?format=json", "*", "", "?format=json"]) assert.equal(ask(target).status, 404, target);
});
