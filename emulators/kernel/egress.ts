/**
 * Who may be called at all: loopback, and the host names in BACKLOT_WEBHOOK_ALLOW. A name is resolved once, every address
 * is checked, and the connection goes to those addresses, so that a second lookup cannot lead elsewhere (DNS rebinding).
 * `name=127.0.0.1:port` leads a name to a loopback port: a receiver's URL, which signatures cover, then stays the same
 * whatever port it got.
 */
import { lookup } from "node:dns/promises";
import { BlockList, isIP } from "node:net";

export interface Target {
  readonly addresses: readonly { readonly address: string; readonly family: 4 | 6 }[];
  /** Instead of the URL's. */
  readonly port?: number;
}

export interface Egress {
  check(
    url: URL,
  ): Promise<
    { readonly allowed: true; readonly target: Target } | { readonly allowed: false; readonly reason: string }
  >;
}

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");
// BlockList compares IPv4-mapped IPv6 addresses with the IPv4 rules, so ::ffff:127.0.0.1 needs no rule of its own.

/** Cloud metadata services: a request there leaks a machine's credentials, so they stay refused whatever is allowed. */
const metadata = new BlockList();
metadata.addAddress("169.254.169.254", "ipv4");
metadata.addAddress("fd00:ec2::254", "ipv6");

const matches = (list: BlockList, address: string) => list.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");

export const isLoopback = (address: string): boolean => isIP(address) !== 0 && matches(loopback, address);

export function createEgress(allow: readonly string[]): Egress {
  const led = new Map(allow.flatMap(leadOf));
  const allowed = new Set(allow.filter((name) => !name.includes("=")).map((name) => bare(name)));
  return {
    async check(url) {
      if (url.protocol !== "http:" && url.protocol !== "https:")
        return refused(`${url.protocol} is neither http nor https`);
      const name = bare(url.hostname);
      const lead = led.get(name);
      if (lead !== undefined)
        return { allowed: true, target: { addresses: [{ address: "127.0.0.1", family: 4 }], port: lead } };
      const named = allowed.has(name);
      if (!named && name !== "localhost" && !(isIP(name) !== 0 && matches(loopback, name)))
        return refused(`${name} is neither loopback nor in BACKLOT_WEBHOOK_ALLOW`);
      const addresses = await resolve(name);
      if (addresses.length === 0) return refused(`${name} does not resolve`);
      for (const { address } of addresses) {
        if (matches(metadata, address)) return refused(`${name} leads to the metadata address ${address}`);
        if (!named && !matches(loopback, address)) return refused(`${name} leads to ${address}, which is not loopback`);
      }
      return { allowed: true, target: { addresses } };
    },
  };
}

function leadOf(entry: string): readonly (readonly [name: string, port: number])[] {
  const [, name, port] = /^([^=]+)=127\.0\.0\.1:(\d{1,5})$/.exec(entry) ?? [];
  return name === undefined ? [] : [[bare(name), Number(port)]];
}

const refused = (reason: string) => ({ allowed: false, reason }) as const;

/** `[::1]` without brackets, lower case, without a trailing dot. WHATWG URLs have already turned 0x7f.1 into 127.0.0.1. */
function bare(hostname: string): string {
  return hostname
    .toLowerCase()
    .replace(/^\[|\]$/g, "")
    .replace(/\.$/, "");
}

async function resolve(name: string): Promise<Target["addresses"]> {
  const family = isIP(name);
  if (family === 4 || family === 6) return [{ address: name, family }];
  try {
    const found = await lookup(name, { all: true, verbatim: true });
    return found.map(({ address, family: kind }) => ({ address, family: kind === 6 ? 6 : 4 }));
  } catch {
    // Not an error of ours: the answer `does not resolve` is journalled with the attempt.
    return [];
  }
}
