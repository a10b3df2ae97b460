/**
 * Entries that the journal's memory let go of while somebody still needs them, on disk: a recording may be longer than
 * memory. The file has no name and its key never leaves the process, so nothing of it outlives the process or can be read
 * by another.
 */
import { createCipheriv, randomBytes } from "node:crypto";
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JournalEntry } from "./journal-entry.ts";
import { entryLine, lineEntry } from "./journal-line.ts";

export interface JournalOverflow {
  /** In order of their sequences. */
  put(entry: JournalEntry): void;
  /** At most `limit` of those after `since`, oldest first. */
  read(since: number, limit: number): readonly JournalEntry[];
  readonly kept: number;
  /** How many could not be kept: the disk is full. */
  readonly lost: number;
  close(): void;
}

interface Block {
  readonly last: number;
  readonly at: number;
  readonly length: number;
}

const blockBytes = 64 * 1024;

export function openOverflow(emulator: string): JournalOverflow {
  const folder = mkdtempSync(join(tmpdir(), "backlot-journal-"));
  const descriptor = openSync(join(folder, "overflow"), "w+", 0o600);
  rmSync(folder, { recursive: true, force: true });
  const key = randomBytes(32);
  /** Counter mode turns back what it turned: the same for both ways. */
  const crypt = (number: number, bytes: Buffer) => {
    const counter = Buffer.alloc(16);
    counter.writeUInt32BE(number, 4);
    return createCipheriv("aes-256-ctr", key, counter).update(bytes);
  };
  const blocks: Block[] = [];
  let end = 0;
  let put = 0;
  let lost = 0;
  let waiting: string[] = [];
  let waitingBytes = 0;
  let waitingLast = 0;
  let opened: { readonly number: number; readonly entries: readonly JournalEntry[] } | undefined;

  const flush = () => {
    if (waiting.length === 0) return;
    const bytes = crypt(blocks.length, Buffer.from(waiting.join("")));
    try {
      for (let done = 0; done < bytes.length; )
        done += writeSync(descriptor, bytes, done, bytes.length - done, end + done);
      blocks.push({ last: waitingLast, at: end, length: bytes.length });
      end += bytes.length;
    } catch {
      lost += waiting.length; // whoever asked for them to be kept asks for this number
    }
    [waiting, waitingBytes] = [[], 0];
  };
  const entriesOf = (number: number): readonly JournalEntry[] => {
    const block = blocks[number];
    if (opened?.number === number || !block) return opened?.entries ?? [];
    const bytes = Buffer.alloc(block.length);
    for (let done = 0; done < bytes.length; ) {
      const got = readSync(descriptor, bytes, done, bytes.length - done, block.at + done);
      if (got === 0) throw new Error(`The overflow of the journal of ${emulator} is shorter than what was written.`);
      done += got;
    }
    const lines = crypt(number, bytes).toString("utf8").split("\n");
    opened = { number, entries: lines.flatMap((line) => (line === "" ? [] : (lineEntry(line, emulator) ?? []))) };
    return opened.entries;
  };

  return {
    put(entry) {
      put += 1;
      const line = `${entryLine(entry)}\n`;
      waiting.push(line);
      waitingBytes += line.length;
      waitingLast = entry.sequence;
      if (waitingBytes >= blockBytes) flush();
    },
    read(since, limit) {
      flush();
      const found: JournalEntry[] = [];
      for (const [number, { last }] of blocks.entries()) {
        if (last <= since) continue;
        for (const entry of entriesOf(number)) if (entry.sequence > since) found.push(entry);
        if (found.length >= limit) break;
      }
      return found.slice(0, limit);
    },
    get kept() {
      return put - lost;
    },
    get lost() {
      return lost;
    },
    close: () => closeSync(descriptor),
  };
}
