/** What a fleet has, what it could launch now, and what of that it is to launch. */
import type { Runtime } from "../../kernel/emulator.ts";
import { allot, type Candidate, protectedPrices } from "../domain/fleet-allocation.ts";
import type { Fleet, FleetInstance, FleetPool } from "../domain/fleets.ts";
import { place } from "../domain/placement.ts";
import { priceTooLow } from "../domain/spot-status.ts";
import type { SpotStore } from "../store.ts";
import { onDemandRoom, spotRoom, vcpuLimitText } from "./quotas.ts";
import { tradingOf } from "./spot.ts";

/** Instances of a fleet that still count. */
export function alive(runtime: Runtime<SpotStore>, fleet: Fleet): Fleet["instances"] {
  return fleet.instances.filter(({ id }) => {
    const state = runtime.state.resources.instance.get(id)?.state;
    return state !== undefined && state !== "terminated" && state !== "shutting-down";
  });
}

export function capacityOf(instances: Fleet["instances"]): number {
  return instances.reduce((sum, { weight }) => sum + weight, 0);
}

export const isSpot = ({ spotRequest }: FleetInstance) => spotRequest !== undefined;

/** Every type of a pool with what it weighs and what of it stands in `living`, the fleet's instances. */
function options(runtime: Runtime<SpotStore>, fleet: Fleet, pool: FleetPool, living: Fleet["instances"]) {
  const { catalogue } = runtime.state.regions;
  const weigh = (name: string) => {
    const type = catalogue.named(name);
    if (!type || fleet.unit === undefined || fleet.unit === "units") return pool.weight;
    return fleet.unit === "vcpu" ? type.vcpu : type.memoryMib;
  };
  const index = fleet.pools.indexOf(pool);
  const mine = living.filter((one) => one.pool === index);
  return (pool.choice?.types ?? [pool.plan.type]).map((type) => ({
    index,
    pool,
    plan: { ...pool.plan, type },
    weight: weigh(type),
    vcpus: catalogue.named(type)?.vcpu ?? 0,
    standing: capacityOf(mine.filter((one) => one.type === type)),
  }));
}

/** What spot offers now; and for each pool that has nothing, why. */
function spotCandidates(runtime: Runtime<SpotStore>, fleet: Fleet, at: number) {
  const { market, places } = tradingOf(runtime, fleet.region);
  const living = alive(runtime, fleet);
  const errors: Fleet["errors"][number][] = [];
  const found = fleet.pools.flatMap((pool, index) => {
    let least: { readonly most: number; readonly price: number } | undefined;
    const offers = options(runtime, fleet, pool, living).flatMap((option): Candidate[] => {
      const { plan } = option;
      const most = pool.mostTicks ?? market.onDemand(places.get(plan.type) ?? 0, plan.product);
      const verdict = place(market, plan, most, at);
      if (verdict.tag === "price" && verdict.least < (least?.price ?? Number.POSITIVE_INFINITY))
        least = { most, price: verdict.least };
      if (verdict.tag !== "placed") return [];
      const { zone, ticks } = verdict.offer;
      const capacity = market.capacity(plan.type, zone, plan.product)(at);
      return [{ ...option, zone, ticks, capacity }];
    });
    if (offers.length === 0)
      errors.push({
        pool: index,
        lifecycle: "spot",
        ...(least
          ? { code: "SpotMaxPriceTooLow", message: priceTooLow(least.most, least.price) }
          : {
              code: "InsufficientInstanceCapacity",
              message: "There is no Spot capacity available that matches your request.",
            }),
      });
    return pool.choice ? protectedPrices(offers, pool.choice.limits.spotPercent) : offers;
  });
  return { found, errors };
}

/** On demand there is always capacity. */
function onDemandCandidates(runtime: Runtime<SpotStore>, fleet: Fleet): readonly Candidate[] {
  const { market, places } = tradingOf(runtime, fleet.region);
  const { catalogue } = runtime.state.regions;
  const living = alive(runtime, fleet);
  return fleet.pools.flatMap((pool) => {
    const offers = options(runtime, fleet, pool, living).flatMap((option): Candidate[] => {
      const { plan } = option;
      const type = catalogue.named(plan.type);
      const zone = market.region.zones.findIndex(
        ({ id }, number) =>
          (plan.zone ?? id) === id && type !== undefined && catalogue.offeredInZone(type, market.region, number),
      );
      const ticks = market.onDemand(places.get(plan.type) ?? 0, plan.product);
      return zone < 0 ? [] : [{ ...option, zone, ticks, capacity: 1 }];
    });
    return pool.choice ? protectedPrices(offers, pool.choice.limits.onDemandPercent) : offers;
  });
}

/** What instances cost an hour now. */
export function costOf(
  runtime: Runtime<SpotStore>,
  fleet: Fleet,
  instances: readonly FleetInstance[],
  at: number,
): number {
  const { market, places } = tradingOf(runtime, fleet.region);
  return instances.reduce((sum, one) => {
    const instance = runtime.state.resources.instance.get(one.id);
    if (!instance) return sum;
    const zone = market.region.zones.findIndex(({ id }) => id === instance.zone);
    const { type, product } = instance.plan;
    const ticks = isSpot(one)
      ? market.priceAt(type, zone, product, Math.floor(at / 1000))
      : market.onDemand(places.get(type) ?? 0, product);
    return sum + (ticks ?? 0);
  }, 0);
}

function quotaErrors(
  runtime: Runtime<SpotStore>,
  fleet: Fleet,
  stopped: { readonly onDemand: Candidate | undefined; readonly spot: Candidate | undefined },
): Fleet["errors"] {
  const limit = runtime.state.account(fleet.account)?.quotas.onDemandVcpus ?? 0;
  const errors: Fleet["errors"][number][] = [];
  if (stopped.onDemand)
    errors.push({
      pool: stopped.onDemand.index,
      lifecycle: "on-demand",
      code: "VcpuLimitExceeded",
      message: vcpuLimitText(limit),
    });
  if (stopped.spot)
    errors.push({
      pool: stopped.spot.index,
      lifecycle: "spot",
      code: "MaxSpotInstanceCountExceeded",
      message: "Max spot instance count exceeded",
    });
  return errors;
}

const weightOf = (chosen: readonly { readonly weight: number }[]) =>
  chosen.reduce((sum, { weight }) => sum + weight, 0);

/** What is to be launched in each market, and why it is not all that is missing. */
export function planned(runtime: Runtime<SpotStore>, fleet: Fleet, at: number) {
  const { resources } = runtime.state;
  // What is about to be replaced does not count any more.
  const counted = alive(runtime, fleet).filter(
    ({ id }) => fleet.spotTerms.rebalance === undefined || resources.instance.get(id)?.rebalanceAt === undefined,
  );
  const running = { onDemand: counted.filter((one) => !isSpot(one)), spot: counted.filter(isSpot) };
  const toDemand = fleet.onDemand - weightOf(running.onDemand);
  const onDemand = allot(toDemand > 0 ? onDemandCandidates(runtime, fleet) : [], {
    ...fleet.onDemandTerms,
    capacity: toDemand,
    spentTicks: costOf(runtime, fleet, running.onDemand, at),
    room: onDemandRoom(runtime, fleet),
  });
  // What is lacking on demand is not made up by spot; what is too much there need not be bought.
  const toBuy = Math.min(
    fleet.target - fleet.onDemand - weightOf(running.spot),
    fleet.target - weightOf(counted) - weightOf(onDemand.chosen),
  );
  const { found, errors } = toBuy > 0 ? spotCandidates(runtime, fleet, at) : { found: [], errors: [] };
  const spot = allot(found, {
    ...fleet.spotTerms,
    capacity: toBuy,
    spentTicks: costOf(runtime, fleet, running.spot, at),
    room: spotRoom(runtime, fleet),
  });
  const short = weightOf(onDemand.chosen) < toDemand || weightOf(spot.chosen) < toBuy;
  const stopped = { onDemand: onDemand.overQuota, spot: spot.overQuota };
  return {
    onDemand: onDemand.chosen,
    spot: spot.chosen,
    short,
    errors: short ? [...errors, ...quotaErrors(runtime, fleet, stopped)] : [],
  };
}
