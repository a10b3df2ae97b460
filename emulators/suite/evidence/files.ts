/** The files of a pack, in memory or in a folder: there they are read when asked for, since a pack may be larger than memory. */
import { closeSync, fstatSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import { join } from "node:path";

export interface Files extends Iterable<readonly [path: string, bytes: Buffer]> {
  readonly size: number;
  keys(): Iterable<string>;
  has(path: string): boolean;
  get(path: string): Buffer | undefined;
  /** In the cheapest way: what is borrowed is good until the next is. Of a file that is not there, nothing. */
  borrow(path: string): Buffer;
  bytesIn(path: string): number;
  /** Each good until the next. */
  pieces(path: string): Iterable<Buffer>;
}

const nothing = Buffer.alloc(0);

export function filesInMemory(held: ReadonlyMap<string, Buffer>): Files {
  const borrow = (path: string) => held.get(path) ?? nothing;
  return {
    get size() {
      return held.size;
    },
    keys: () => held.keys(),
    has: (path) => held.has(path),
    get: (path) => held.get(path),
    borrow,
    bytesIn: (path) => borrow(path).length,
    pieces: (path) => [borrow(path)],
    [Symbol.iterator]: () => held.entries(),
  };
}

const pieceSize = 256 * 1024;

export function filesOnDisk(folder: string, paths: Iterable<string>): Files {
  const known = new Set(paths);
  /** One stretch of memory serves for all. */
  let stretch = nothing;
  const room = (size: number) => {
    if (stretch.length < size) stretch = Buffer.allocUnsafeSlow(Math.max(size, pieceSize));
    return stretch;
  };
  const read = (path: string) => readFileSync(join(folder, path));
  const opened = <T>(path: string, work: (descriptor: number) => T): T => {
    const descriptor = openSync(join(folder, path), "r");
    try {
      return work(descriptor);
    } finally {
      closeSync(descriptor);
    }
  };
  return {
    size: known.size,
    keys: () => known.keys(),
    has: (path) => known.has(path),
    get: (path) => (known.has(path) ? read(path) : undefined),
    borrow(path) {
      if (!known.has(path)) return nothing;
      return opened(path, (descriptor) => {
        const { size } = fstatSync(descriptor);
        const into = room(size);
        let filled = 0;
        while (filled < size) {
          const got = readSync(descriptor, into, filled, size - filled, filled);
          if (got === 0) break; // it has become shorter: the hash will say so
          filled += got;
        }
        return into.subarray(0, filled);
      });
    },
    bytesIn: (path) => statSync(join(folder, path)).size,
    *pieces(path) {
      const descriptor = openSync(join(folder, path), "r");
      try {
        const into = room(pieceSize);
        for (let got = readSync(descriptor, into); got > 0; got = readSync(descriptor, into))
          yield into.subarray(0, got);
      } finally {
        closeSync(descriptor);
      }
    },
    *[Symbol.iterator]() {
      for (const path of known) yield [path, read(path)] as const;
    },
  };
}
