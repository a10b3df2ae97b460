/** Cheap 32-bit hashes. One HMAC a row would cost more than everything else that is done with the row. */

/** Mixes two 32-bit integers into one; every input bit reaches every output bit (the finaliser of MurmurHash3). */
export function mix(left: number, right: number): number {
  let hash = left ^ Math.imul(right, 0x9e3779b1);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** FNV-1a over UTF-16 code units, finished with `mix`. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return mix(hash, text.length);
}

/** A threshold for `hash < share(0.2)`: true for this part of all hashes. */
export function share(part: number): number {
  return Math.round(part * 2 ** 32);
}
