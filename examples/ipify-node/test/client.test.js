import assert from "node:assert/strict";
import { test } from "node:test";

import { clientAddress, parseAddress, parseTrust } from "../src/client.js";

const byDefault = parseTrust(undefined);

test("addresses have one form", () => {
  assert.equal(parseAddress("2001:DB8:0:0:0:0:0:1"), "2001:db8::1");
  assert.equal(parseAddress("::ffff:192.0.2.1"), "192.0.2.1");
  assert.equal(parseAddress("::ffff:c000:201"), "192.0.2.1");
  for (const wrong of ["", "1.2.3", "1.2.3.4.5", "256.1.1.1", "::ffff:1.2.3.999", "fe80::1%eth0", "name", "01.2.3.4"]) {
    assert.equal(parseAddress(wrong), undefined, wrong);
  }
});

test("a stranger is not believed", () => {
  assert.equal(clientAddress("198.51.100.9", "203.0.113.7", byDefault), "198.51.100.9");
  assert.equal(clientAddress("10.0.0.1", "203.0.113.7", parseTrust("")), "10.0.0.1");
});

test("by default one proxy is assumed: the right-most entry, whatever it is", () => {
  assert.equal(clientAddress("10.0.0.1", "1.1.1.1, 203.0.113.7", byDefault), "203.0.113.7");
  assert.equal(clientAddress("::ffff:10.0.0.1", "1.1.1.1, 10.9.9.9", byDefault), "10.9.9.9");
  assert.equal(clientAddress("fd00::1", "[2001:db8::2]:443", byDefault), "2001:db8::2");
  assert.equal(clientAddress("10.0.0.1", "203.0.113.7:80, ,", byDefault), "203.0.113.7");
});

test("named proxies are stepped over", () => {
  const trust = parseTrust("10.0.0.0/8, 2001:db8::5");
  assert.equal(clientAddress("10.0.0.1", "6.6.6.6, 203.0.113.7, 2001:DB8::5, 10.2.2.2", trust), "203.0.113.7");
  assert.equal(clientAddress("10.0.0.1", "10.5.5.5", trust), "10.5.5.5");
});

test("an entry that is no address ends the walk", () => {
  const trust = parseTrust("10.0.0.0/8");
  assert.equal(clientAddress("10.0.0.1", "203.0.113.7, unknown, 10.2.2.2", trust), "10.2.2.2");
  assert.equal(clientAddress("10.0.0.1", "unknown", trust), "10.0.0.1");
  assert.equal(clientAddress("10.0.0.1", undefined, trust), "10.0.0.1");
});

test("a wrong entry of TRUSTED_PROXIES is named", () => {
  for (const wrong of ["10.0.0.0/33", "host", "10.0.0.0/", "::1/129", "1.2.3.4/8/8", "10.0.0.0/-1"]) {
    assert.throws(() => parseTrust(wrong), new RegExp(`TRUSTED_PROXIES has "${wrong}"`));
  }
});
