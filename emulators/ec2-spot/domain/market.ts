/**
 * All pools of one region. A series is one path of prices: a type in a zone under Linux (which also gives Red Hat and SUSE,
 * at the same instants and a constant more) or under Windows. A pool is a series and a product.
 *
 * Numbers are chosen so that ascending pool numbers are in order of type, zone and product, which is how records of one
 * instant are ordered.
 */

import { bucketOf, capacityCurve, type PoolName } from "./capacity.ts";
import { type Catalogue, type InstanceType, redHatMicroDollars, suseMicroDollars } from "./catalogue.ts";
import type { SeedWords } from "./hash.ts";
import { hashText, unit } from "./hash.ts";
import { createPricePath, type Pool, segmentSeconds } from "./price-path.ts";
import type { Region } from "./regions.ts";
import { createSegments, type Segments } from "./segments.ts";

export const products = ["Linux/UNIX", "Red Hat Enterprise Linux", "SUSE Linux", "Windows"] as const;
const windows = 3;

export interface Market {
  readonly region: Region;
  /** What spot offers here, in order of name. */
  readonly types: readonly InstanceType[];
  /** Every series with prices, ascending. */
  readonly series: Uint32Array;
  /** One more than the highest series number. */
  readonly size: number;
  seriesOf(type: number, zone: number, product: number): number;
  has(series: number): boolean;
  typeOf(series: number): number;
  zoneOf(series: number): number;
  isWindows(series: number): boolean;
  /** Records of all series, by segments of time. */
  readonly segments: Segments;
  /** The price in ticks of a product, given that of its series. */
  priceOf(type: number, product: number, ticks: number): number;
  /** The price in ticks at an instant (seconds); undefined when the pool has no prices. */
  priceAt(type: string, zone: number, product: number, at: number): number | undefined;
  /** Place of a type in `types`; undefined when it is not offered here. */
  placeOf(type: string): number | undefined;
  /** The first instant (seconds) in (from, to] at which the price exceeds this many ticks. */
  firstAbove(
    pool: { readonly type: string; readonly zone: number; readonly product: number },
    ticks: number,
    span: { readonly from: number; readonly to: number },
  ): number | undefined;
  /** The price in ticks that a series is drifting to, by instant (seconds): cheap, for means over long spans. */
  drift(series: number): (at: number) => number;
  /** Spare capacity, 0 to 1, by instant in milliseconds. */
  capacity(type: string, zone: number, product: number): (at: number) => number;
  /** Index into the Spot Advisor's ranges of interruption. */
  bucket(type: string, product: number): number;
  poolName(type: string, zone: number, product: number): PoolName;
  readonly seed: SeedWords;
  /** On-demand price in ticks. */
  onDemand(type: number, product: number): number;
}

/** Families whose spot price is far above the common level: nothing is left over of them. */
const scarce: ReadonlySet<string> = new Set(["p4d", "p5", "trn1"]);
/** Accelerated families, of which some pools are offered and yet have never had a price. */
const patchy: ReadonlySet<string> = new Set(["p3", "p4d", "p5", "inf1", "g5g"]);

export function createMarket(catalogue: Catalogue, region: Region, seed: SeedWords): Market {
  const path = createPricePath(seed);
  const types = catalogue.types.filter((type) => catalogue.offeredIn(type, region));
  const zones = region.zones.length;
  const size = types.length * zones * 2;
  const regionHash = hashText(region.name);
  const zoneHashes = Int32Array.from(region.zones, (zone) => hashText(zone.id));
  const linuxTicks = Float64Array.from(types, (type) => Math.floor((type.microDollars * region.multiplier) / 100));
  const licences = Float64Array.from(types, (type) => Math.round(type.windowsMicroDollars / 100));
  const redHat = Float64Array.from(types, (type) => Math.round(redHatMicroDollars(type.vcpu) / 100));
  const suse = Float64Array.from(types, (type) => Math.round(suseMicroDollars(type.vcpu) / 100));
  const courses = types.map(({ family, name }) =>
    path.course(
      { region: regionHash, family: hashText(family), type: hashText(name) },
      scarce.has(family) ? Math.log(0.75 / 0.355) : 0,
    ),
  );

  const poolOf = (series: number): Pool => {
    const type = Math.floor(series / 2 / zones);
    const licence = series % 2 === 1 ? (licences[type] ?? 0) : 0;
    const cap = (linuxTicks[type] ?? 0) + licence;
    const course = courses[type];
    if (course === undefined) throw new RangeError(`${region.name} has no series ${series}`);
    return {
      course,
      zone: zoneHashes[(series >> 1) % zones] ?? 0,
      cap,
      floor: Math.max(1, Math.round(cap / 10)),
      licence,
    };
  };

  const series = offeredSeries(catalogue, region, types);
  const present = new Uint8Array(size);
  const offsets = new Uint32Array(size);
  for (const one of series) {
    const { course, zone } = poolOf(one);
    present[one] = 1;
    offsets[one] = path.offset(course, zone, one % 2 === 1);
  }
  const segments = createSegments({ size, count: series.length, offsets, path, poolOf });
  const { times, ticks } = segments.records;
  const seriesOf = (type: number, zone: number, product: number) =>
    (type * zones + zone) * 2 + (product === windows ? 1 : 0);
  const priceOf = (type: number, product: number, ticks: number) =>
    product === 1 ? ticks + (redHat[type] ?? 0) : product === 2 ? ticks + (suse[type] ?? 0) : ticks;

  const places = new Map(types.map((type, index) => [type.name, index]));
  const poolName = (type: string, zone: number, product: number): PoolName => ({
    region: region.name,
    family: type.split(".")[0] ?? "",
    type,
    zone: region.zones[zone]?.id ?? "",
    windows: product === windows,
  });
  const buckets = new Map<string, number>();
  const bucket = (type: string, product: number): number => {
    const key = product === windows ? `${type} w` : type;
    const found = buckets.get(key) ?? bucketOf(seed, poolName(type, 0, product));
    buckets.set(key, found);
    return found;
  };

  return {
    region,
    seed,
    types,
    placeOf: (type) => places.get(type),
    poolName,
    bucket,
    capacity: (type, zone, product) => capacityCurve(seed, poolName(type, zone, product), bucket(type, product)),
    drift: (series) => path.aim(poolOf(series)),
    firstAbove({ type: name, zone, product }, most, { from, to }) {
      const type = places.get(name) ?? -1;
      const one = seriesOf(type, zone, product);
      if (type < 0 || present[one] !== 1) return undefined;
      for (let at = from; at <= to; ) {
        const first = segments.at(one, at);
        for (let place = first; place < segments.end(first); place += 1) {
          const time = times[place] ?? 0;
          if (time > from && time <= to && priceOf(type, product, ticks[place] ?? 0) > most) return time;
        }
        at = (times[first] ?? 0) + segmentSeconds;
      }
      return undefined;
    },
    series,
    size,
    seriesOf,
    has: (series) => present[series] === 1,
    typeOf: (series) => Math.floor(series / 2 / zones),
    zoneOf: (series) => (series >> 1) % zones,
    isWindows: (series) => (series & 1) === 1,
    segments,
    priceOf,
    priceAt(name, zone, product, at) {
      const type = places.get(name) ?? -1;
      const one = seriesOf(type, zone, product);
      if (type < 0 || zone < 0 || zone >= zones || present[one] !== 1) return undefined;
      const first = segments.at(one, at);
      let place = segments.end(first) - 1;
      while (place > first && (times[place] ?? 0) > at) place -= 1;
      return priceOf(type, product, ticks[place] ?? 0);
    },
    onDemand: (type, product) =>
      product === windows
        ? (linuxTicks[type] ?? 0) + (licences[type] ?? 0)
        : priceOf(type, product, linuxTicks[type] ?? 0),
  };
}

/** Ascending. Types are in order of name, so those of one family stand together and are asked about once. */
function offeredSeries(catalogue: Catalogue, region: Region, types: readonly InstanceType[]): Uint32Array {
  const zones = region.zones.length;
  const found: number[] = [];
  let family = "";
  let open: readonly boolean[] = [];
  types.forEach((type, index) => {
    if (type.family !== family) {
      family = type.family;
      open = region.zones.map((_, zone) => catalogue.offeredInZone(type, region, zone));
    }
    region.zones.forEach((zone, place) => {
      if (open[place] !== true) return;
      if (patchy.has(family) && unit(hashText(`${zone.id}/${type.name}/priced`)) < 0.15) return;
      for (let market = 0; market < (type.architecture === "x86_64" ? 2 : 1); market += 1)
        found.push((index * zones + place) * 2 + market);
    });
  });
  return Uint32Array.from(found);
}
