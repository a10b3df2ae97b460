/**
 * How much spare capacity a pool has at an instant, and how often its instances are taken away: pure functions of the seed,
 * independent of the price, as observers of the real market found. Capacity decides whether a request is fulfilled, when an
 * instance is interrupted and what the placement score is, so that all three tell one story.
 */
import { hashText, mix, normal, type SeedWords, seededKey, unit } from "./hash.ts";

/** Families known to be interrupted seldom or often; deviations from the common frequency. */
const leans: ReadonlyMap<string, number> = new Map(
  (
    [
      [-1.9, "t2 r4 x2gd x2iezn i7i g4ad m3"],
      [-1.3, "t3"],
      [-0.3, "c8g m8g r8g m7g r7g c7g"],
      [0.7, "g5 g4dn"],
      [1, "m5 c6i m6i r6i c6a"],
      [2.2, "d2 i3 x1 z1d p3 inf1"],
    ] as const
  ).flatMap(([lean, names]) => names.split(" ").map((name): [string, number] => [name, lean])),
);

/** Part of instances interrupted in a month of 720 hours, by bucket of the Spot Advisor. */
export const monthlyRates = [0.025, 0.075, 0.125, 0.175, 0.3] as const;
/** Edges between the buckets on the scale of `restlessness`; found so that the buckets are as frequent as published ones. */
const edges = [-0.93, -0.27, 0.13, 0.49] as const;

/** Below this an instance may be taken away. */
export const scarce = 0.25;
/** Below this no request is fulfilled. */
export const exhausted = 0.08;
/** Part of the time that capacity is scarce, by bucket: what the hazard of those hours is divided by. */
export const scarceShares = [0.0098, 0.0157, 0.0255, 0.0387, 0.0579] as const;

export interface PoolName {
  readonly region: string;
  readonly family: string;
  readonly type: string;
  /** Zone id. */
  readonly zone: string;
  readonly windows: boolean;
}

/** Index into the Spot Advisor's ranges; the same in all zones of a region. */
export function bucketOf(seed: SeedWords, pool: Omit<PoolName, "zone">): number {
  const lean = leans.get(pool.family) ?? 0.75 * normal(seededKey(seed, 41, hashText(pool.family)), 0);
  const key = seededKey(seed, 42, hashText(pool.region), mix(hashText(pool.type), pool.windows ? 1 : 0));
  const restlessness = lean + 0.85 * normal(key, 0);
  const place = edges.findIndex((edge) => restlessness < edge);
  return place < 0 ? edges.length : place;
}

const hourMs = 3_600_000;
/** Period in hours and size of the octaves of capacity. */
const octaves = [
  [24 * 11, 0.7],
  [31, 0.6],
  [5.3, 0.5],
] as const;

/** From 0 to 1 at an instant in milliseconds, for one pool: what does not change with time is worked out once. */
export function capacityCurve(seed: SeedWords, pool: PoolName, bucket: number): (at: number) => number {
  const place = mix(hashText(pool.zone), hashText(pool.type));
  const waves = octaves.map(([hours, size], index) => {
    const key = seededKey(seed, 43 + index, place, pool.windows ? 1 : 0);
    return { period: hours * hourMs, size, key, phase: unit(mix(key, 7)), cell: Number.NaN, left: 0, right: 0 };
  });
  const base = 2.6 - 0.3 * bucket;
  return (at) => {
    let noise = 0;
    for (const wave of waves) {
      const x = at / wave.period + wave.phase;
      const cell = Math.floor(x);
      if (cell !== wave.cell) {
        wave.cell = cell;
        wave.left = normal(wave.key, cell);
        wave.right = normal(wave.key, cell + 1);
      }
      const part = x - cell;
      noise += wave.size * (wave.left + (wave.right - wave.left) * part * part * (3 - 2 * part));
    }
    return 1 / (1 + Math.exp(-(base + 1.75 * noise)));
  };
}

export function capacityOf(seed: SeedWords, pool: PoolName, bucket: number, at: number): number {
  return capacityCurve(seed, pool, bucket)(at);
}

/** Chance an hour that an instance is taken away, given the capacity. */
export function hazardOf(bucket: number, capacity: number): number {
  if (capacity >= scarce) return 0;
  const rate = monthlyRates[bucket] ?? 0.3;
  return -Math.log(1 - rate) / 720 / (scarceShares[bucket] ?? 0.05);
}

/**
 * The first full hour after `from` at which this instance's luck runs out; undefined when it lasts until `to`.
 * `luck` is uniform in [0, 1) and fixed for the instance.
 */
export function interruptedAt(
  seed: SeedWords,
  pool: PoolName,
  span: { readonly from: number; readonly to: number; readonly luck: number; readonly spent?: number },
): { readonly at: number | undefined; readonly spent: number } {
  const bucket = bucketOf(seed, pool);
  const limit = -Math.log(1 - span.luck);
  const capacity = capacityCurve(seed, pool, bucket);
  let spent = span.spent ?? 0;
  for (let at = Math.ceil((span.from + 1) / hourMs) * hourMs; at <= span.to; at += hourMs) {
    spent += hazardOf(bucket, capacity(at));
    if (spent >= limit) return { at, spent };
  }
  return { at: undefined, spent };
}

/** 1 to 10: how likely a request of this size is to be placed; few types or little capacity keep it low. */
export function placementScore(capacities: readonly number[], target: number): number {
  if (capacities.length === 0) return 1;
  const sorted = [...capacities].sort((left, right) => right - left);
  const best = sorted.slice(0, 4).reduce((sum, one) => sum + one, 0) / Math.min(4, sorted.length);
  const size = Math.max(0, 1 - Math.log10(Math.max(1, target)) / 5);
  const score = 1 + Math.floor(8.99 * best * (0.4 + 0.6 * size));
  return capacities.length < 3 ? Math.min(3, score) : Math.max(1, Math.min(10, score));
}
