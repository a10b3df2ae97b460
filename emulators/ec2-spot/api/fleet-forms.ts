/** What both kinds of fleet say alike: pools, terms of the two markets, target and time. */
import type {
  CapacityUnit,
  Fleet,
  FleetOverride,
  FleetPool,
  MarketBounds,
  OnDemandStrategy,
  SpotStrategy,
} from "../domain/fleets.ts";
import type { InterruptionAction } from "../domain/resources.ts";
import { reject } from "../errors.ts";
import { alive, capacityOf } from "../life/fleet-plans.ts";
import { grow, type Node } from "../query-tree.ts";
import type { FleetView } from "../wire/fleets.ts";
import { readRequirements, typesMeeting } from "./instance-requirements.ts";
import { imageOf, type PlanOverrides, placeAsked, readPlan, zoneNameOf } from "./launch-plan.ts";
import type { Call } from "./operation.ts";
import { readTicks } from "./spot-terms.ts";
import { readTags, tagsFor } from "./tag-specifications.ts";
import { chosenTemplate } from "./template-choice.ts";

export const mostCapacity = 10_000;

export function fleetView(call: Call): (fleet: Fleet) => FleetView {
  return (fleet) => {
    const living = alive(call.runtime, fleet);
    return {
      fleet,
      fulfilled: capacityOf(living),
      fulfilledOnDemand: capacityOf(living.filter(({ spotRequest }) => spotRequest === undefined)),
      zoneName: (id) => zoneNameOf(call, id),
      zoneOf: (instance) => call.runtime.state.resources.instance.get(instance)?.zone,
      tree: grow,
    };
  };
}

function readOverride(node: Node): FleetOverride {
  const decimal = (name: string) => {
    const text = node.text(name);
    const value = Number(text);
    return text === undefined ? undefined : value >= 0 ? value : reject("badValue", name, text);
  };
  const requirements = node.at("InstanceRequirements");
  return {
    type: node.text("InstanceType"),
    maxPrice: node.text("MaxPrice") ?? node.text("SpotPrice"),
    subnet: node.text("SubnetId"),
    zoneName: node.text("AvailabilityZone") ?? node.text("Placement.AvailabilityZone"),
    zoneId: node.text("AvailabilityZoneId") ?? node.text("Placement.AvailabilityZoneId"),
    weight: decimal("WeightedCapacity"),
    priority: decimal("Priority"),
    image: node.text("ImageId"),
    requirements: requirements.given ? requirements.entries() : undefined,
  };
}

type Planned = Pick<FleetPool, "plan" | "choice">;

/** A plan for one type, or for any of those that meet the requirements; `specification` says what is launched. */
function planOf(call: Call, specification: Node, overrides: PlanOverrides, requirements: Node): Planned {
  if (!requirements.given) return { plan: readPlan(call, specification, overrides) };
  // Requirements of an override stand over the type of its template; side by side the two exclude each other.
  const sideBySide = specification.at("InstanceRequirements").given && specification.text("InstanceType") !== undefined;
  if (overrides.type !== undefined || sideBySide)
    reject("parameterCombination", "InstanceRequirements", "InstanceType");
  const wanted = readRequirements(requirements);
  const { catalogue } = call.runtime.state.regions;
  const { zone } = placeAsked(call, specification, overrides);
  const place = call.region.zones.findIndex(({ id }) => id === zone);
  const { architecture } = imageOf(call, specification, overrides.image);
  const types = typesMeeting(call, call.region, wanted, [architecture])
    .filter((type) => place < 0 || catalogue.offeredInZone(type, call.region, place))
    .map(({ name }) => name);
  const [type = reject("invalidValue", "No instance type meets the instance requirements.")] = types;
  const plan = readPlan(call, specification, { ...overrides, type });
  return { plan, choice: { types, limits: wanted.limits } };
}

/** One pool for each override of each launch template, or for the template itself. */
export function poolsOf(
  call: Call,
  configurations: readonly Node[],
  mostTicks: number | undefined,
): readonly FleetPool[] {
  return configurations.flatMap((configuration, number) => {
    const { template, version } = chosenTemplate(call, configuration.at("LaunchTemplateSpecification"));
    const data = grow(version.data);
    const allowed = ["instance", "volume", "network-interface", "spot-instances-request"];
    const tags = { instanceTags: tagsFor(data, "instance", allowed), volumeTags: tagsFor(data, "volume", allowed) };
    const pool = (node: Node | undefined): FleetPool => {
      const override = node && readOverride(node);
      const asked = node?.at("InstanceRequirements");
      const requirements = asked?.given
        ? asked
        : override?.type === undefined
          ? data.at("InstanceRequirements")
          : grow([]);
      const planned = planOf(
        call,
        data,
        {
          type: override?.type,
          subnet: override?.subnet,
          zone: override?.zoneName,
          zoneId: override?.zoneId,
          image: override?.image,
        },
        requirements,
      );
      const most = readTicks(override?.maxPrice) ?? mostTicks;
      return {
        ...planned,
        plan: { ...planned.plan, ...tags },
        template: { id: template.id, name: template.name, version: version.number },
        configuration: number,
        ...(override ? { override } : {}),
        weight: override?.weight || 1,
        ...(most === undefined ? {} : { mostTicks: most }),
        priority: override?.priority,
      };
    };
    const overrides = configuration.items("Overrides");
    return overrides.length === 0 ? [pool(undefined)] : overrides.map(pool);
  });
}

/** Pools of the launch specifications that only spot fleets have. */
export function specifiedPools(call: Call, config: Node, mostTicks: number | undefined): readonly FleetPool[] {
  return config.items("LaunchSpecifications").map((specification) => {
    const most = readTicks(specification.text("SpotPrice")) ?? mostTicks;
    const instanceTags = specification
      .items("TagSpecificationSet")
      .flatMap((tags) => (tags.text("ResourceType") === "instance" ? readTags(tags.items("Tag")) : []));
    const planned = planOf(call, specification, {}, specification.at("InstanceRequirements"));
    return {
      ...planned,
      plan: { ...planned.plan, instanceTags },
      override: readOverride(specification),
      weight: Number(specification.text("WeightedCapacity") ?? 1) || 1,
      ...(most === undefined ? {} : { mostTicks: most }),
    };
  });
}

/** Spot fleets write in camel case what fleets write with hyphens. */
function hyphened(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

export function readSpotStrategy(text: string | undefined): SpotStrategy {
  const strategy = hyphened(text ?? "lowest-price");
  switch (strategy) {
    case "lowest-price":
    case "diversified":
    case "capacity-optimized":
    case "capacity-optimized-prioritized":
    case "price-capacity-optimized":
      return strategy;
    default:
      return reject("badValue", "allocationStrategy", text);
  }
}

export function readOnDemandStrategy(text: string | undefined): OnDemandStrategy {
  const strategy = hyphened(text ?? "lowest-price");
  return strategy === "lowest-price" || strategy === "prioritized"
    ? strategy
    : reject("badValue", "allocationStrategy", text);
}

/** `stop` and `hibernate` only where what was stopped is waited for. */
export function readBehavior(node: Node, type: Fleet["type"]): InterruptionAction {
  const behavior = node.text("InstanceInterruptionBehavior") ?? "terminate";
  if (behavior !== "terminate" && behavior !== "stop" && behavior !== "hibernate")
    return reject("badValue", "instanceInterruptionBehavior", behavior);
  if (behavior !== "terminate" && type !== "maintain")
    reject("combination", `The interruption behavior ${behavior} needs a fleet of type maintain.`);
  return behavior;
}

/** SpotOptions or OnDemandOptions of CreateFleet. */
export function readBounds(node: Node, type: Fleet["type"]): MarketBounds {
  const singleType = node.flag("SingleInstanceType") ?? false;
  const singleZone = node.flag("SingleAvailabilityZone") ?? false;
  const minTarget = node.integer("MinTargetCapacity");
  if (type !== "instant")
    for (const name of ["SingleInstanceType", "SingleAvailabilityZone", "MinTargetCapacity"])
      if (node.text(name) !== undefined && node.text(name) !== "false")
        reject("combination", `${name} is only supported for fleets of type instant.`);
  if (minTarget !== undefined && !singleType && !singleZone)
    reject("combination", "MinTargetCapacity needs SingleInstanceType or SingleAvailabilityZone.");
  return { singleType, singleZone, minTarget, maxTotalTicks: readTicks(node.text("MaxTotalPrice")) };
}

/** How many pools the cheapest are spread over; only where the strategy is lowest-price. */
export function readPoolsToUse(node: Node, strategy: SpotStrategy): number | undefined {
  const count = node.integer("InstancePoolsToUseCount");
  if (count === undefined) return undefined;
  if (strategy !== "lowest-price")
    reject("combination", "InstancePoolsToUseCount is only supported with the allocation strategy lowest-price.");
  return count >= 1 ? count : reject("badValue", "instancePoolsToUseCount", String(count));
}

/** MaintenanceStrategies of fleets, SpotMaintenanceStrategies of spot fleets. */
export function readRebalance(node: Node, type: Fleet["type"]): Fleet["spotTerms"]["rebalance"] {
  const rebalance = node.at("CapacityRebalance");
  if (!rebalance.given) return undefined;
  if (type !== "maintain") reject("combination", "CapacityRebalance is only supported for fleets of type maintain.");
  const strategy = rebalance.text("ReplacementStrategy") ?? "launch";
  const delay = rebalance.integer("TerminationDelay");
  if (strategy === "launch") return {};
  if (strategy !== "launch-before-terminate") return reject("badValue", "replacementStrategy", strategy);
  if (delay === undefined) return reject("missingParameter", "TerminationDelay");
  return delay >= 120 && delay <= 7200
    ? { terminateAfter: delay * 1000 }
    : reject("badValue", "terminationDelay", String(delay));
}

export function readUnit(text: string | undefined, pools: readonly FleetPool[]): CapacityUnit | undefined {
  if (text === undefined) return undefined;
  if (text !== "units" && text !== "vcpu" && text !== "memory-mib")
    return reject("badValue", "targetCapacityUnitType", text);
  if (!pools.every(({ choice }) => choice))
    reject("combination", "TargetCapacityUnitType is only supported with InstanceRequirements.");
  return text;
}

export function readCapacity(value: number | undefined, name: string): number {
  const capacity = value ?? reject("missingParameter", name);
  return capacity >= 0 && capacity <= mostCapacity ? capacity : reject("badValue", name, String(capacity));
}

export function readValidity(node: Node, now: number): Pick<Fleet, "validFrom" | "validUntil"> {
  const validFrom = node.instant("ValidFrom");
  const validUntil = node.instant("ValidUntil");
  if (validUntil !== undefined && validUntil <= Math.max(now, validFrom ?? now))
    reject("badValue", "validUntil", node.text("ValidUntil"));
  return { validFrom, validUntil };
}
