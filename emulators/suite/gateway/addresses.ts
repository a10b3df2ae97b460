/**
 * Host names and addresses as they are meant, whatever they are written as: `0xa9fea9fe`, `[::ffff:a9fe:a9fe]` and
 * `169.254.169.254.` are one address. Pure functions.
 */
import { BlockList, isIP } from "node:net";

export interface Authority {
  /** Lower case, addresses in their one usual form, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
}

/** `host:port` of a CONNECT request (RFC 9112 3.2.3); undefined when it is anything else. */
export function parseAuthority(text: string): Authority | undefined {
  const match = /^(\[[^\]\s/?#@]+\]|[^:[\]\s/?#@\\]+):(\d{1,5})$/.exec(text);
  const host = canonicalHost(match?.[1] ?? "");
  const port = Number(match?.[2]);
  return host === undefined || !(port >= 1 && port <= 65_535) ? undefined : { host, port };
}

/**
 * One spelling per host. The WHATWG parser reads octal, hexadecimal, short and full-width IPv4 the way the C library
 * does; a zone id (`fe80::1%eth0`) says which interface and nothing about who answers, so it is dropped.
 */
export function canonicalHost(text: string): string | undefined {
  const bare = text.startsWith("[") ? text.replace(/%[^\]]*/, "") : text;
  const bracketed = isIP(bare) === 6 ? `[${bare}]` : bare;
  const url = bare === "" ? null : URL.parse(`http://${bracketed}/`);
  if (url === null || url.username !== "" || url.port !== "" || url.pathname !== "/") return undefined;
  const host = url.hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "");
  return host === "" ? undefined : host;
}

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
// Linux connects 0.0.0.0 and :: to this machine.
loopback.addAddress("0.0.0.0", "ipv4");
loopback.addAddress("::", "ipv6");
loopback.addAddress("::1", "ipv6");

/** Where clouds answer a machine about itself and hand out its credentials: never forwarded, whatever is allowed. */
const metadata = new BlockList();
metadata.addSubnet("169.254.0.0", 16, "ipv4"); // link-local: AWS, Azure, Google Cloud, ECS task credentials
metadata.addAddress("168.63.129.16", "ipv4"); // Azure's wire server
metadata.addAddress("100.100.100.200", "ipv4"); // Alibaba Cloud
metadata.addAddress("192.0.0.192", "ipv4"); // Oracle Cloud
metadata.addSubnet("fe80::", 10, "ipv6");
metadata.addSubnet("fd00:ec2::", 32, "ipv6"); // AWS
metadata.addAddress("fd20:ce::254", "ipv6"); // Google Cloud

const metadataNames = new Set(["metadata", "metadata.google.internal", "instance-data", "instance-data.ec2.internal"]);

export function isLoopback(host: string): boolean {
  if (host === "localhost" || host.endsWith(".localhost")) return true;
  const family = isIP(host);
  // BlockList compares IPv4-mapped addresses with the IPv4 rules.
  return family !== 0 && loopback.check(host, family === 6 ? "ipv6" : "ipv4");
}

/** Whether a name or address, or an IPv4 address hidden in it, is a metadata service's. */
export function isMetadata(host: string): boolean {
  if (metadataNames.has(host)) return true;
  const family = isIP(host);
  if (family === 0) return false;
  if (metadata.check(host, family === 6 ? "ipv6" : "ipv4")) return true;
  return family === 6 && hiddenAddresses(host).some((address) => metadata.check(address, "ipv4"));
}

/** IPv4 addresses that an IPv6 address carries: translators and tunnels on the way would go there. */
export function hiddenAddresses(address: string): readonly string[] {
  const bytes = bytesOf(address);
  const at = (from: number, flip = 0) => Array.from(bytes.subarray(from, from + 4), (byte) => byte ^ flip).join(".");
  const starts = (...prefix: number[]) => prefix.every((byte, index) => bytes[index] === byte);
  const zeros = (until: number) => bytes.subarray(0, until).every((byte) => byte === 0);
  const found: string[] = [];
  if (zeros(8)) found.push(at(12)); // ::a.b.c.d, ::ffff:a.b.c.d, ::ffff:0:a.b.c.d
  if (starts(0, 0x64, 0xff, 0x9b)) found.push(at(12)); // NAT64, RFC 6052 and RFC 8215
  if (starts(0x20, 0x02)) found.push(at(2)); // 6to4, RFC 3056
  if (starts(0x20, 0x01, 0, 0)) found.push(at(4), at(12, 0xff)); // Teredo, RFC 4380: server, and client inverted
  if (bytes[10] === 0x5e && bytes[11] === 0xfe) found.push(at(12)); // ISATAP, RFC 5214
  return found;
}

function bytesOf(address: string): Uint8Array {
  // The URL parser writes an embedded dotted address as two words.
  const plain = URL.parse(`http://[${address}]/`)?.hostname.slice(1, -1) ?? "::";
  const [head = "", tail = ""] = plain.split("::");
  const words = (text: string) => (text === "" ? [] : text.split(":").map((word) => Number.parseInt(word, 16)));
  const [left, right] = [words(head), words(tail)];
  const middle = plain.includes("::") ? new Array<number>(8 - left.length - right.length).fill(0) : [];
  return Uint8Array.from([...left, ...middle, ...right].flatMap((word) => [word >> 8, word & 0xff]));
}
