/** The Spot Advisor's figures: savings of the last thirty days against on-demand, and how often instances are interrupted. */
import type { Market } from "./market.ts";

export const ranges = [
  { index: 0, label: "<5%", dots: 0, max: 5 },
  { index: 1, label: "5-10%", dots: 1, max: 11 },
  { index: 2, label: "10-15%", dots: 2, max: 16 },
  { index: 3, label: "15-20%", dots: 3, max: 22 },
  { index: 4, label: ">20%", dots: 4, max: 100 },
] as const;

const daySeconds = 86_400;
/** Days before the end of the month at which the price is looked at; it drifts slowly, so these give the mean. */
const looks = [3, 9, 15, 21, 27] as const;

export interface Advice {
  /** Percent saved. */
  readonly s: number;
  /** Index into the ranges. */
  readonly r: number;
}

/** Of one type under Linux (product 0) or Windows (3) over all its zones; undefined when nowhere offered. `end` in seconds. */
export function adviceOf(market: Market, type: number, product: number, end: number): Advice | undefined {
  const name = market.types[type]?.name;
  if (name === undefined) return undefined;
  let sum = 0;
  let count = 0;
  for (let zone = 0; zone < market.region.zones.length; zone += 1) {
    const series = market.seriesOf(type, zone, product);
    if (!market.has(series)) continue;
    const price = market.drift(series);
    for (const day of looks) {
      sum += price(end - day * daySeconds);
      count += 1;
    }
  }
  if (count === 0) return undefined;
  const saved = 100 * (1 - sum / count / market.onDemand(type, product));
  return { s: Math.max(0, Math.min(90, Math.round(saved))), r: market.bucket(name, product) };
}
