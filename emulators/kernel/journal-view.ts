/** A journal entry as people and programs read it: times as text, bodies bounded, credentials masked. */
import { isoMilliseconds } from "./clock.ts";
import type { JournalEntry } from "./journal.ts";

const keptBytes = 64 * 1024;

export function showEntry(entry: JournalEntry): Record<string, unknown> {
  const data: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(entry.data)) {
    if (value === undefined) continue;
    if (name === "requestHeaders" || name === "responseHeaders")
      data[name] = maskHeaders(value as Record<string, string>);
    else if (
      value instanceof Uint8Array ||
      ((name === "requestBody" || name === "responseBody") && typeof value === "string")
    )
      Object.assign(data, showBody(name, value));
    else data[name] = value;
  }
  return {
    sequence: entry.sequence,
    kind: entry.kind,
    at: isoMilliseconds(entry.at),
    emulator: entry.emulator,
    ...(entry.subject === undefined ? {} : { subject: entry.subject }),
    ...data,
  };
}

function showBody(name: string, body: string | Uint8Array): Record<string, unknown> {
  const bytes =
    typeof body === "string" ? Buffer.from(body) : Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  if (bytes.length === 0) return {};
  const kept = bytes.subarray(0, keptBytes);
  const text = kept.toString("utf8");
  const whole = Buffer.from(text).equals(kept) ? { [name]: text } : { [`${name}Base64`]: kept.toString("base64") };
  return bytes.length > keptBytes ? { ...whole, [`${name}Bytes`]: bytes.length } : whole;
}

/** Keeps who asked, drops what proves it: a tired person may have pointed real credentials here. */
export function maskHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const shown: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) shown[name] = secretHeaders.has(name) ? maskValue(value) : value;
  return shown;
}

const secretHeaders = new Set(["authorization", "proxy-authorization", "cookie", "x-api-key", "x-amz-security-token"]);

function maskValue(value: string): string {
  const basic = /^Basic (.+)$/.exec(value)?.[1];
  if (basic !== undefined) return `Basic ${Buffer.from(basic, "base64").toString("utf8").split(":")[0]}:[masked]`;
  if (value.startsWith("AWS4-HMAC-SHA256")) return value.replace(/Signature=[0-9a-f]+/, "Signature=[masked]");
  const space = value.indexOf(" ");
  return `${space > 0 && space < 20 ? value.slice(0, space) : ""} [masked]`.trim();
}
