/**
 * Archives whose bytes depend on the files alone: ustar (POSIX.1-1988), names in byte order, owner 0, mode 0644, one
 * time for all. Links, devices and paths that lead out are refused when reading.
 */
import { compareText } from "./canonical.ts";
import { type Files, filesInMemory } from "./files.ts";

const block = 512;
const zeros = Buffer.alloc(block);

/**
 * Each part is good until the next is asked for.
 * @param mtime seconds since 1970 that every file bears
 */
export function* tarParts(files: Files, mtime: number, paths = [...files.keys()]): Generator<Uint8Array> {
  for (const path of paths.sort(compareText)) {
    yield* tarEntry(path, { bytes: files.bytesIn(path), pieces: files.pieces(path) }, mtime);
  }
  yield* tarEnd;
}

/** What stands for one file. */
export function* tarEntry(
  path: string,
  { bytes, pieces }: { readonly bytes: number; readonly pieces: Iterable<Uint8Array> },
  mtime: number,
): Generator<Uint8Array> {
  yield header(path, bytes, mtime);
  yield* pieces;
  const over = bytes % block;
  if (over > 0) yield zeros.subarray(over);
}

export const tarEnd: readonly Uint8Array[] = [zeros, zeros];

function header(path: string, size: number, mtime: number): Buffer {
  const { name, prefix } = split(path);
  const bytes = Buffer.alloc(block);
  const octal = (value: number, at: number, width: number) =>
    bytes.write(`${value.toString(8).padStart(width - 1, "0")}\0`, at, "latin1");
  bytes.write(name, 0, "utf8");
  octal(0o644, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(size, 124, 12);
  octal(mtime, 136, 12);
  bytes.write("        0", 148, "latin1"); // the checksum counts as spaces; then the type: a plain file
  bytes.write("ustar\u000000", 257, "latin1");
  octal(0, 329, 8);
  octal(0, 337, 8);
  bytes.write(prefix, 345, "utf8");
  bytes.write(`${checksum(bytes).toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return bytes;
}

/** A name of at most 100 bytes and a folder of at most 155. */
function split(path: string): { name: string; prefix: string } {
  if (Buffer.byteLength(path) <= 100) return { name: path, prefix: "" };
  for (let cut = path.indexOf("/"); cut > 0; cut = path.indexOf("/", cut + 1)) {
    const [prefix, name] = [path.slice(0, cut), path.slice(cut + 1)];
    if (Buffer.byteLength(name) <= 100 && Buffer.byteLength(prefix) <= 155) return { name, prefix };
  }
  throw new Error(`${path} is too long for a ustar archive`);
}

function checksum(head: Buffer): number {
  let sum = 0;
  for (let at = 0; at < block; at += 1) sum += at >= 148 && at < 156 ? 32 : (head[at] ?? 0);
  return sum;
}

export interface TarContent {
  readonly files: Files;
  /** What an honest archive of a pack does not have, in words. */
  readonly problems: readonly string[];
}

export function readTar(archive: Buffer): TarContent {
  const files = new Map<string, Buffer>();
  const problems: string[] = [];
  const content = { files: filesInMemory(files), problems };
  let last = "";
  let at = 0;
  for (; at + block <= archive.length; ) {
    const head = archive.subarray(at, at + block);
    if (head.equals(zeros)) break;
    const text = (from: number, to: number) => head.subarray(from, to).toString("utf8").replace(/\0.*$/s, "");
    const number = (from: number, to: number) => Number.parseInt(text(from, to).trim() || "0", 8);
    if (number(148, 156) !== checksum(head)) {
      problems.push(`the archive is damaged at byte ${at}: a header's checksum is wrong`);
      return content;
    }
    const prefix = text(345, 500);
    const path = prefix === "" ? text(0, 100) : `${prefix}/${text(0, 100)}`;
    const type = text(156, 157);
    const size = number(124, 136);
    const data = archive.subarray(at + block, at + block + size);
    if (data.length < size) problems.push(`${path}: cut off`);
    if (type !== "" && type !== "0" && type !== "5") problems.push(`${path}: not a plain file (type ${type})`);
    else if (type !== "5") {
      if (!isSafePath(path)) problems.push(`${path}: a path that a pack does not use`);
      if (files.has(path)) problems.push(`${path}: twice in the archive`);
      else if (compareText(last, path) > 0) problems.push(`${path}: out of order in the archive`);
      last = path;
      files.set(path, data);
    }
    at += block + Math.ceil(size / block) * block;
  }
  if (at + 2 * block !== archive.length || !archive.subarray(at).every((byte) => byte === 0))
    problems.push("the archive does not end as it should: two blocks of zeros and nothing after them");
  return content;
}

/** Relative, without dots that lead anywhere, and of characters that no shell or checker has to escape. */
export function isSafePath(path: string): boolean {
  return (
    /^[A-Za-z0-9._/-]+$/.test(path) &&
    path.split("/").every((part) => part !== "" && part !== "." && part !== "..") &&
    path.length <= 255
  );
}
