/** BACKLOT_EGRESS_ALLOW: which hosts may be reached for real. */
import { BlockList, isIP } from "node:net";
import { canonicalHost } from "./addresses.ts";

export interface Allowance {
  /** The entry that allows a host, as it was written; undefined when none does. */
  covers(host: string, port: number): string | undefined;
}

export class AllowanceError extends Error {
  constructor(entry: string, why: string) {
    super(`BACKLOT_EGRESS_ALLOW: ${entry} cannot be used: ${why}.`);
    this.name = "AllowanceError";
  }
}

/**
 * @param entries `db.example.com`, `*.example.org`, `203.0.113.7`, `10.0.0.0/8`, each with `:port` or without
 * @throws AllowanceError naming the entry
 */
export function createAllowance(entries: readonly string[]): Allowance {
  const rules = entries.map(ruleOf);
  return {
    covers: (host, port) =>
      rules.find((rule) => (rule.port === undefined || rule.port === port) && rule.matches(host))?.entry,
  };
}

interface Rule {
  readonly entry: string;
  readonly port: number | undefined;
  readonly matches: (host: string) => boolean;
}

function ruleOf(entry: string): Rule {
  const { host, port } = split(entry.toLowerCase());
  const rule = (matches: Rule["matches"]): Rule => ({ entry, port, matches });
  if (host === "*") return rule(() => true);
  if (host.startsWith("*.")) return rule((name) => isIP(name) === 0 && name.endsWith(host.slice(1)));
  const slash = host.indexOf("/");
  if (slash >= 0) return rule(rangeOf(entry, host.slice(0, slash), Number(host.slice(slash + 1))));
  const name = canonicalHost(host);
  if (name === undefined) throw new AllowanceError(entry, "it is neither a name nor an address");
  return rule((candidate) => candidate === name);
}

function split(entry: string): { host: string; port: number | undefined } {
  if (isIP(entry) === 6) return { host: entry, port: undefined };
  const match = /^(.*?):(\d{1,5})$/.exec(entry);
  const host = match?.[1] ?? entry;
  // An IPv6 address or range takes a port only in brackets: `[2001:db8::/32]:443` is more than anybody writes.
  if (match && host.includes(":") && !host.endsWith("]")) return { host: entry, port: undefined };
  return { host, port: match ? Number(match[2]) : undefined };
}

function rangeOf(entry: string, address: string, bits: number): (host: string) => boolean {
  const family = isIP(address);
  if (family === 0) throw new AllowanceError(entry, `${address} is not an address`);
  if (bits > (family === 4 ? 32 : 128)) throw new AllowanceError(entry, `/${bits} is more bits than the address has`);
  const list = new BlockList();
  list.addSubnet(address, bits, family === 4 ? "ipv4" : "ipv6");
  // Names are not looked up to see whether they lie in a range: the look-up itself would leave the machine.
  return (host) => isIP(host) !== 0 && list.check(host, isIP(host) === 6 ? "ipv6" : "ipv4");
}
