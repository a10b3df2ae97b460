/** Which pools a fleet launches from. */
import type { FleetPool, MarketBounds, OnDemandStrategy, SpotStrategy } from "./fleets.ts";
import type { LaunchPlan } from "./resources.ts";

/** An instance that could be launched now. */
export interface Candidate {
  /** Place of the pool in the fleet. */
  readonly index: number;
  readonly pool: FleetPool;
  /** The pool's plan with the type that is meant. */
  readonly plan: LaunchPlan;
  readonly weight: number;
  /** Place in the region's zones. */
  readonly zone: number;
  readonly ticks: number;
  /** Spare capacity, 0 to 1. */
  readonly capacity: number;
  readonly vcpus: number;
  /** Capacity that the fleet has of this type and pool already. */
  readonly standing: number;
}

type Order = (left: Candidate, right: Candidate) => number;

const byPlace: Order = (left, right) => left.index - right.index;
const byPrice: Order = (left, right) => left.ticks / left.weight - right.ticks / right.weight || byPlace(left, right);
const priorityOf = ({ pool }: Candidate) => pool.priority ?? Number.POSITIVE_INFINITY;
const byPriority: Order = (left, right) => {
  const [one, other] = [priorityOf(left), priorityOf(right)];
  return one === other ? byPlace(left, right) : one - other;
};
const byCapacity: Order = (left, right) => right.capacity - left.capacity || byPlace(left, right);
/** Pools with plenty before the others. */
const plentiful = ({ capacity }: Candidate) => capacity > 0.5;
const byPlenty =
  (then: Order): Order =>
  (left, right) =>
    Number(plentiful(right)) - Number(plentiful(left)) || then(left, right);

const orders: Readonly<Record<SpotStrategy | OnDemandStrategy, Order>> = {
  "lowest-price": byPrice,
  diversified: (left, right) => left.standing - right.standing || byPlace(left, right),
  prioritized: byPriority,
  "capacity-optimized": byCapacity,
  // Capacity comes first, priorities are honoured among pools that have it.
  "capacity-optimized-prioritized": byPlenty(byPriority),
  "price-capacity-optimized": byPlenty(byPrice),
};

export interface Wanted extends MarketBounds {
  readonly strategy: SpotStrategy | OnDemandStrategy;
  readonly poolsToUse?: number | undefined;
  /** Capacity that is missing, in weights. */
  readonly capacity: number;
  /** What the instances of this market cost already. */
  readonly spentTicks: number;
  /** What the account may still have. */
  readonly room: { readonly instances: number; readonly vcpus: number };
}

export interface Allotment {
  /** The instances to launch, in order: none when less than the least target can be had. */
  readonly chosen: readonly Candidate[];
  /** The one that the account's quota did not allow any more. */
  readonly overQuota?: Candidate;
}

export function allot(found: readonly Candidate[], wanted: Wanted): Allotment {
  const ranked = [...found].sort(orders[wanted.strategy]);
  const [first] = ranked;
  if (!first) return { chosen: [] };
  const open = ranked.filter(
    ({ plan, zone }) =>
      (!wanted.singleType || plan.type === first.plan.type) && (!wanted.singleZone || zone === first.zone),
  );
  const spread = wanted.strategy === "diversified" ? open.length : (wanted.poolsToUse ?? 1);
  const used = open.slice(0, Math.max(1, spread));
  const chosen: Candidate[] = [];
  let spent = wanted.spentTicks;
  let reached = 0;
  let vcpus = 0;
  let overQuota: Candidate | undefined;
  for (let turn = 0; reached < wanted.capacity; turn += 1) {
    const next = used[turn % used.length];
    if (!next || spent + next.ticks > (wanted.maxTotalTicks ?? Number.POSITIVE_INFINITY)) break;
    if (chosen.length + 1 > wanted.room.instances || vcpus + next.vcpus > wanted.room.vcpus) {
      overQuota = next;
      break;
    }
    chosen.push(next);
    vcpus += next.vcpus;
    spent += next.ticks;
    reached += next.weight;
  }
  return {
    chosen: reached < (wanted.minTarget ?? 0) ? [] : chosen,
    ...(overQuota ? { overQuota } : {}),
  };
}

/**
 * Price protection of attribute-based selection: what costs more than a percentage over the cheapest type of the C, M or R
 * families is left out, or over the cheapest of all when none of these matches.
 */
export function protectedPrices(candidates: readonly Candidate[], percent: number): readonly Candidate[] {
  const common = candidates.filter(({ plan }) => /^[cmr]\d/.test(plan.type));
  const price = ({ ticks, weight }: Candidate) => ticks / weight;
  const cheapest = Math.min(...(common.length > 0 ? common : candidates).map(price));
  return candidates.filter((candidate) => price(candidate) <= cheapest * (1 + percent / 100));
}
