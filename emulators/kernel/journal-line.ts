/** An entry as a line of JSON, and back. Credentials are masked before they are written. */
import { entryKinds } from "./entry-kinds.ts";
import type { JournalEntry } from "./journal-entry.ts";
import { entryText } from "./journal-view.ts";

export function entryLine(entry: JournalEntry): string {
  return `{"sequence":${entry.sequence},"wallAt":${entry.wallAt},"entry":${entryText(entry)}}`;
}

/** Undefined for a line cut short by a full disk: the rest of the file is good. */
export function lineEntry(line: string, emulator: string): JournalEntry | undefined {
  let value: { sequence: number; wallAt: number; entry: Record<string, unknown> };
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  const { sequence: _, kind, at, emulator: __, subject, ...data } = value.entry;
  const known = entryKinds.find((candidate) => candidate === kind);
  if (!known || typeof at !== "string") return undefined;
  return {
    sequence: value.sequence,
    kind: known,
    at: Date.parse(at),
    wallAt: value.wallAt,
    emulator,
    ...(typeof subject === "string" ? { subject } : {}),
    data,
  };
}
