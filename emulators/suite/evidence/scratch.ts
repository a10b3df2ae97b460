/**
 * Texts that come in one order and are wanted in another, on disk: a recording has no length that memory would have to
 * hold. The file has no name and is gone with the process; what is put there is free of credentials already.
 */
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chunks } from "./chunks.ts";

export interface Span {
  readonly at: number;
  readonly length: number;
}

export interface Scratch {
  add(bytes: string | Uint8Array): Span;
  /** Good until the next is read. */
  read(span: Span): Buffer;
  close(): void;
}

export function openScratch(): Scratch {
  const folder = mkdtempSync(join(tmpdir(), "backlot-scratch-"));
  const descriptor = openSync(join(folder, "scratch"), "w+", 0o600);
  rmSync(folder, { recursive: true, force: true });
  let written = 0;
  let given = 0;
  let stretch = Buffer.alloc(0);
  const gathered = chunks((chunk) => {
    writeAll(descriptor, chunk);
    written += chunk.length;
  });
  return {
    add(content) {
      const length = typeof content === "string" ? Buffer.byteLength(content) : content.length;
      gathered.write(content);
      given += length;
      return { at: given - length, length };
    },
    read({ at, length }) {
      if (at + length > written) gathered.flush();
      if (stretch.length < length) stretch = Buffer.allocUnsafeSlow(2 * length);
      let filled = 0;
      while (filled < length) {
        const got = readSync(descriptor, stretch, filled, length - filled, at + filled);
        if (got === 0) throw new Error("A scratch file of the recording is shorter than what was written to it.");
        filled += got;
      }
      return stretch.subarray(0, length);
    },
    close: () => closeSync(descriptor),
  };
}

export function writeAll(descriptor: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done);
}
