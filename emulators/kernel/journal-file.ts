/**
 * The journal on disk, one line of JSON per entry, so that entries and their numbers go on after a restart. Two
 * generations: when the present file holds as much as the journal keeps, it becomes the previous one. Credentials are
 * masked before they are written.
 */
import {
  appendFileSync,
  closeSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
} from "node:fs";
import { join } from "node:path";
import { makeDataFolder } from "./data-folder.ts";
import type { JournalLimits, JournalSpool } from "./journal.ts";
import type { JournalEntry } from "./journal-entry.ts";
import { entryLine, lineEntry } from "./journal-line.ts";

export interface JournalFileOptions {
  readonly folder: string;
  readonly emulator: string;
  readonly limits: JournalLimits;
  /** Names a journal that starts anew. */
  readonly epoch: string;
  /** Told when lines cannot be written; the journal in memory goes on. */
  readonly onFailure: (cause: unknown) => void;
}

interface Opened {
  readonly descriptor: number;
  readonly epoch: string;
  /** Sequence before the file's first entry. */
  readonly after: number;
  last: number;
  bytes: number;
}

/** Opens or makes `<folder>/<emulator>.journal.jsonl`; a line that a killed process left half-written is cut off. */
export function openJournalFile(options: JournalFileOptions): JournalSpool {
  const { folder, emulator, limits, onFailure } = options;
  makeDataFolder(folder);
  const path = join(folder, `${emulator}.journal.jsonl`);
  const previousPath = join(folder, `${emulator}.journal.previous.jsonl`);
  const begin = (epoch: string, after: number): Opened => {
    const descriptor = openSync(path, "w+");
    const header = `${JSON.stringify({ journal: 1, epoch, after })}\n`;
    appendFileSync(descriptor, header);
    return { descriptor, epoch, after, last: after, bytes: header.length };
  };
  const older = existing(previousPath);
  if (older) closeSync(older.descriptor);
  let file = existing(path) ?? begin(older?.epoch ?? options.epoch, older?.last ?? 0);
  const { epoch } = file;
  const hasOlder = older !== undefined && older.epoch === epoch && older.last === file.after;
  let closed = false;
  let torn = false;

  return {
    epoch,
    first: (hasOlder ? older.after : file.after) + 1,
    last: file.last,
    *load() {
      for (const each of [previousPath, path]) if (existsSync(each)) yield* entriesIn(each, emulator, epoch);
    },
    write(entries) {
      if (closed) return;
      let text = torn ? "\n" : "";
      for (const entry of entries) text += `${entryLine(entry)}\n`;
      try {
        appendFileSync(file.descriptor, text);
        torn = false;
      } catch (cause) {
        torn = true;
        onFailure(cause);
      }
      file.last = entries.at(-1)?.sequence ?? file.last;
      file.bytes += text.length;
      if (file.last - file.after < limits.size && file.bytes < limits.bytes) return;
      closeSync(file.descriptor);
      renameSync(path, previousPath);
      file = begin(epoch, file.last);
    },
    clear(after) {
      if (closed) return;
      closeSync(file.descriptor);
      rmSync(previousPath, { force: true });
      file = begin(epoch, after);
    },
    close() {
      if (closed) return;
      closed = true;
      closeSync(file.descriptor);
    },
  };
}

const newline = 10;

/** A file with a readable first line, ready to be appended to; undefined when there is none. */
function existing(path: string): Opened | undefined {
  if (!existsSync(path)) return undefined;
  const descriptor = openSync(path, "a+");
  const { size } = fstatSync(descriptor);
  const header = headerOf(readAt(descriptor, 0, Math.min(size, 1_024)));
  if (!header) {
    closeSync(descriptor);
    return undefined;
  }
  const { end, last } = tailOf(descriptor, size);
  if (end < size) ftruncateSync(descriptor, end);
  return { descriptor, epoch: header.epoch, after: header.after, last: last ?? header.after, bytes: end };
}

function headerOf(bytes: Buffer): { epoch: string; after: number } | undefined {
  const end = bytes.indexOf(newline);
  const match = /^\{"journal":1,"epoch":"([a-z0-9]+)","after":(\d+)\}$/.exec(
    bytes.toString("utf8", 0, Math.max(0, end)),
  );
  return match?.[1] === undefined ? undefined : { epoch: match[1], after: Number(match[2]) };
}

/** Where the last whole line ends, and the sequence of the last entry. Reads backwards, more and more. */
function tailOf(descriptor: number, size: number): { end: number; last: number | undefined } {
  for (let span = 64 * 1_024; ; span *= 4) {
    const from = Math.max(0, size - span);
    const bytes = readAt(descriptor, from, size - from);
    const end = bytes.lastIndexOf(newline) + 1;
    const start = bytes.lastIndexOf(newline, end - 2) + 1;
    if (end > 0 && (start > 0 || from === 0)) {
      const match = /^\{"sequence":(\d+),/.exec(bytes.toString("utf8", start, Math.min(end, start + 64)));
      return { end: from + end, last: match ? Number(match[1]) : undefined };
    }
    if (from === 0) return { end: 0, last: undefined };
  }
}

function readAt(descriptor: number, position: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const read = readSync(descriptor, bytes, filled, length - filled, position + filled);
    if (read === 0) break;
    filled += read;
  }
  return bytes.subarray(0, filled);
}

function* entriesIn(path: string, emulator: string, epoch: string): Generator<JournalEntry> {
  const bytes = readFileSync(path);
  if (headerOf(bytes.subarray(0, 1_024))?.epoch !== epoch) return;
  for (let start = bytes.indexOf(newline) + 1; start < bytes.length; ) {
    const end = bytes.indexOf(newline, start);
    if (end < 0) return;
    const entry = lineEntry(bytes.toString("utf8", start, end), emulator);
    if (entry) yield entry;
    start = end + 1;
  }
}
