/**
 * Cheap seeded hashes for prices. A page of a thousand prices needs tens of thousands of draws; an HMAC each would cost
 * more than everything else. The seed text goes through SHA-256 once and enters every key with all 128 bits kept here.
 */

/** First 128 bits of a digest of the seed text, as four 32-bit words. */
export type SeedWords = readonly [number, number, number, number];

/**
 * Mixes two 32-bit integers into one; every input bit reaches every output bit (MurmurHash3's finaliser). Signed, because
 * engines keep 32 signed bits without an object of their own and 32 unsigned ones not.
 */
export function mix(left: number, right: number): number {
  let hash = left ^ Math.imul(right, 0x9e3779b1);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

/** FNV-1a over UTF-16 code units, finished with `mix`. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return mix(hash, text.length);
}

/** A key for up to three labels under the seed; `purpose` separates draws about the same labels. */
export function seededKey(seed: SeedWords, purpose: number, first: number, second = 0): number {
  const left = mix(mix(seed[0] ^ first, seed[1]), second);
  const right = mix(mix(seed[2] ^ second, seed[3]), first);
  return mix(left ^ Math.imul(purpose, 0x27d4eb2f), right);
}

/** Uniform in [0, 1). */
export function unit(hash: number): number {
  return (hash >>> 0) / 4_294_967_296;
}

const halvesMean = 2 * 65_535;
const halvesDeviation = 65_536 * Math.sqrt(4 / 12);

/**
 * Standard normal, cut at 3.46 deviations: the sum of four 16-bit uniforms of two hashes. No logarithm and no cosine, so
 * the same on every platform, and a price never depends on how a machine rounds them.
 */
export function normal(key: number, index: number): number {
  const one = mix(key, index);
  const two = mix(one, key ^ 0x5bd1e995);
  return ((one & 65_535) + (one >>> 16) + (two & 65_535) + (two >>> 16) - halvesMean) / halvesDeviation;
}
