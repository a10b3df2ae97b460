/** CreateFleet, ModifyFleet, DescribeFleets, DescribeFleetInstances, DeleteFleets. */
import { type Fleet, type FleetPool, isClosing } from "../domain/fleets.ts";
import { reject } from "../errors.ts";
import { alive } from "../life/fleet-plans.ts";
import { close, modify, open } from "../life/fleets.ts";
import { type Node, treeOf } from "../query-tree.ts";
import { activityOf, createdFleetXml, fleetInstancesXml, fleetXml } from "../wire/fleets.ts";
import { element, itemList, wrap } from "../wire/xml.ts";
import { answerPage, type Facts, pageOf, sift } from "./describe.ts";
import {
  fleetView,
  poolsOf,
  readBehavior,
  readBounds,
  readCapacity,
  readOnDemandStrategy,
  readPoolsToUse,
  readRebalance,
  readSpotStrategy,
  readUnit,
  readValidity,
} from "./fleet-forms.ts";
import { clientTokenOf, once } from "./idempotent.ts";
import { ownerOf } from "./launch-plan.ts";
import { answerEc2, type Call, type Operation, parameterNames, stopDryRun } from "./operation.ts";
import { tagsFor } from "./tag-specifications.ts";

/** TargetCapacitySpecification: what is not said of the two markets goes to the default one. */
function readTarget(node: Node, usual?: Fleet["usualMarket"]): Pick<Fleet, "target" | "onDemand" | "usualMarket"> {
  const target = readCapacity(node.integer("TotalTargetCapacity"), "totalTargetCapacity");
  const market = node.text("DefaultTargetCapacityType") ?? usual ?? "on-demand";
  if (market !== "spot" && market !== "on-demand") return reject("badValue", "defaultTargetCapacityType", market);
  const spot = node.integer("SpotTargetCapacity");
  const onDemand = node.integer("OnDemandTargetCapacity") ?? (market === "spot" ? 0 : target - (spot ?? 0));
  if (onDemand < 0 || onDemand + (spot ?? 0) > target)
    reject("invalidValue", "The Spot and On-Demand target capacities must not exceed the total target capacity.");
  return { target, onDemand, usualMarket: market };
}

function readExcess(text: string | undefined): boolean {
  if (text !== undefined && text !== "termination" && text !== "no-termination")
    reject("badValue", "excessCapacityTerminationPolicy", text);
  return text !== "no-termination";
}

function readFleet(call: Call, node: Node, at: number) {
  const type = node.text("Type") ?? "maintain";
  if (type !== "instant" && type !== "request" && type !== "maintain") return reject("badValue", "type", type);
  const configurations = node.items("LaunchTemplateConfigs");
  if (configurations.length === 0) reject("missingParameter", "LaunchTemplateConfigs");
  const capacity = node.at("TargetCapacitySpecification");
  const spot = node.at("SpotOptions");
  const onDemand = node.at("OnDemandOptions");
  const strategy = readSpotStrategy(spot.text("AllocationStrategy"));
  const pools = poolsOf(call, configurations, undefined);
  // Only instant fleets tag their instances by the request; others by their launch templates.
  const allowed = type === "instant" ? ["fleet", "instance", "volume"] : ["fleet"];
  const instanceTags = tagsFor(node, "instance", allowed);
  const volumeTags = tagsFor(node, "volume", allowed);
  const tagged = ({ plan, ...pool }: FleetPool): FleetPool => ({
    ...pool,
    plan: {
      ...plan,
      instanceTags: [...plan.instanceTags, ...instanceTags],
      volumeTags: [...plan.volumeTags, ...volumeTags],
    },
  });
  return {
    type,
    ...readTarget(capacity),
    unit: readUnit(capacity.text("TargetCapacityUnitType"), pools),
    tags: tagsFor(node, "fleet", allowed),
    pools: pools.map(tagged),
    spotTerms: {
      ...readBounds(spot, type),
      strategy,
      behavior: readBehavior(spot, type),
      poolsToUse: readPoolsToUse(spot, strategy),
      rebalance: readRebalance(spot.at("MaintenanceStrategies"), type),
    },
    onDemandTerms: {
      ...readBounds(onDemand, type),
      strategy: readOnDemandStrategy(onDemand.text("AllocationStrategy")),
    },
    terminateExcess: readExcess(node.text("ExcessCapacityTerminationPolicy")),
    replaceUnhealthy: node.flag("ReplaceUnhealthyInstances") ?? false,
    terminateWithFleet: node.flag("TerminateInstancesWithExpiration") ?? false,
    ...readValidity(node, at),
  } satisfies Partial<Fleet>;
}

export const createFleet: Operation = {
  service: "ec2",
  action: "CreateFleet",
  parameters: parameterNames(
    "DryRun ClientToken SpotOptions.* OnDemandOptions.* ExcessCapacityTerminationPolicy LaunchTemplateConfigs.* TargetCapacitySpecification.* TerminateInstancesWithExpiration Type ValidFrom ValidUntil ReplaceUnhealthyInstances TagSpecification.* Context",
  ),
  run(call) {
    const node = treeOf(call.parameters);
    const { runtime } = call;
    const at = runtime.clock.now();
    const wanted = readFleet(call, node, at);
    const clientToken = clientTokenOf(node);
    stopDryRun(call);
    const owner = ownerOf(call);
    const [id = ""] = runtime.store.write(() =>
      once(call, "CreateFleet", clientToken, () => {
        const types = wanted.pools.map(({ plan }) => plan.type).join();
        const content = [owner.account, owner.region, wanted.type, wanted.target, types];
        const fleet: Fleet = {
          id: `fleet-${runtime.ids.derive("ec2.fleet", content).uuid()}`,
          ...owner,
          kind: "fleet",
          state: "submitted",
          createdAt: at,
          ...wanted,
          instances: [],
          errors: [],
          clientToken,
          history: [],
        };
        return [open(runtime, fleet, at).id];
      }),
    );
    call.exchange.note("resource", id);
    const fleet = runtime.state.resources.fleet.get(id);
    return answerEc2(call, "CreateFleet", fleet ? createdFleetXml(fleetView(call)(fleet)) : "");
  },
};

function fleets(call: Call): readonly Fleet[] {
  return call.runtime.state.resources.fleet.list(ownerOf(call)).filter(({ kind }) => kind === "fleet");
}

function fleetNamed(call: Call): Fleet {
  const id = call.parameters.text("FleetId") ?? reject("missingParameter", "FleetId");
  return fleets(call).find((fleet) => fleet.id === id) ?? reject("fleetNotFound", id);
}

/** Only a fleet that keeps itself up can be changed. */
export function refuseUnlessModifiable({ id, type, state }: Fleet): void {
  if (type !== "maintain") reject("unsupported", `Fleet ${id} is of type ${type}; only maintain can be modified.`);
  if (state !== "active") reject("unsupported", `Fleet ${id} is ${state} and cannot be modified.`);
}

export const modifyFleet: Operation = {
  service: "ec2",
  action: "ModifyFleet",
  parameters: parameterNames(
    "DryRun ExcessCapacityTerminationPolicy LaunchTemplateConfig.* FleetId TargetCapacitySpecification.* Context",
  ),
  run(call) {
    const node = treeOf(call.parameters);
    const fleet = fleetNamed(call);
    refuseUnlessModifiable(fleet);
    const capacity = node.at("TargetCapacitySpecification");
    const configurations = node.items("LaunchTemplateConfig");
    const excess = node.text("ExcessCapacityTerminationPolicy");
    const changes = {
      ...(capacity.given ? readTarget(capacity, fleet.usualMarket) : {}),
      ...(configurations.length > 0 ? { pools: poolsOf(call, configurations, undefined) } : {}),
      ...(excess === undefined ? {} : { terminateExcess: readExcess(excess) }),
    };
    stopDryRun(call);
    call.runtime.store.write(() => modify(call.runtime, fleet, changes, call.runtime.clock.now()));
    return answerEc2(call, "ModifyFleet", element("return", true));
  },
};

function fleetFacts(call: Call): Facts<Fleet> {
  const view = fleetView(call);
  return {
    "activity-status": (fleet) => [activityOf(view(fleet))],
    "excess-capacity-termination-policy": ({ terminateExcess }) => [terminateExcess ? "termination" : "no-termination"],
    "fleet-state": ({ state }) => [state],
    "replace-unhealthy-instances": ({ replaceUnhealthy }) => [String(replaceUnhealthy)],
    type: ({ type }) => [type],
  };
}

/** Instant fleets are listed only by id, as on AWS. */
export const describeFleets: Operation = {
  service: "ec2",
  action: "DescribeFleets",
  parameters: parameterNames("DryRun MaxResults NextToken FleetId Filter"),
  run(call) {
    const ids = call.parameters.list("FleetId");
    const all = fleets(call);
    for (const id of ids) if (!all.some((fleet) => fleet.id === id)) reject("fleetNotFound", id);
    const chosen = all.filter(({ id, type }) => (ids.length === 0 ? type !== "instant" : ids.includes(id)));
    const found = sift(chosen, call.parameters.filters(), fleetFacts(call));
    stopDryRun(call);
    const page = pageOf(call, found, { purpose: "fleets", least: 1 });
    const set = itemList("fleetSet", page.items.map(fleetView(call)).map(fleetXml));
    return answerPage(call, "DescribeFleets", set, page);
  },
};

export const describeFleetInstances: Operation = {
  service: "ec2",
  action: "DescribeFleetInstances",
  parameters: parameterNames("DryRun MaxResults NextToken FleetId Filter"),
  run(call) {
    const fleet = fleetNamed(call);
    const living = alive(call.runtime, fleet).map((instance) => ({ ...instance, tags: [] }));
    const found = sift(living, call.parameters.filters(), { "instance-type": ({ type }) => [type] });
    stopDryRun(call);
    const page = pageOf(call, found, { purpose: "fleet-instances", least: 1 });
    return answerEc2(
      call,
      "DescribeFleetInstances",
      fleetInstancesXml(page.items) +
        (page.token === undefined ? "" : element("nextToken", page.token)) +
        element("fleetId", fleet.id),
    );
  },
};

export const deleteFleets: Operation = {
  service: "ec2",
  action: "DeleteFleets",
  parameters: parameterNames("DryRun FleetId TerminateInstances"),
  run(call) {
    const ids = call.parameters.list("FleetId");
    if (ids.length === 0) reject("missingParameter", "FleetId");
    const terminate = call.parameters.flag("TerminateInstances");
    const all = fleets(call);
    stopDryRun(call);
    const at = call.runtime.clock.now();
    const gone: string[] = [];
    const failed: string[] = [];
    const fails = (id: string, code: string, message: string) =>
      failed.push(wrap("error", element("code", code) + element("message", message)) + element("fleetId", id));
    call.runtime.store.write(() => {
      for (const id of ids) {
        const fleet = all.find((one) => one.id === id);
        // What runs on after a deletion can still be told to end.
        if (!fleet) fails(id, "fleetIdDoesNotExist", `The fleet ID '${id}' does not exist`);
        else if (
          fleet.state === "deleted" ||
          (isClosing(fleet.state) && !(terminate && fleet.state === "deleted_running"))
        )
          fails(id, "fleetNotInDeletableState", `The fleet '${id}' is not in a state in which it can be deleted`);
        else {
          // The instances of an instant fleet go with it, whatever is asked.
          const closed = close(call.runtime, fleet, terminate || fleet.type === "instant", at);
          gone.push(
            element("currentFleetState", closed.state) +
              element("previousFleetState", fleet.state) +
              element("fleetId", id),
          );
        }
      }
    });
    return answerEc2(
      call,
      "DeleteFleets",
      itemList("successfulFleetDeletionSet", gone) + itemList("unsuccessfulFleetDeletionSet", failed),
    );
  },
};
