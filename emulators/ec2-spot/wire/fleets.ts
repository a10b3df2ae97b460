/** Fleets of CreateFleet and spot fleets. */
import type { Fleet, FleetEvent, FleetInstance, FleetPool, MarketBounds } from "../domain/fleets.ts";
import { isClosing } from "../domain/fleets.ts";
import type { Node } from "../query-tree.ts";
import { membersXml } from "./members.ts";
import { priceText } from "./spot-prices.ts";
import { launchSpecificationXml } from "./spot-requests.ts";
import { instantText } from "./time.ts";
import { element, itemList, maybe, tagSetXml, wrap } from "./xml.ts";

export interface FleetView {
  readonly fleet: Fleet;
  /** Capacity of the instances that live, and of those among them that are on demand. */
  readonly fulfilled: number;
  readonly fulfilledOnDemand: number;
  readonly zoneName: (id: string) => string;
  /** Zone id of an instance. */
  readonly zoneOf: (instance: string) => string | undefined;
  /** Members that were kept, as a tree. */
  readonly tree: (members: readonly (readonly [name: string, value: string])[]) => Node;
}

/** What a request said of a pool; `launched` is the instance that came of it. */
function overrideXml(view: FleetView, pool: FleetPool, launched?: FleetInstance): string {
  const { override = {} } = pool;
  const zone = launched && view.zoneOf(launched.id);
  const type = launched?.type ?? override.type ?? (override.requirements ? undefined : pool.plan.type);
  const price = view.fleet.kind === "fleet" ? "maxPrice" : "spotPrice";
  return (
    maybe("instanceType", type) +
    maybe(price, override.maxPrice) +
    maybe("subnetId", override.subnet) +
    maybe("availabilityZoneId", override.zoneId) +
    maybe("availabilityZone", override.zoneName ?? (zone === undefined ? undefined : view.zoneName(zone))) +
    maybe("weightedCapacity", override.weight) +
    maybe("priority", override.priority) +
    (override.requirements ? wrap("instanceRequirements", membersXml(view.tree(override.requirements))) : "") +
    maybe("imageId", override.image)
  );
}

function templateXml({ template }: FleetPool): string {
  return template
    ? wrap(
        "launchTemplateSpecification",
        element("launchTemplateId", template.id) +
          element("launchTemplateName", template.name) +
          element("version", template.version),
      )
    : "";
}

/** A pool that was modified away is not told any more. */
function templateAndOverrides(view: FleetView, index: number, launched?: FleetInstance): string {
  const pool = view.fleet.pools[index];
  return pool
    ? wrap("launchTemplateAndOverrides", templateXml(pool) + wrap("overrides", overrideXml(view, pool, launched)))
    : "";
}

function configurationsXml(view: FleetView): string {
  const configurations = Map.groupBy(
    view.fleet.pools.filter(({ configuration }) => configuration !== undefined),
    ({ configuration }) => configuration,
  );
  return itemList(
    "launchTemplateConfigs",
    [...configurations.values()].map(
      (pools) =>
        pools.slice(0, 1).map(templateXml).join("") +
        itemList(
          "overrides",
          pools.filter(({ override }) => override).map((pool) => overrideXml(view, pool)),
        ),
    ),
  );
}

/** What CreateFleet answers: instances and errors only for `instant`. */
export function createdFleetXml(view: FleetView): string {
  const { fleet } = view;
  return element("fleetId", fleet.id) + (fleet.type === "instant" ? errorsXml(view) + launchedXml(view) : "");
}

function errorsXml(view: FleetView): string {
  return itemList(
    "errorSet",
    view.fleet.errors.map(
      ({ pool, code, message, lifecycle }) =>
        templateAndOverrides(view, pool) +
        element("lifecycle", lifecycle) +
        element("errorCode", code) +
        element("errorMessage", message),
    ),
  );
}

/** Instances of one pool, type, zone and market stand together. */
function launchedXml(view: FleetView): string {
  const lifecycle = ({ spotRequest }: FleetInstance) => (spotRequest === undefined ? "on-demand" : "spot");
  const groups = Map.groupBy(view.fleet.instances, (one) =>
    [one.pool, one.type, view.zoneOf(one.id), lifecycle(one)].join("/"),
  );
  return itemList(
    "fleetInstanceSet",
    [...groups.values()].flatMap((instances) =>
      instances.slice(0, 1).map(
        (first) =>
          templateAndOverrides(view, first.pool, first) +
          element("lifecycle", lifecycle(first)) +
          itemList(
            "instanceIds",
            instances.map(({ id }) => id),
          ) +
          element("instanceType", first.type),
      ),
    ),
  );
}

/** Instances that a fleet has, for the operations of both kinds that list them. */
export function fleetInstancesXml(instances: readonly FleetInstance[]): string {
  return itemList(
    "activeInstanceSet",
    instances.map(
      ({ id, type, spotRequest }) =>
        element("instanceId", id) +
        element("instanceType", type) +
        maybe("spotInstanceRequestId", spotRequest) +
        element("instanceHealth", "healthy"),
    ),
  );
}

export function activityOf({ fleet, fulfilled }: FleetView): string {
  if (isClosing(fleet.state) && fleet.state.endsWith("_terminating")) return "pending_termination";
  return fulfilled >= fleet.target ? "fulfilled" : "pending_fulfillment";
}

function maybeTime(name: string, at: number | undefined): string {
  return at === undefined ? "" : element(name, instantText(at));
}

function maybePrice(name: string, ticks: number | undefined): string {
  return ticks === undefined ? "" : element(name, priceText(ticks));
}

function boundsXml({ singleType, singleZone, minTarget, maxTotalTicks }: MarketBounds): string {
  return (
    (singleType ? element("singleInstanceType", true) : "") +
    (singleZone ? element("singleAvailabilityZone", true) : "") +
    maybe("minTargetCapacity", minTarget) +
    maybePrice("maxTotalPrice", maxTotalTicks)
  );
}

function rebalanceXml(name: string, { rebalance }: Fleet["spotTerms"]): string {
  if (!rebalance) return "";
  const { terminateAfter } = rebalance;
  const strategy = terminateAfter === undefined ? "launch" : "launch-before-terminate";
  const delay = terminateAfter === undefined ? "" : element("terminationDelay", terminateAfter / 1000);
  return wrap(name, wrap("capacityRebalance", element("replacementStrategy", strategy) + delay));
}

export function fleetXml(view: FleetView): string {
  const { fleet, fulfilled, fulfilledOnDemand } = view;
  const { spotTerms, onDemandTerms } = fleet;
  return (
    element("activityStatus", activityOf(view)) +
    element("createTime", instantText(fleet.createdAt)) +
    element("fleetId", fleet.id) +
    element("fleetState", fleet.state) +
    maybe("clientToken", fleet.clientToken) +
    element("excessCapacityTerminationPolicy", fleet.terminateExcess ? "termination" : "no-termination") +
    element("fulfilledCapacity", fulfilled) +
    element("fulfilledOnDemandCapacity", fulfilledOnDemand) +
    configurationsXml(view) +
    wrap(
      "targetCapacitySpecification",
      element("totalTargetCapacity", fleet.target) +
        element("onDemandTargetCapacity", fleet.onDemand) +
        element("spotTargetCapacity", fleet.target - fleet.onDemand) +
        element("defaultTargetCapacityType", fleet.usualMarket) +
        maybe("targetCapacityUnitType", fleet.unit),
    ) +
    element("terminateInstancesWithExpiration", fleet.terminateWithFleet) +
    element("type", fleet.type) +
    maybeTime("validFrom", fleet.validFrom) +
    maybeTime("validUntil", fleet.validUntil) +
    element("replaceUnhealthyInstances", fleet.replaceUnhealthy) +
    wrap(
      "spotOptions",
      element("allocationStrategy", spotTerms.strategy) +
        rebalanceXml("maintenanceStrategies", spotTerms) +
        element("instanceInterruptionBehavior", spotTerms.behavior) +
        maybe("instancePoolsToUseCount", spotTerms.poolsToUse) +
        boundsXml(spotTerms),
    ) +
    wrap("onDemandOptions", element("allocationStrategy", onDemandTerms.strategy) + boundsXml(onDemandTerms)) +
    tagSetXml(fleet.tags) +
    (fleet.type === "instant" ? errorsXml(view) + launchedXml(view) : "")
  );
}

/** Spot fleets have in camel case what fleets have with hyphens. */
function camel(text: string): string {
  return text.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

export function spotFleetXml(view: FleetView): string {
  const { fleet, fulfilled, fulfilledOnDemand, zoneName } = view;
  const { spotTerms, onDemandTerms } = fleet;
  const specified = fleet.pools.filter(({ configuration }) => configuration === undefined);
  return (
    element("activityStatus", activityOf(view)) +
    element("createTime", instantText(fleet.createdAt)) +
    wrap(
      "spotFleetRequestConfig",
      element("allocationStrategy", camel(spotTerms.strategy)) +
        element("onDemandAllocationStrategy", camel(onDemandTerms.strategy)) +
        rebalanceXml("spotMaintenanceStrategies", spotTerms) +
        maybe("clientToken", fleet.clientToken) +
        element("excessCapacityTerminationPolicy", fleet.terminateExcess ? "default" : "noTermination") +
        element("fulfilledCapacity", fulfilled) +
        element("onDemandFulfilledCapacity", fulfilledOnDemand) +
        maybe("iamFleetRole", fleet.role) +
        itemList(
          "launchSpecifications",
          specified.map(
            ({ plan, mostTicks, weight, override }) =>
              launchSpecificationXml(plan, zoneName) +
              maybePrice("spotPrice", mostTicks) +
              element("weightedCapacity", weight) +
              (override?.requirements
                ? wrap("instanceRequirements", membersXml(view.tree(override.requirements)))
                : ""),
          ),
        ) +
        configurationsXml(view) +
        element("targetCapacity", fleet.target) +
        element("onDemandTargetCapacity", fleet.onDemand) +
        maybePrice("onDemandMaxTotalPrice", onDemandTerms.maxTotalTicks) +
        maybePrice("spotMaxTotalPrice", spotTerms.maxTotalTicks) +
        element("terminateInstancesWithExpiration", fleet.terminateWithFleet) +
        element("type", fleet.type) +
        maybeTime("validFrom", fleet.validFrom) +
        maybeTime("validUntil", fleet.validUntil) +
        element("replaceUnhealthyInstances", fleet.replaceUnhealthy) +
        element("instanceInterruptionBehavior", spotTerms.behavior) +
        maybe("instancePoolsToUseCount", spotTerms.poolsToUse) +
        maybe("targetCapacityUnitType", fleet.unit),
    ) +
    element("spotFleetRequestId", fleet.id) +
    element("spotFleetRequestState", fleet.state) +
    tagSetXml(fleet.tags)
  );
}

export function fleetEventXml({ at, subType, instance, text }: FleetEvent, type: string): string {
  return (
    wrap(
      "eventInformation",
      element("eventDescription", text) + element("eventSubType", subType) + maybe("instanceId", instance),
    ) +
    element("eventType", type) +
    element("timestamp", instantText(at))
  );
}
