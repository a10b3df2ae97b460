/** CreateFleet, DescribeFleets, DeleteFleets. */
import { type Fleet, type FleetPool, recorded } from "../domain/fleets.ts";
import { reject } from "../errors.ts";
import { alive, capacityOf, close, fill } from "../life/fleets.ts";
import { grow, type Node, treeOf } from "../query-tree.ts";
import { createdFleetXml, type FleetView, fleetXml } from "../wire/fleets.ts";
import { element, itemList, wrap } from "../wire/xml.ts";
import { type Facts, pageOf, sift } from "./describe.ts";
import { once } from "./idempotent.ts";
import { ownerOf, readPlan, zoneNameOf } from "./launch-plan.ts";
import { answerEc2, type Call, type Operation, parameterNames, stopDryRun } from "./operation.ts";
import { readTicks } from "./spot-terms.ts";
import { tagsFor } from "./tag-specifications.ts";
import { chosenTemplate } from "./template-choice.ts";

export function fleetView(call: Call): (fleet: Fleet) => FleetView {
  return (fleet) => {
    const living = alive(call.runtime, fleet);
    return {
      fleet,
      fulfilled: capacityOf(living),
      fulfilledOnDemand: capacityOf(living.filter(({ spotRequest }) => spotRequest === undefined)),
      zoneName: (id) => zoneNameOf(call, id),
    };
  };
}

/** One pool for each override of each launch template, or for the template itself. */
export function poolsOf(
  call: Call,
  configurations: readonly Node[],
  mostTicks: number | undefined,
): readonly FleetPool[] {
  return configurations.flatMap((configuration) => {
    const { template, version } = chosenTemplate(call, configuration.at("LaunchTemplateSpecification"));
    const data = grow(version.data);
    const named = { id: template.id, name: template.name, version: version.number };
    const overrides = configuration.items("Overrides");
    const pool = (override: Node | undefined): FleetPool => {
      if (override?.at("InstanceRequirements").given)
        reject("unsupported", "Backlot launches instance types, not instance requirements.");
      const most = readTicks(override?.text("MaxPrice") ?? override?.text("SpotPrice")) ?? mostTicks;
      const weight = Number(override?.text("WeightedCapacity") ?? 1);
      const plan = readPlan(call, data, {
        type: override?.text("InstanceType"),
        subnet: override?.text("SubnetId"),
        zone: override?.text("AvailabilityZone") ?? override?.text("Placement.AvailabilityZone"),
        image: override?.text("ImageId"),
      });
      return {
        plan: {
          ...plan,
          instanceTags: tagsFor(data, "instance", [
            "instance",
            "volume",
            "network-interface",
            "spot-instances-request",
          ]),
        },
        template: named,
        weight: weight > 0 ? weight : 1,
        ...(most === undefined ? {} : { mostTicks: most }),
        priority: Number(override?.text("Priority") ?? 0),
      };
    };
    return overrides.length === 0 ? [pool(undefined)] : overrides.map(pool);
  });
}

export const createFleet: Operation = {
  service: "ec2",
  action: "CreateFleet",
  parameters: parameterNames(
    "DryRun ClientToken SpotOptions.* OnDemandOptions.* ExcessCapacityTerminationPolicy LaunchTemplateConfigs.* TargetCapacitySpecification.* TerminateInstancesWithExpiration Type ValidFrom ValidUntil ReplaceUnhealthyInstances TagSpecification.* Context",
  ),
  run(call) {
    const node = treeOf(call.parameters);
    const type = node.text("Type") ?? "maintain";
    if (type !== "instant" && type !== "request" && type !== "maintain") return reject("badValue", "type", type);
    const configurations = node.items("LaunchTemplateConfigs");
    if (configurations.length === 0) reject("missingParameter", "LaunchTemplateConfigs");
    const capacity = node.at("TargetCapacitySpecification");
    const target = capacity.integer("TotalTargetCapacity") ?? reject("missingParameter", "TotalTargetCapacity");
    if (target < 0 || target > 1000) reject("badValue", "totalTargetCapacity", String(target));
    const usual = capacity.text("DefaultTargetCapacityType") ?? "on-demand";
    const spot = capacity.integer("SpotTargetCapacity");
    const onDemand = capacity.integer("OnDemandTargetCapacity") ?? (usual === "spot" ? 0 : target - (spot ?? 0));
    const pools = poolsOf(call, configurations, undefined);
    const tags = tagsFor(node, "fleet", ["fleet", "instance", "volume"]);
    const instanceTags = tagsFor(node, "instance", ["fleet", "instance", "volume"]);
    stopDryRun(call);
    const owner = ownerOf(call);
    const { runtime } = call;
    const at = runtime.clock.now();
    const token = node.text("ClientToken");
    const [id = ""] = runtime.store.write(() =>
      once(call, "CreateFleet", token, () => {
        const content = [owner.account, owner.region, type, target, pools.map(({ plan }) => plan.type).join()];
        const fleet: Fleet = {
          id: `fleet-${runtime.ids.derive("ec2.fleet", content).uuid()}`,
          ...owner,
          tags,
          kind: "fleet",
          type,
          state: "active",
          createdAt: at,
          target,
          onDemand,
          strategy: node.text("SpotOptions.AllocationStrategy") ?? "lowest-price",
          pools: pools.map((pool) => ({
            ...pool,
            plan: { ...pool.plan, instanceTags: [...pool.plan.instanceTags, ...instanceTags] },
          })),
          instances: [],
          errors: [],
          terminateWithFleet: node.flag("TerminateInstancesWithExpiration") ?? false,
          ...(token === undefined ? {} : { clientToken: token }),
          history: recorded([], [{ at, type: "fleet", subType: "active", text: "" }]),
        };
        return [fill(runtime, fleet, at).id];
      }),
    );
    call.exchange.note("resource", id);
    const fleet = runtime.state.resources.fleet.get(id);
    return answerEc2(call, "CreateFleet", fleet ? createdFleetXml(fleetView(call)(fleet)) : "");
  },
};

const facts: Facts<Fleet> = {
  "activity-status": () => [],
  "excess-capacity-termination-policy": () => ["termination"],
  "fleet-state": ({ state }) => [state],
  "replace-unhealthy-instances": () => ["false"],
  type: ({ type }) => [type],
};

/** Instant fleets are listed only by id, as on AWS. */
export const describeFleets: Operation = {
  service: "ec2",
  action: "DescribeFleets",
  parameters: parameterNames("DryRun MaxResults NextToken FleetId Filter"),
  run(call) {
    const ids = call.parameters.list("FleetId");
    const all = call.runtime.state.resources.fleet.list(ownerOf(call)).filter(({ kind }) => kind === "fleet");
    for (const id of ids) if (!all.some((fleet) => fleet.id === id)) reject("fleetNotFound", id);
    const chosen = all.filter(({ id, type }) => (ids.length === 0 ? type !== "instant" : ids.includes(id)));
    const found = sift(chosen, call.parameters.filters(), facts);
    stopDryRun(call);
    const page = pageOf(call, found, { purpose: "fleets", least: 1 });
    const set = itemList("fleetSet", page.items.map(fleetView(call)).map(fleetXml));
    return answerEc2(call, "DescribeFleets", page.token === undefined ? set : set + element("nextToken", page.token));
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
    const { resources } = call.runtime.state;
    const owner = ownerOf(call);
    const named = ids.map((id) => ({ id, fleet: resources.fleet.of(owner, id) }));
    stopDryRun(call);
    const at = call.runtime.clock.now();
    const gone: string[] = [];
    const failed: string[] = [];
    call.runtime.store.write(() => {
      for (const { id, fleet } of named) {
        if (fleet?.kind !== "fleet") {
          const error = wrap(
            "error",
            element("code", "fleetIdDoesNotExist") + element("message", `The fleet ID '${id}' does not exist`),
          );
          failed.push(error + element("fleetId", id));
        } else {
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
