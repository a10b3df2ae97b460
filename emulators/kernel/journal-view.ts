/** A journal entry as people and programs read it: times as text, bodies as text where they are, credentials masked. */
import { isoMilliseconds } from "./clock.ts";
import type { JournalEntry } from "./journal-entry.ts";
import type { JournalFilter } from "./journal-filter.ts";
import { keptBytes } from "./journal-weight.ts";
import { Pieces } from "./pieces.ts";

/** The filter as parameters of a query. */
export function filterQuery(filter: JournalFilter): Record<string, string> {
  return Object.fromEntries(
    Object.entries(filter).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

/** A test for `journal.read`; undefined lets everything through. */
export function journalMatcher(filter: JournalFilter): ((entry: JournalEntry) => boolean) | undefined {
  const { subject, operation } = filter;
  if (filter.kind === undefined && subject === undefined && operation === undefined && filter.q === undefined)
    return undefined;
  const kinds = filter.kind === undefined ? undefined : new Set(filter.kind.split(","));
  const wanted = filter.q?.toLowerCase();
  return (entry) =>
    (kinds === undefined || kinds.has(entry.kind)) &&
    (subject === undefined || entry.subject === subject) &&
    (operation === undefined || entry.data.operation === operation) &&
    (wanted === undefined || entryText(entry).toLowerCase().includes(wanted));
}

export function showEntry(entry: JournalEntry): Record<string, unknown> {
  const envelope = {
    sequence: entry.sequence,
    kind: entry.kind,
    at: isoMilliseconds(entry.at),
    emulator: entry.emulator,
    ...(entry.subject === undefined ? {} : { subject: entry.subject }),
  };
  const shown: Record<string, unknown> = { ...envelope };
  for (const [name, value] of Object.entries(entry.data)) {
    if (value === undefined) continue;
    if (name === "requestHeaders" || name === "responseHeaders")
      shown[name] = maskHeaders(value as Record<string, string>);
    else if (value instanceof Pieces) Object.assign(shown, showBytes(name, value.whole()));
    else if (value instanceof Uint8Array) Object.assign(shown, showBytes(name, value));
    else if ((name !== "requestBody" && name !== "responseBody") || value !== "") shown[name] = value;
  }
  return Object.assign(shown, envelope);
}

/** The same as one line of JSON. */
export function entryText(entry: JournalEntry): string {
  try {
    return JSON.stringify(showEntry(entry));
  } catch (cause) {
    // A value that JSON cannot hold costs its own entry its data, not everybody the journal.
    return JSON.stringify(showEntry({ ...entry, data: { unreadable: String(cause) } }));
  }
}

function showBytes(name: string, bytes: Uint8Array): Record<string, unknown> {
  if (bytes.length === 0) return {};
  const kept = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, keptBytes));
  const text = kept.toString("utf8");
  return Buffer.from(text).equals(kept) ? { [name]: text } : { [`${name}Base64`]: kept.toString("base64") };
}

/** Keeps who asked, drops what proves it: a tired person may have pointed real credentials here. */
export function maskHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const shown: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) shown[name] = secretHeaders.has(name) ? maskValue(value) : value;
  return shown;
}

const secretHeaders = new Set(["authorization", "proxy-authorization", "cookie", "x-api-key", "x-amz-security-token"]);

function maskValue(value: string): string {
  if (value.endsWith("[masked]")) return value; // read back from the disk, where nothing else is ever written
  const basic = /^Basic (.+)$/.exec(value)?.[1];
  if (basic !== undefined) return `Basic ${Buffer.from(basic, "base64").toString("utf8").split(":")[0]}:[masked]`;
  if (value.startsWith("AWS4-HMAC-SHA256")) return value.replace(/Signature=[0-9a-f]+/, "Signature=[masked]");
  const space = value.indexOf(" ");
  return `${space > 0 && space < 20 ? value.slice(0, space) : ""} [masked]`.trim();
}
