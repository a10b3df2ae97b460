/**
 * Ids are derived from what they name: a keyed hash of the kind, the natural content and how often this content was seen
 * before. The same calls get the same ids in any order and with any concurrency. The counts are state: reset and
 * snapshots restore them (`Ids.dump`, `Ids.load`).
 */
import { createHmac, hash } from "node:crypto";

export type IdPart = string | number | boolean | null | undefined;

export interface DerivedId {
  /** Lower-case hexadecimal of this length, at most 64. */
  hex(length: number): string;
  /** A version-4-shaped UUID. */
  uuid(): string;
  /** Characters drawn from `alphabet` (2 to 64 letters), at most 40 of them. */
  text(length: number, alphabet: string): string;
  /** Uniform in [0, 1) with 48 bits. */
  unit(): number;
  bytes(): Buffer;
}

export interface Ids {
  readonly seed: string;
  /** A new id for the n-th time this content is seen: counts. */
  derive(kind: string, content: readonly IdPart[]): DerivedId;
  /** The id of something seeded or looked up by its content: does not count. */
  fixed(kind: string, content: readonly IdPart[]): DerivedId;
  dump(): readonly (readonly [key: string, seen: number])[];
  load(counts: Iterable<readonly [key: string, seen: number]>): void;
  /** Takes the last count of a key back: the change that counted it was rolled back. */
  uncount(key: string): void;
  /** Called with each changed count, so that the store can keep it. */
  onCount(listener: (key: string, seen: number) => void): void;
}

export function createIds(seed: string): Ids {
  const seen = new Map<string, number>();
  let counted: (key: string, seen: number) => void = () => {};
  // One keyed digest an id, by the one-shot hash: an HMAC object costs three times as much on every created resource. The
  // key stands in front; that it could be extended is no matter for ids that guard nothing.
  const keyed = createHmac("sha256", seed).update("backlot ids").digest("hex");
  // As text, because most ids are: a Buffer between costs as much as the hash.
  const digest = (kind: string, content: readonly IdPart[], n: number): string =>
    hash("sha256", `${keyed}${canonical(kind, content)}\u0000${n}`, "hex");
  return {
    seed,
    derive(kind, content) {
      // The key is itself a digest: counts stay small whatever a client sends.
      const first = digest(kind, content, 0);
      const key = first.slice(0, 30);
      const n = seen.get(key) ?? 0;
      seen.set(key, n + 1);
      counted(key, n + 1);
      return view(n === 0 ? first : digest(kind, content, n));
    },
    fixed: (kind, content) => view(digest(kind, content, 0)),
    dump: () => [...seen],
    load(counts) {
      seen.clear();
      for (const [key, n] of counts) seen.set(key, n);
    },
    uncount(key) {
      const n = seen.get(key) ?? 0;
      if (n > 1) seen.set(key, n - 1);
      else seen.delete(key);
    },
    onCount(listener) {
      counted = listener;
    },
  };
}

/** Length-prefixed and typed, so that no two contents share a text. */
function canonical(kind: string, content: readonly IdPart[]): string {
  let text = kind;
  for (const part of content) {
    if (part === undefined) text += "\u0000u";
    else if (part === null) text += "\u0000n";
    else {
      const word = String(part);
      text += `\u0000${word.length}:${word}`;
    }
  }
  return text;
}

function view(hex: string): DerivedId {
  const at = (byte: number, bytes: number) => Number.parseInt(hex.slice(byte * 2, (byte + bytes) * 2), 16);
  return {
    hex: (length) => hex.slice(0, length),
    uuid() {
      const variant = ((at(8, 1) >> 4) & 3) | 8;
      return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant.toString(16)}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
    },
    text(length, alphabet) {
      // Six bytes at a time: as many letters as 48 bits hold, without arbitrary-precision division.
      const base = alphabet.length;
      const letters = Math.min(40, Math.floor(48 / Math.log2(base)));
      let out = "";
      for (let byte = 0; out.length < length && byte + 6 <= 32; byte += 6) {
        let rest = at(byte, 6);
        for (let n = 0; n < letters && out.length < length; n += 1) {
          out += alphabet.charAt(rest % base);
          rest = Math.floor(rest / base);
        }
      }
      return out;
    },
    unit: () => at(0, 6) / 2 ** 48,
    bytes: () => Buffer.from(hex, "hex"),
  };
}
