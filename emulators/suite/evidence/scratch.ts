/**
 * Texts that come in one order and are wanted in another, on disk: a recording has no length that memory would have to
 * hold. The file has no name and is gone with the process; what is put there is free of credentials already.
 */
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Span {
  readonly at: number;
  readonly length: number;
}

export interface Scratch {
  add(bytes: string | Uint8Array): Span;
  read(span: Span): Buffer;
  close(): void;
}

const enough = 256 * 1024;

export function openScratch(): Scratch {
  const folder = mkdtempSync(join(tmpdir(), "backlot-scratch-"));
  const descriptor = openSync(join(folder, "scratch"), "w+", 0o600);
  rmSync(folder, { recursive: true, force: true });
  let written = 0;
  let waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  const flush = () => {
    for (const chunk of waiting.length > 1 ? [Buffer.concat(waiting)] : waiting) writeAll(descriptor, chunk);
    written += waitingBytes;
    waiting = [];
    waitingBytes = 0;
  };
  return {
    add(content) {
      const bytes = typeof content === "string" ? Buffer.from(content) : content;
      const span = { at: written + waitingBytes, length: bytes.length };
      waiting.push(bytes);
      waitingBytes += bytes.length;
      if (waitingBytes >= enough) flush();
      return span;
    },
    read({ at, length }) {
      if (at + length > written) flush();
      const bytes = Buffer.allocUnsafe(length);
      let filled = 0;
      while (filled < length) {
        const got = readSync(descriptor, bytes, filled, length - filled, at + filled);
        if (got === 0) throw new Error("A scratch file of the recording is shorter than what was written to it.");
        filled += got;
      }
      return bytes;
    },
    close: () => closeSync(descriptor),
  };
}

export function writeAll(descriptor: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done);
}
