/** Takes credentials out of what is recorded: of texts, of headers, and of what MIME hides in base64. */
import { createHmac } from "node:crypto";
import { base64Blocks } from "./base64-lines.ts";
import {
  type Found,
  findSecrets,
  holdsSecret,
  lineAt,
  type Replace,
  replaceSecrets,
  secretHeaders,
} from "./secrets.ts";

export interface Redactor {
  text(text: string): string;
  /** Of bytes that may or may not be text. */
  bytes(bytes: Uint8Array): Buffer;
  header(name: string, value: string): string;
  /** How many were replaced so far. */
  readonly count: number;
}

/**
 * @param salt key of the fingerprints by which two places can be compared. Without one (a pack that is not signed with a
 * key of its own) there are none: under a salt that anybody can derive, a weak password could be guessed from them.
 */
export function createRedactor(salt?: Uint8Array): Redactor {
  let count = 0;
  const replace: Replace = (kind, value) => {
    count += 1;
    // What is made from the machine's time or a fresh key differs between runs, and so would its fingerprint.
    if (salt === undefined || kind === "jwt" || kind === "bearer-token" || kind === "aws-session-token")
      return `REDACTED:${kind}`;
    return `REDACTED:sha256:${createHmac("sha256", salt).update(value).digest("hex").slice(0, 12)}`;
  };
  /** Texts without a credential that come again and again: names of headers, most of their values. */
  const clean = new Set<string>();
  const cleaned = (text: string) => {
    if (clean.has(text)) return text;
    const out = replaceSecrets(text, replace);
    if (out === text && text.length < 300 && clean.size < 50_000) clean.add(text);
    return out;
  };
  const redactor: Redactor = {
    text: cleaned,
    bytes(bytes) {
      const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
      const mime = redactEncoded(text, (inner) => replaceSecrets(inner, replace));
      return Buffer.from(replaceSecrets(mime, replace), "latin1");
    },
    header: (name, value) => {
      if (!secretHeaders.has(name.toLowerCase())) return cleaned(value);
      count += 1;
      const scheme = /^[A-Za-z][A-Za-z0-9-]{1,20} /.exec(value)?.[0] ?? "";
      return `${scheme}REDACTED:${name.toLowerCase()}`;
    },
    get count() {
      return count;
    },
  };
  return redactor;
}

/** Quoted-printable breaks lines with `=` and writes bytes as =XX: a credential across a break has no shape. */
const softBreak = /=\r?\n/g;

function redactEncoded(text: string, redact: (inner: string) => string): string {
  let decodedLines = "";
  let done = 0;
  for (const { from, to } of base64Blocks(Buffer.from(text, "latin1"))) {
    const lines = text.slice(from, to);
    const inner = Buffer.from(lines, "base64").toString("latin1");
    if (!holdsSecret(inner)) continue;
    const wrapped = Buffer.from(redact(inner), "latin1")
      .toString("base64")
      .replace(/.{76}(?=.)/g, "$&\r\n");
    decodedLines += text.slice(done, from) + wrapped + (lines.endsWith("\r") ? "\r" : "");
    done = to;
  }
  decodedLines += text.slice(done);
  const joined = decodedLines.replace(softBreak, "");
  return joined !== decodedLines && holdsSecret(joined) ? joined : decodedLines;
}

/** What a file of a finished pack must not hold, decoded as far as MIME goes. */
export function secretsIn(path: string, content: Uint8Array): readonly Found[] {
  const whole = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  const bytes = path.endsWith(".dsse.json")
    ? withoutSignatures(whole)
    : path.endsWith(".png")
      ? textOfPicture(whole)
      : whole;
  const found = [...findSecrets(bytes)];
  for (const { from, to } of base64Blocks(bytes))
    for (const { kind } of findSecrets(Buffer.from(bytes.toString("latin1", from, to), "base64")))
      found.push({ kind, line: lineAt(bytes, from) });
  return found;
}

/** The pack's own. */
const withoutSignatures = (bytes: Buffer) =>
  Buffer.from(bytes.toString("latin1").replace(/"sig":"[^"]*"/g, ""), "latin1");

const pngBegins = Buffer.from("\x89PNG\r\n\x1a\n", "latin1");

/** Compressed pixels look like anything sooner or later: of a PNG everything else is searched, and all of what is none. */
function textOfPicture(bytes: Buffer): Buffer {
  if (!bytes.subarray(0, 8).equals(pngBegins)) return bytes;
  const kept: Buffer[] = [];
  for (let at = 8; at < bytes.length; ) {
    if (at + 12 > bytes.length) return bytes;
    const end = at + 12 + bytes.readUInt32BE(at);
    if (end > bytes.length) return bytes;
    if (bytes.toString("latin1", at + 4, at + 8) !== "IDAT") kept.push(bytes.subarray(at, end));
    at = end;
  }
  return Buffer.concat(kept);
}
