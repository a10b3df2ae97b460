/**
 * The local certificate authority: made on first start, ECDSA P-256, its key readable by the owner only. X.509 name
 * constraints bind it to the emulated domains and loopback, so that trusting it gives nobody power over other names.
 * Leaves are made per server name on first use and live in memory.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate,
} from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";
import { createSecureContext, type SecureContext } from "node:tls";
import type { Clock } from "./clock.ts";
import { folderError } from "./data-folder.ts";
import { der } from "./der.ts";

/** The local authority and what it signs. */
export interface Certificates {
  /** Path of the authority's certificate, for NODE_EXTRA_CA_CERTS and its kin. */
  readonly caPath: string;
  readonly caPem: string;
  /** TLS options for a server: a leaf per SNI name, made on first use. */
  contextFor(serverName: string | undefined): SecureContext;
  /** Key and chain of a leaf, for servers that take PEM. */
  leafFor(serverName: string | undefined): { readonly key: string; readonly cert: string };
}

const day = 86_400_000;
const authorityDays = 3650;
/** Apple's and browsers' limit is 398 days (CA/Browser Forum ballot SC31); a leaf is made anew at each start anyway. */
const leafDays = 397;

/**
 * @param directory folder of ca.pem and ca-key.pem
 * @param domains names the authority may sign, subdomains included: `twilio.com`, `localhost`
 */
export function openCertificates(directory: string, domains: readonly string[], clock: Clock): Certificates {
  const caPath = join(directory, "ca.pem");
  const authority = openAuthority(directory, domains, clock);
  const caPem = readFileSync(caPath, "utf8");
  const leaves = new Map<string, { key: string; cert: string; context: SecureContext }>();
  const leaf = (serverName: string | undefined) => {
    const name = (serverName ?? "localhost").toLowerCase();
    const known = leaves.get(name);
    if (known) return known;
    // Enough for every emulated name; a client inventing names cannot grow it without bound.
    if (leaves.size > 1_000) leaves.clear();
    const made = makeLeaf(authority, name, clock.wall());
    const chain = made.cert + caPem;
    const entry = {
      key: made.key,
      cert: chain,
      context: createSecureContext({ key: made.key, cert: chain, minVersion: "TLSv1.2" }),
    };
    leaves.set(name, entry);
    return entry;
  };
  return {
    caPath,
    caPem,
    contextFor: (serverName) => leaf(serverName).context,
    leafFor: (serverName) => leaf(serverName),
  };
}

interface Authority {
  readonly key: KeyObject;
  readonly certificate: X509Certificate;
}

function openAuthority(directory: string, domains: readonly string[], clock: Clock): Authority {
  try {
    return readOrMakeAuthority(directory, domains, clock);
  } catch (cause) {
    throw folderError("BACKLOT_CA_DIR", directory, cause);
  }
}

function readOrMakeAuthority(directory: string, domains: readonly string[], clock: Clock): Authority {
  const certPath = join(directory, "ca.pem");
  const keyPath = join(directory, "ca-key.pem");
  const notePath = join(directory, "ca-domains.txt");
  const permitted = [...new Set(domains)].sort();
  const note = `${permitted.join("\n")}\n`;
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const key = existsSync(keyPath)
    ? createPrivateKey(readFileSync(keyPath))
    : generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
  if (!existsSync(keyPath)) writeWhole(keyPath, key.export({ type: "pkcs8", format: "pem" }).toString(), 0o600);
  // Only when others may read it: a folder that is complete may be read-only.
  if ((statSync(keyPath).mode & 0o077) !== 0) chmodSync(keyPath, 0o600);
  const present =
    existsSync(certPath) && existsSync(notePath) ? new X509Certificate(readFileSync(certPath)) : undefined;
  const known = new Set(existsSync(notePath) ? readFileSync(notePath, "utf8").split("\n") : []);
  // The same key and subject with more permitted names: clients that trust the older certificate go on working for the
  // names it permits.
  if (
    present &&
    permitted.every((name) => known.has(name)) &&
    Date.parse(present.validTo) - clock.wall() > 30 * day &&
    present.checkPrivateKey(key)
  )
    return { key, certificate: present };
  const all = [...new Set([...permitted, ...[...known].filter((name) => name !== "")])].sort();
  const pem = makeAuthority(key, all, clock.wall());
  writeWhole(certPath, pem, 0o644);
  writeWhole(notePath, all.length === permitted.length ? note : `${all.join("\n")}\n`, 0o644);
  return { key, certificate: new X509Certificate(pem) };
}

/** Another process starting at the same time sees the old file or the new one, never half of it. */
function writeWhole(path: string, text: string, mode: number): void {
  const part = `${path}.${process.pid}.part`;
  writeFileSync(part, text, { mode });
  renameSync(part, path);
}

const oid = {
  commonName: "2.5.4.3",
  organization: "2.5.4.10",
  ecdsaWithSha256: "1.2.840.10045.4.3.2",
  subjectKeyIdentifier: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAltName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  nameConstraints: "2.5.29.30",
  authorityKeyIdentifier: "2.5.29.35",
  extKeyUsage: "2.5.29.37",
  serverAuth: "1.3.6.1.5.5.7.3.1",
} as const;

function makeAuthority(key: KeyObject, domains: readonly string[], now: number): string {
  const name = distinguishedName("Backlot local CA");
  const subtree = (general: Buffer) => der.sequence(general);
  // RFC 5280 4.2.1.10: a DNS constraint covers the name and its subdomains; an address constraint is address + mask.
  const permitted = der.context(
    0,
    true,
    ...domains
      .filter((domain) => isIP(domain) === 0)
      .map((domain) => subtree(der.context(2, false, Buffer.from(domain)))),
    subtree(der.context(7, false, Buffer.from([127, 0, 0, 0, 255, 0, 0, 0]))),
    subtree(der.context(7, false, Buffer.concat([addressBytes("::1"), Buffer.alloc(16, 0xff)]))),
    ...domains
      .filter((domain) => isIP(domain) !== 0)
      .map((domain) =>
        subtree(
          der.context(7, false, Buffer.concat([addressBytes(domain), Buffer.alloc(isIP(domain) === 4 ? 4 : 16, 0xff)])),
        ),
      ),
  );
  return certificate({
    subject: name,
    issuer: name,
    publicKey: key,
    signer: key,
    now,
    days: authorityDays,
    extensions: [
      extension(oid.basicConstraints, true, der.sequence(der.boolean(true), der.integer(Buffer.from([0])))),
      extension(oid.keyUsage, true, der.bits(Buffer.from([0b0000_0110]), 1)), // keyCertSign, cRLSign
      extension(oid.nameConstraints, true, der.sequence(permitted)),
      extension(oid.subjectKeyIdentifier, false, der.octets(keyIdentifier(key))),
    ],
  });
}

function makeLeaf(authority: Authority, serverName: string, now: number): { key: string; cert: string } {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const names = new Set([serverName, ...(isLocal(serverName) ? ["localhost", "127.0.0.1", "::1"] : [])]);
  const alternatives = [...names].map((name) =>
    isIP(name) === 0 ? der.context(2, false, Buffer.from(name)) : der.context(7, false, addressBytes(name)),
  );
  const cert = certificate({
    subject: distinguishedName(serverName.slice(0, 64)),
    issuer: distinguishedName("Backlot local CA"),
    publicKey: privateKey,
    signer: authority.key,
    now,
    days: leafDays,
    extensions: [
      extension(oid.basicConstraints, true, der.sequence()),
      extension(oid.keyUsage, true, der.bits(Buffer.from([0b1000_0000]), 7)), // digitalSignature
      extension(oid.extKeyUsage, false, der.sequence(der.oid(oid.serverAuth))),
      extension(oid.subjectAltName, false, der.sequence(...alternatives)),
      extension(oid.subjectKeyIdentifier, false, der.octets(keyIdentifier(privateKey))),
      extension(oid.authorityKeyIdentifier, false, der.sequence(der.context(0, false, keyIdentifier(authority.key)))),
    ],
  });
  return { key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(), cert };
}

function isLocal(name: string): boolean {
  return name === "localhost" || name === "127.0.0.1" || name === "::1";
}

function certificate(parts: {
  readonly subject: Buffer;
  readonly issuer: Buffer;
  readonly publicKey: KeyObject;
  readonly signer: KeyObject;
  readonly now: number;
  readonly days: number;
  readonly extensions: readonly Buffer[];
}): string {
  const algorithm = der.sequence(der.oid(oid.ecdsaWithSha256));
  // No two certificates of one issuer may share it (RFC 5280 4.1.2.2), and nobody counts them.
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40; // positive, and never shortened
  const body = der.sequence(
    der.context(0, true, der.integer(Buffer.from([2]))), // v3
    der.integer(serial),
    algorithm,
    parts.issuer,
    // An hour back: a container whose clock is a little behind still accepts it.
    der.sequence(der.time(parts.now - 3_600_000), der.time(parts.now + parts.days * day)),
    parts.subject,
    publicKeyInfo(parts.publicKey),
    der.context(3, true, der.sequence(...parts.extensions)),
  );
  const signature = sign("sha256", body, parts.signer);
  const bytes = der.sequence(body, algorithm, der.bits(signature));
  return `-----BEGIN CERTIFICATE-----\n${bytes.toString("base64").replace(/.{64}(?=.)/g, "$&\n")}\n-----END CERTIFICATE-----\n`;
}

function distinguishedName(commonName: string): Buffer {
  const attribute = (type: string, value: string) => der.set(der.sequence(der.oid(type), der.utf8(value)));
  return der.sequence(attribute(oid.organization, "Backlot"), attribute(oid.commonName, commonName));
}

function extension(type: string, critical: boolean, value: Buffer): Buffer {
  return der.sequence(der.oid(type), ...(critical ? [der.boolean(true)] : []), der.octets(value));
}

function publicKeyInfo(key: KeyObject): Buffer {
  return createPublicKey(key).export({ type: "spki", format: "der" });
}

/** SHA-1 of the key, as RFC 5280 4.2.1.2 suggests for identifiers (no security rests on it). */
function keyIdentifier(key: KeyObject): Buffer {
  return createHash("sha1").update(publicKeyInfo(key)).digest();
}

function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split(".").map(Number));
  const [head = "", tail = ""] = address.split("::");
  const words = (text: string) => (text === "" ? [] : text.split(":").map((word) => Number.parseInt(word, 16)));
  const [left, right] = [words(head), words(tail)];
  const middle = address.includes("::") ? new Array<number>(8 - left.length - right.length).fill(0) : [];
  const bytes = Buffer.alloc(16);
  for (const [index, word] of [...left, ...middle, ...right].entries()) bytes.writeUInt16BE(word, index * 2);
  return bytes;
}
