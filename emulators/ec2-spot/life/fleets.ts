/** Fleets: a target capacity filled from several pools, kept up when asked to. */
import type { Runtime } from "../../kernel/emulator.ts";
import type { Timer } from "../../kernel/timers.ts";
import { type Fleet, type FleetEvent, type FleetPool, recorded } from "../domain/fleets.ts";
import { place } from "../domain/placement.ts";
import type { Instance } from "../domain/resources.ts";
import { dollars } from "../domain/spot-status.ts";
import type { SpotStore } from "../store.ts";
import { byUser, launch, shutDown } from "./instances.ts";
import { cancel, fulfil, request, tradingOf, userEnded } from "./spot.ts";

export const fleetTimer = "ec2.fleet";
const retryMs = 60_000;

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

interface Candidate {
  readonly index: number;
  readonly pool: FleetPool;
  readonly zone: number;
  readonly ticks: number;
  readonly capacity: number;
}

function candidates(runtime: Runtime<SpotStore>, fleet: Fleet, at: number) {
  const { market, places } = tradingOf(runtime, fleet.region);
  const found: Candidate[] = [];
  const errors: Fleet["errors"][number][] = [];
  fleet.pools.forEach((pool, index) => {
    const most = pool.mostTicks ?? market.onDemand(places.get(pool.plan.type) ?? 0, pool.plan.product);
    const verdict = place(market, pool.plan, most, at);
    if (verdict.tag === "placed") {
      const { zone, ticks } = verdict.offer;
      const capacity = market.capacity(pool.plan.type, zone, pool.plan.product)(at);
      found.push({ index, pool, zone, ticks, capacity });
    } else if (verdict.tag === "price")
      errors.push({
        pool: index,
        code: "SpotMaxPriceTooLow",
        message: `Your Spot request price of ${dollars(most)} is lower than the minimum required Spot request fulfillment price of ${dollars(verdict.least)}.`,
        lifecycle: "spot",
      });
    else
      errors.push({
        pool: index,
        code: "InsufficientInstanceCapacity",
        message: "There is no Spot capacity available that matches your request.",
        lifecycle: "spot",
      });
  });
  return { found: ranked(found, fleet.strategy), errors };
}

function ranked(found: readonly Candidate[], strategy: string): readonly Candidate[] {
  const price = (left: Candidate, right: Candidate) =>
    left.ticks / left.pool.weight - right.ticks / right.pool.weight || left.index - right.index;
  const capacity = (left: Candidate, right: Candidate) => right.capacity - left.capacity || left.index - right.index;
  // Price and capacity together: the cheapest of those that have plenty.
  const both = (left: Candidate, right: Candidate) =>
    Number(right.capacity > 0.5) - Number(left.capacity > 0.5) || price(left, right);
  const order = /price-?capacity/i.test(strategy) ? both : /capacity/i.test(strategy) ? capacity : price;
  return [...found].sort(order);
}

/** Inside a write: launches what is missing. */
export function fill(runtime: Runtime<SpotStore>, fleet: Fleet, at: number): Fleet {
  const owner = { account: fleet.account, region: fleet.region };
  const instances = [...alive(runtime, fleet)];
  const events: Omit<FleetEvent, "number">[] = [];
  const { found, errors } = candidates(runtime, fleet, at);
  const launched = (instance: Instance, pool: FleetPool) => {
    const spotRequest = instance.spotRequest === undefined ? {} : { spotRequest: instance.spotRequest };
    instances.push({ id: instance.id, ...spotRequest, weight: pool.weight, type: pool.plan.type });
    events.push({ at, type: "instance", subType: "launched", instance: instance.id, text: pool.plan.type });
  };
  const first = fleet.pools[0];
  const regionZone = (pool: FleetPool) =>
    pool.plan.zone ?? tradingOf(runtime, fleet.region).market.region.zones[0]?.id ?? "";
  const reservation = `r-${runtime.ids.derive("ec2.reservation", [fleet.id]).hex(17)}`;
  let demand = capacityOf(instances.filter(({ spotRequest }) => spotRequest === undefined));
  while (first && demand < fleet.onDemand) {
    const wanted = { owner, plan: first.plan, zone: regionZone(first), reservation, place: instances.length, at };
    launched(launch(runtime, wanted), first);
    demand += first.weight;
  }
  const diversified = fleet.strategy === "diversified";
  for (let turn = 0; found.length > 0 && capacityOf(instances) < fleet.target; turn += 1) {
    const chosen = found[diversified ? turn % found.length : 0];
    if (!chosen) break;
    const { pool, zone, ticks } = chosen;
    const { market, places } = tradingOf(runtime, fleet.region);
    const made = request(
      runtime,
      {
        owner,
        plan: pool.plan,
        mostTicks: pool.mostTicks ?? market.onDemand(places.get(pool.plan.type) ?? 0, pool.plan.product),
        type: "one-time",
        behavior: "terminate",
        tags: [],
        fleet: fleet.id,
        place: instances.length,
      },
      at,
      true,
    );
    launched(fulfil(runtime, made, { zone, ticks }, at, { reservation, place: instances.length }), pool);
  }
  const short = capacityOf(instances) < fleet.target;
  if (short) for (const { code, message } of errors) events.push({ at, type: "error", subType: code, text: message });
  if (short && fleet.type !== "instant")
    runtime.timers.schedule({ kind: fleetTimer, subject: fleet.id, due: at + retryMs });
  const history = recorded(fleet.history, events);
  const filled: Fleet = { ...fleet, instances, errors: short ? errors : [], history };
  runtime.state.resources.fleet.put(filled);
  return filled;
}

export function fleetDue(runtime: Runtime<SpotStore>, timer: Timer): void {
  const fleet = runtime.state.resources.fleet.get(timer.subject);
  if (fleet?.state === "active") fill(runtime, fleet, timer.due);
}

/** An instance of a fleet ended: a fleet that maintains its capacity launches another. */
export function fleetLost(runtime: Runtime<SpotStore>, instance: Instance, at: number): void {
  const { resources } = runtime.state;
  const fleet = resources.fleet
    .list({ account: instance.account, region: instance.region })
    .find(({ instances }) => instances.some(({ id }) => id === instance.id));
  if (!fleet) return;
  const ended = {
    at,
    type: "instance",
    subType: "terminated",
    instance: instance.id,
    text: instance.plan.type,
  } as const;
  resources.fleet.put({ ...fleet, history: recorded(fleet.history, [ended]) });
  if (fleet.state === "active" && fleet.type === "maintain")
    runtime.timers.schedule({ kind: fleetTimer, subject: fleet.id, due: at });
}

/** Inside a write. */
export function close(runtime: Runtime<SpotStore>, fleet: Fleet, terminate: boolean, at: number): Fleet {
  runtime.timers.cancel(fleetTimer, fleet.id);
  for (const { id, spotRequest } of alive(runtime, fleet)) {
    const instance = runtime.state.resources.instance.get(id);
    const made = spotRequest === undefined ? undefined : runtime.state.resources.request.get(spotRequest);
    if (made) cancel(runtime, made, at);
    if (instance && terminate) userEnded(runtime, shutDown(runtime, instance, at, byUser(at)), "terminated", at);
  }
  const spot = fleet.kind === "spot-fleet";
  const state = terminate
    ? spot
      ? "cancelled_terminating"
      : "deleted_terminating"
    : spot
      ? "cancelled_running"
      : "deleted_running";
  const closed: Fleet = {
    ...fleet,
    state,
    history: recorded(fleet.history, [{ at, type: "fleet", subType: state, text: "" }]),
  };
  runtime.state.resources.fleet.put(closed);
  runtime.journal.append("change", fleet.id, { fleet: state });
  return closed;
}
