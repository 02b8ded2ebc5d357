// The environment, checked: a wrong value is an Error that names the variable.
import { parseTrust } from "./client.js";

function number(environment, name, least, most, otherwise) {
  const given = environment[name];
  if (given === undefined || given === "") return otherwise;
  const value = Number(given);
  if (!/^\d{1,9}$/.test(given) || value < least || value > most) {
    throw new Error(`${name} is "${given}" but must be a number from ${least} to ${most}`);
  }
  return value;
}

export function parseConfig(environment) {
  return {
    port: number(environment, "PORT", 0, 65535, 8080),
    processes: number(environment, "WEB_CONCURRENCY", 1, 256, 1),
    drainMs: number(environment, "DRAIN_MS", 0, 60_000, 1000),
    trust: parseTrust(environment.TRUSTED_PROXIES),
  };
}
