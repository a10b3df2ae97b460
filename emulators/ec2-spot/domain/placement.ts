/** Where a spot request can be fulfilled at an instant, and when it can be next. */
import { exhausted } from "./capacity.ts";
import type { Market } from "./market.ts";
import type { LaunchPlan } from "./resources.ts";

export interface Offer {
  /** Place in the region's zones. */
  readonly zone: number;
  readonly ticks: number;
}

export type Verdict =
  | { readonly tag: "placed"; readonly offer: Offer }
  /** `least` is the lowest price asked for anywhere the request allows. */
  | { readonly tag: "price"; readonly least: number }
  | { readonly tag: "capacity" };

/** The question with what does not change with time worked out: zones in which the pool exists, and their capacity. */
function placer(market: Market, plan: LaunchPlan, most: number): (at: number) => Verdict {
  const type = market.placeOf(plan.type);
  const zones = market.region.zones.flatMap((zone, index) =>
    type !== undefined &&
    (plan.zone === undefined || plan.zone === zone.id) &&
    market.has(market.seriesOf(type, index, plan.product))
      ? [{ index, capacity: market.capacity(plan.type, index, plan.product) }]
      : [],
  );
  return (at) => {
    let least = Number.POSITIVE_INFINITY;
    let best: Offer | undefined;
    for (const { index: zone, capacity } of zones) {
      const ticks = market.priceAt(plan.type, zone, plan.product, Math.floor(at / 1000));
      if (ticks === undefined) continue;
      least = Math.min(least, ticks);
      if (ticks > most || capacity(at) < exhausted) continue;
      if (best === undefined || ticks < best.ticks) best = { zone, ticks };
    }
    if (best) return { tag: "placed", offer: best };
    return least !== Number.POSITIVE_INFINITY && least > most ? { tag: "price", least } : { tag: "capacity" };
  };
}

/** The cheapest zone that has capacity at no more than `most` ticks. `at` in milliseconds. */
export function place(market: Market, plan: LaunchPlan, most: number, at: number): Verdict {
  return placer(market, plan, most)(at);
}

const minuteMs = 60_000;
const longestLook = 24 * 60;

/**
 * The first full minute after `at` at which the verdict differs from the present one, or a day later when it does not until
 * then: holding requests are looked at again every minute, and this finds the minute that matters without a timer for each.
 */
export function nextLook(market: Market, plan: LaunchPlan, most: number, at: number): number {
  const told = (verdict: Verdict) => (verdict.tag === "price" ? verdict.least : verdict.tag);
  const verdictAt = placer(market, plan, most);
  const now = told(verdictAt(at));
  for (let minute = 1; minute <= longestLook; minute += 1) {
    const then = at + minute * minuteMs;
    if (told(verdictAt(then)) !== now) return then;
  }
  return at + longestLook * minuteMs;
}
