/** Fleets of CreateFleet and spot fleets. */
import type { Fleet, FleetEvent } from "../domain/fleets.ts";
import { priceText } from "./spot-prices.ts";
import { launchSpecificationXml } from "./spot-requests.ts";
import { instantText } from "./time.ts";
import { element, itemList, maybe, tagSetXml, wrap } from "./xml.ts";

export interface FleetView {
  readonly fleet: Fleet;
  readonly fulfilled: number;
  readonly fulfilledOnDemand: number;
  readonly zoneName: (id: string) => string;
}

function overridesXml(fleet: Fleet, index: number, zoneName: (id: string) => string): string {
  const pool = fleet.pools[index];
  const template = pool?.template;
  return wrap(
    "launchTemplateAndOverrides",
    (template
      ? wrap(
          "launchTemplateSpecification",
          element("launchTemplateId", template.id) + element("version", template.version),
        )
      : "") +
      (pool
        ? wrap(
            "overrides",
            element("instanceType", pool.plan.type) +
              maybe("subnetId", pool.plan.subnet) +
              (pool.plan.zone === undefined ? "" : element("availabilityZone", zoneName(pool.plan.zone))) +
              element("weightedCapacity", pool.weight),
          )
        : ""),
  );
}

/** What CreateFleet answers: instances and errors only for `instant`. */
export function createdFleetXml({ fleet, zoneName }: FleetView): string {
  if (fleet.type !== "instant") return element("fleetId", fleet.id);
  return element("fleetId", fleet.id) + fleetErrorsXml(fleet, zoneName) + fleetInstancesXml(fleet, zoneName);
}

function fleetErrorsXml(fleet: Fleet, zoneName: (id: string) => string): string {
  return itemList(
    "errorSet",
    fleet.errors.map(
      ({ pool, code, message, lifecycle }) =>
        overridesXml(fleet, pool, zoneName) +
        element("lifecycle", lifecycle) +
        element("errorCode", code) +
        element("errorMessage", message),
    ),
  );
}

function fleetInstancesXml(fleet: Fleet, zoneName: (id: string) => string): string {
  return itemList(
    "fleetInstanceSet",
    fleet.instances.map(
      ({ id, type, spotRequest }) =>
        overridesXml(
          fleet,
          fleet.pools.findIndex(({ plan }) => plan.type === type),
          zoneName,
        ) +
        element("lifecycle", spotRequest === undefined ? "on-demand" : "spot") +
        itemList("instanceIds", [id]) +
        element("instanceType", type),
    ),
  );
}

export function fleetXml({ fleet, fulfilled, fulfilledOnDemand, zoneName }: FleetView): string {
  return (
    element("activityStatus", fulfilled >= fleet.target ? "fulfilled" : "pending_fulfillment") +
    element("createTime", instantText(fleet.createdAt)) +
    element("fleetId", fleet.id) +
    element("fleetState", fleet.state) +
    maybe("clientToken", fleet.clientToken) +
    element("excessCapacityTerminationPolicy", "termination") +
    element("fulfilledCapacity", fulfilled) +
    element("fulfilledOnDemandCapacity", fulfilledOnDemand) +
    wrap(
      "targetCapacitySpecification",
      element("totalTargetCapacity", fleet.target) +
        element("onDemandTargetCapacity", fleet.onDemand) +
        element("spotTargetCapacity", fleet.target - fleet.onDemand) +
        element("defaultTargetCapacityType", "spot"),
    ) +
    element("terminateInstancesWithExpiration", fleet.terminateWithFleet) +
    element("type", fleet.type) +
    wrap("spotOptions", element("allocationStrategy", fleet.strategy)) +
    tagSetXml(fleet.tags) +
    (fleet.type === "instant" ? fleetErrorsXml(fleet, zoneName) + fleetInstancesXml(fleet, zoneName) : "")
  );
}

export function spotFleetXml({ fleet, fulfilled, zoneName }: FleetView): string {
  return (
    element("activityStatus", fulfilled >= fleet.target ? "fulfilled" : "pending_fulfillment") +
    element("createTime", instantText(fleet.createdAt)) +
    wrap(
      "spotFleetRequestConfig",
      element("allocationStrategy", fleet.strategy) +
        element("fulfilledCapacity", fulfilled) +
        maybe("iamFleetRole", fleet.role) +
        itemList(
          "launchSpecifications",
          fleet.pools.map(
            ({ plan, mostTicks, weight }) =>
              launchSpecificationXml(plan, zoneName) +
              (mostTicks === undefined ? "" : element("spotPrice", priceText(mostTicks))) +
              element("weightedCapacity", weight),
          ),
        ) +
        element("targetCapacity", fleet.target) +
        element("terminateInstancesWithExpiration", fleet.terminateWithFleet) +
        element("type", fleet.type),
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
