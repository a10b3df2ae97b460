/** The files of a pack that stands in a folder, read when they are asked for: a pack may be larger than memory. */
import { closeSync, fstatSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import { join } from "node:path";

export type Files = ReadonlyMap<string, Buffer>;

export interface FilesOnDisk extends Files {
  /** The same bytes until the next file is borrowed: one stretch of memory serves for all. */
  borrow(path: string): Buffer;
  bytesIn(path: string): number;
  /** In pieces, each good until the next. */
  pieces(path: string): Iterable<Buffer>;
}

const pieceSize = 256 * 1024;

export function filesOnDisk(folder: string, paths: Iterable<string>): FilesOnDisk {
  const known = new Set(paths);
  let stretch = Buffer.alloc(0);
  const read = (path: string) => readFileSync(join(folder, path));
  function* entries(): MapIterator<[string, Buffer]> {
    for (const path of known) yield [path, read(path)];
  }
  function* values(): MapIterator<Buffer> {
    for (const path of known) yield read(path);
  }
  const files: FilesOnDisk = {
    size: known.size,
    has: (path) => known.has(path),
    get: (path) => (known.has(path) ? read(path) : undefined),
    keys: () => known.values(),
    values,
    entries,
    [Symbol.iterator]: entries,
    forEach(work) {
      for (const [path, bytes] of entries()) work(bytes, path, files);
    },
    bytesIn: (path) => statSync(join(folder, path)).size,
    *pieces(path) {
      const descriptor = openSync(join(folder, path), "r");
      try {
        if (stretch.length < pieceSize) stretch = Buffer.allocUnsafeSlow(pieceSize);
        for (;;) {
          const got = readSync(descriptor, stretch, 0, pieceSize, null);
          if (got === 0) return;
          yield stretch.subarray(0, got);
        }
      } finally {
        closeSync(descriptor);
      }
    },
    borrow(path) {
      const descriptor = openSync(join(folder, path), "r");
      try {
        const { size } = fstatSync(descriptor);
        if (stretch.length < size) stretch = Buffer.allocUnsafeSlow(Math.max(size, pieceSize));
        let filled = 0;
        while (filled < size) {
          const got = readSync(descriptor, stretch, filled, size - filled, filled);
          if (got === 0) break; // it has become shorter: the hash will say so
          filled += got;
        }
        return stretch.subarray(0, filled);
      } finally {
        closeSync(descriptor);
      }
    },
  };
  return files;
}

export function piecesOf(files: Files, path: string): Iterable<Buffer> {
  return "pieces" in files ? (files as FilesOnDisk).pieces(path) : [borrow(files, path)];
}

/** In the cheapest way: what is borrowed is good until the next is. */
export function borrow(files: Files, path: string): Buffer {
  return "borrow" in files ? (files as FilesOnDisk).borrow(path) : (files.get(path) ?? Buffer.alloc(0));
}

export function bytesIn(files: Files, path: string): number {
  return "bytesIn" in files ? (files as FilesOnDisk).bytesIn(path) : (files.get(path)?.length ?? 0);
}
