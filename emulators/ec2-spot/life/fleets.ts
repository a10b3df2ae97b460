/** Fleets: a target capacity filled from several pools, kept up when asked to, changed, expired and closed. */
import type { Runtime } from "../../kernel/emulator.ts";
import type { Timer } from "../../kernel/timers.ts";
import type { Candidate } from "../domain/fleet-allocation.ts";
import {
  type Fleet,
  type FleetEvent,
  type FleetInstance,
  type FleetState,
  isClosing,
  recorded,
} from "../domain/fleets.ts";
import type { Instance } from "../domain/resources.ts";
import { fleetTag, templateTags } from "../domain/system-tags.ts";
import type { SpotStore } from "../store.ts";
import { alive, capacityOf, costOf, isSpot, planned } from "./fleet-plans.ts";
import { byUser, launch, shutDown } from "./instances.ts";
import { cancel, fulfil, request, tradingOf, userEnded } from "./spot.ts";

export const fleetTimer = "ec2.fleet";
export const fleetExpiryTimer = "ec2.fleet-expiry";
/** Of an instance whose replacement runs already. */
export const fleetRetireTimer = "ec2.fleet-retire";
const retryMs = 60_000;

type Event = Omit<FleetEvent, "number">;

/** Inside a write: launches one instance from a pool. */
function launchFrom(
  runtime: Runtime<SpotStore>,
  fleet: Fleet,
  candidate: Candidate,
  as: { readonly spot: boolean; readonly reservation: string; readonly place: number; readonly at: number },
): FleetInstance {
  const { pool, zone, ticks, weight, index } = candidate;
  const { market, places } = tradingOf(runtime, fleet.region);
  const owner = { account: fleet.account, region: fleet.region };
  const instanceTags = [
    ...candidate.plan.instanceTags,
    fleetTag(fleet.kind, fleet.id),
    ...(pool.template ? templateTags(pool.template) : []),
  ];
  const plan = { ...candidate.plan, instanceTags };
  const { spot, reservation, place: number, at } = as;
  const launched = spot
    ? fulfil(
        runtime,
        request(
          runtime,
          {
            owner,
            plan,
            mostTicks: pool.mostTicks ?? market.onDemand(places.get(plan.type) ?? 0, plan.product),
            type: "one-time",
            behavior: fleet.spotTerms.behavior,
            tags: [],
            fleet: fleet.id,
            place: number,
          },
          at,
          true,
        ),
        { zone, ticks },
        at,
        { reservation, place: number },
      )
    : launch(runtime, { owner, plan, zone: market.region.zones[zone]?.id ?? "", reservation, place: number, at });
  const spotRequest = launched.spotRequest === undefined ? {} : { spotRequest: launched.spotRequest };
  return { id: launched.id, ...spotRequest, weight, type: plan.type, pool: index };
}

/** Inside a write: launches what is missing. */
export function fill(runtime: Runtime<SpotStore>, fleet: Fleet, at: number): Fleet {
  const { resources } = runtime.state;
  const standing = fleet.instances.filter(
    ({ id }) => (resources.instance.get(id)?.state ?? "terminated") !== "terminated",
  );
  const { onDemand, spot, short, errors } = planned(runtime, fleet, at);
  const reservation = `r-${runtime.ids.derive("ec2.reservation", [fleet.id]).hex(17)}`;
  const launches = [
    ...onDemand.map((candidate) => ({ candidate, spot: false })),
    ...spot.map((candidate) => ({ candidate, spot: true })),
  ];
  const made = launches.map(({ candidate, spot }, number) =>
    launchFrom(runtime, fleet, candidate, { spot, reservation, place: standing.length + number, at }),
  );
  if (short && fleet.type !== "instant")
    runtime.timers.schedule({ kind: fleetTimer, subject: fleet.id, due: at + retryMs });
  const filled: Fleet = {
    ...fleet,
    instances: [...standing, ...made],
    errors,
    history: recorded(fleet.history, [
      ...made.map(({ id, type }): Event => ({ at, type: "instance", subType: "launched", instance: id, text: type })),
      ...errors.map(({ code, message }): Event => ({ at, type: "error", subType: code, text: message })),
    ]),
  };
  resources.fleet.put(filled);
  return filled;
}

/** Inside a write: a new fleet starts at once, or when it becomes valid. */
export function open(runtime: Runtime<SpotStore>, fleet: Fleet, at: number): Fleet {
  const { validFrom, validUntil, type, id } = fleet;
  if (type !== "instant" && validUntil !== undefined)
    runtime.timers.schedule({ kind: fleetExpiryTimer, subject: id, due: validUntil });
  if (type === "instant" || validFrom === undefined || validFrom <= at)
    return fill(runtime, changed(fleet, "active", at), at);
  runtime.timers.schedule({ kind: fleetTimer, subject: id, due: validFrom });
  const waiting = changed(fleet, "submitted", at);
  runtime.state.resources.fleet.put(waiting);
  return waiting;
}

function changed(fleet: Fleet, state: FleetState, at: number): Fleet {
  return { ...fleet, state, history: recorded(fleet.history, [{ at, type: "fleet", subType: state, text: "" }]) };
}

/** A fleet becomes valid, is filled up, or has seen its last instance end. */
export function fleetDue(runtime: Runtime<SpotStore>, timer: Timer): void {
  const { resources } = runtime.state;
  const fleet = resources.fleet.get(timer.subject);
  const at = timer.due;
  if (fleet?.state === "submitted") fill(runtime, changed(fleet, "active", at), at);
  else if (fleet?.state === "active") fill(runtime, fleet, at);
  else if (fleet && isClosing(fleet.state)) {
    const left = fleet.instances.some(({ id }) => (resources.instance.get(id)?.state ?? "terminated") !== "terminated");
    if (!left) resources.fleet.put(changed(fleet, fleet.kind === "fleet" ? "deleted" : "cancelled", at));
  }
}

export function fleetExpiryDue(runtime: Runtime<SpotStore>, timer: Timer): void {
  const fleet = runtime.state.resources.fleet.get(timer.subject);
  if (fleet?.state !== "active" && fleet?.state !== "submitted") return;
  const history = recorded(fleet.history, [{ at: timer.due, type: "fleet", subType: "expired", text: "" }]);
  close(runtime, { ...fleet, history }, fleet.terminateWithFleet, timer.due);
}

function fleetOf(runtime: Runtime<SpotStore>, instance: Instance): Fleet | undefined {
  return runtime.state.resources.fleet
    .list({ account: instance.account, region: instance.region })
    .find(({ instances }) => instances.some(({ id }) => id === instance.id));
}

/** An instance of a fleet ended: a fleet that maintains its capacity launches another. */
export function fleetLost(runtime: Runtime<SpotStore>, instance: Instance, at: number): void {
  const fleet = fleetOf(runtime, instance);
  if (!fleet) return;
  const ended = {
    at,
    type: "instance",
    subType: "terminated",
    instance: instance.id,
    text: instance.plan.type,
  } as const;
  runtime.state.resources.fleet.put({ ...fleet, history: recorded(fleet.history, [ended]) });
  if (isClosing(fleet.state) || (fleet.state === "active" && fleet.type === "maintain"))
    runtime.timers.schedule({ kind: fleetTimer, subject: fleet.id, due: at });
}

/** An instance was recommended to rebalance: a fleet that is told to replace it does, before it is taken away. */
export function fleetWarned(runtime: Runtime<SpotStore>, instance: Instance, at: number): void {
  const fleet = fleetOf(runtime, instance);
  if (fleet?.spotTerms.rebalance === undefined || fleet.type !== "maintain" || fleet.state !== "active") return;
  runtime.timers.schedule({ kind: fleetTimer, subject: fleet.id, due: at });
  const { terminateAfter } = fleet.spotTerms.rebalance;
  if (terminateAfter !== undefined)
    runtime.timers.schedule({ kind: fleetRetireTimer, subject: instance.id, due: at + terminateAfter });
}

export function fleetRetireDue(runtime: Runtime<SpotStore>, timer: Timer): void {
  endInstance(runtime, timer.subject, timer.due);
}

function endInstance(runtime: Runtime<SpotStore>, id: string, at: number): void {
  const instance = runtime.state.resources.instance.get(id);
  if (!instance || instance.state === "shutting-down" || instance.state === "terminated") return;
  userEnded(runtime, shutDown(runtime, instance, at, byUser(at)), "terminated", at);
}

/** Inside a write: another target or other pools. What exceeds the target goes when the fleet is told so. */
export function modify(
  runtime: Runtime<SpotStore>,
  fleet: Fleet,
  changes: Pick<Partial<Fleet>, "target" | "onDemand" | "pools" | "terminateExcess">,
  at: number,
): Fleet {
  const wanted: Fleet = { ...fleet, ...changes };
  // Instances of pools that are gone keep counting; they are told apart by a place that no pool has.
  const instances = changes.pools ? fleet.instances.map((one) => ({ ...one, pool: -1 })) : fleet.instances;
  const steps = ["modify_in_progress", "modify_succeeded"].map(
    (subType): Event => ({ at, type: "fleet", subType, text: "" }),
  );
  const modified: Fleet = { ...wanted, instances, history: recorded(fleet.history, steps) };
  runtime.state.resources.fleet.put(modified);
  if (modified.terminateExcess) shrink(runtime, modified, at);
  return fill(runtime, modified, at);
}

/** The dearest go first, or the newest of a fleet that is diversified. */
function shrink(runtime: Runtime<SpotStore>, fleet: Fleet, at: number): void {
  const living = alive(runtime, fleet);
  const cost = new Map(living.map((one) => [one.id, costOf(runtime, fleet, [one], at) / one.weight]));
  const drop = (instances: readonly FleetInstance[], excess: number) => {
    const newest = [...instances].reverse();
    const order =
      fleet.spotTerms.strategy === "diversified"
        ? newest
        : newest.sort((left, right) => (cost.get(right.id) ?? 0) - (cost.get(left.id) ?? 0));
    let left = excess;
    for (const { id, weight } of order) {
      if (weight > left) continue;
      endInstance(runtime, id, at);
      left -= weight;
    }
  };
  const onDemand = living.filter((one) => !isSpot(one));
  drop(onDemand, capacityOf(onDemand) - fleet.onDemand);
  const spot = living.filter(isSpot);
  drop(spot, capacityOf(spot) - (fleet.target - fleet.onDemand));
}

/** Inside a write: no more is launched; what runs goes on or goes too. */
export function close(runtime: Runtime<SpotStore>, fleet: Fleet, terminate: boolean, at: number): Fleet {
  runtime.timers.cancel(fleetTimer, fleet.id);
  runtime.timers.cancel(fleetExpiryTimer, fleet.id);
  for (const { id, spotRequest } of alive(runtime, fleet)) {
    const made = spotRequest === undefined ? undefined : runtime.state.resources.request.get(spotRequest);
    if (made) cancel(runtime, made, at);
    if (terminate) endInstance(runtime, id, at);
  }
  const word = fleet.kind === "fleet" ? "deleted" : "cancelled";
  const closed = changed(fleet, `${word}_${terminate ? "terminating" : "running"}`, at);
  runtime.state.resources.fleet.put(closed);
  runtime.journal.append("change", fleet.id, { fleet: closed.state });
  runtime.timers.schedule({ kind: fleetTimer, subject: fleet.id, due: at });
  return closed;
}
