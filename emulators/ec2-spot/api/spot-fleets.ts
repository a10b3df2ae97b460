/** Spot fleets, the older kind: RequestSpotFleet, ModifySpotFleetRequest, what describes them, CancelSpotFleetRequests. */
import { type Fleet, isClosing } from "../domain/fleets.ts";
import { reject } from "../errors.ts";
import { alive } from "../life/fleet-plans.ts";
import { close, modify, open } from "../life/fleets.ts";
import { type Node, treeOf } from "../query-tree.ts";
import { fleetInstancesXml, spotFleetXml } from "../wire/fleets.ts";
import { element, itemList, wrap } from "../wire/xml.ts";
import { pageOf } from "./describe.ts";
import {
  fleetView,
  poolsOf,
  readBehavior,
  readCapacity,
  readOnDemandStrategy,
  readPoolsToUse,
  readRebalance,
  readSpotStrategy,
  readUnit,
  readValidity,
  specifiedPools,
} from "./fleet-forms.ts";
import { refuseUnlessModifiable } from "./fleets.ts";
import { clientTokenOf, once } from "./idempotent.ts";
import { ownerOf } from "./launch-plan.ts";
import { answerEc2, type Call, type Operation, parameterNames, stopDryRun } from "./operation.ts";
import { readTicks } from "./spot-terms.ts";
import { tagsFor } from "./tag-specifications.ts";

function readExcess(text: string | undefined): boolean {
  if (text !== undefined && text !== "default" && text !== "noTermination")
    reject("badValue", "excessCapacityTerminationPolicy", text);
  return text !== "noTermination";
}

function readOnDemand(node: Node, target: number): number {
  const onDemand = node.integer("OnDemandTargetCapacity") ?? 0;
  return onDemand >= 0 && onDemand <= target
    ? onDemand
    : reject("badValue", "onDemandTargetCapacity", String(onDemand));
}

function readSpotFleet(call: Call, config: Node, at: number) {
  const target = readCapacity(config.integer("TargetCapacity"), "SpotFleetRequestConfig.TargetCapacity");
  const role = config.text("IamFleetRole") ?? reject("missingParameter", "SpotFleetRequestConfig.IamFleetRole");
  const type = config.text("Type") ?? "maintain";
  if (type !== "request" && type !== "maintain") return reject("badValue", "type", type);
  if (config.at("LoadBalancersConfig").given) reject("unsupported", "Backlot has no load balancers.");
  const templates = config.items("LaunchTemplateConfigs");
  const specifications = config.items("LaunchSpecifications");
  if (templates.length > 0 && specifications.length > 0)
    reject("parameterCombination", "LaunchSpecifications", "LaunchTemplateConfigs");
  if (templates.length + specifications.length === 0)
    reject("missingParameter", "SpotFleetRequestConfig.LaunchSpecifications");
  const most = readTicks(config.text("SpotPrice"));
  const pools = [...poolsOf(call, templates, most), ...specifiedPools(call, config, most)];
  const strategy = readSpotStrategy(config.text("AllocationStrategy"));
  const unbounded = { singleType: false, singleZone: false };
  return {
    type,
    role,
    target,
    onDemand: readOnDemand(config, target),
    usualMarket: "spot",
    unit: readUnit(config.text("TargetCapacityUnitType"), pools),
    tags: tagsFor(config, "spot-fleet-request", ["spot-fleet-request"]),
    pools,
    spotTerms: {
      ...unbounded,
      strategy,
      behavior: readBehavior(config, type),
      poolsToUse: readPoolsToUse(config, strategy),
      maxTotalTicks: readTicks(config.text("SpotMaxTotalPrice")),
      rebalance: readRebalance(config.at("SpotMaintenanceStrategies"), type),
    },
    onDemandTerms: {
      ...unbounded,
      strategy: readOnDemandStrategy(config.text("OnDemandAllocationStrategy")),
      maxTotalTicks: readTicks(config.text("OnDemandMaxTotalPrice")),
    },
    terminateExcess: readExcess(config.text("ExcessCapacityTerminationPolicy")),
    replaceUnhealthy: config.flag("ReplaceUnhealthyInstances") ?? false,
    terminateWithFleet: config.flag("TerminateInstancesWithExpiration") ?? false,
    ...readValidity(config, at),
  } as const satisfies Partial<Fleet>;
}

export const requestSpotFleet: Operation = {
  service: "ec2",
  action: "RequestSpotFleet",
  parameters: parameterNames("DryRun SpotFleetRequestConfig.*"),
  run(call) {
    const config = treeOf(call.parameters).at("SpotFleetRequestConfig");
    const { runtime } = call;
    const at = runtime.clock.now();
    const wanted = readSpotFleet(call, config, at);
    const clientToken = clientTokenOf(config);
    stopDryRun(call);
    const owner = ownerOf(call);
    const [id = ""] = runtime.store.write(() =>
      once(call, "RequestSpotFleet", clientToken, () => {
        const types = wanted.pools.map(({ plan }) => plan.type).join();
        const content = [owner.account, owner.region, wanted.type, wanted.target, types];
        const fleet: Fleet = {
          id: `sfr-${runtime.ids.derive("ec2.spot-fleet", content).uuid()}`,
          ...owner,
          kind: "spot-fleet",
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
    return answerEc2(call, "RequestSpotFleet", element("spotFleetRequestId", id));
  },
};

function spotFleets(call: Call): readonly Fleet[] {
  return call.runtime.state.resources.fleet.list(ownerOf(call)).filter(({ kind }) => kind === "spot-fleet");
}

function spotFleetNamed(call: Call): Fleet {
  const id = call.parameters.text("SpotFleetRequestId") ?? reject("missingParameter", "SpotFleetRequestId");
  return spotFleets(call).find((fleet) => fleet.id === id) ?? reject("spotFleetNotFound", id);
}

export const modifySpotFleetRequest: Operation = {
  service: "ec2",
  action: "ModifySpotFleetRequest",
  parameters: parameterNames(
    "LaunchTemplateConfig.* OnDemandTargetCapacity Context SpotFleetRequestId TargetCapacity ExcessCapacityTerminationPolicy",
  ),
  run(call) {
    const node = treeOf(call.parameters);
    const fleet = spotFleetNamed(call);
    refuseUnlessModifiable(fleet);
    const asked = node.integer("TargetCapacity");
    const target = asked === undefined ? fleet.target : readCapacity(asked, "targetCapacity");
    const onDemand = node.integer("OnDemandTargetCapacity") === undefined ? fleet.onDemand : readOnDemand(node, target);
    const configurations = node.items("LaunchTemplateConfig");
    const excess = node.text("ExcessCapacityTerminationPolicy");
    const changes = {
      target,
      onDemand: Math.min(onDemand, target),
      ...(configurations.length > 0 ? { pools: poolsOf(call, configurations, undefined) } : {}),
      ...(excess === undefined ? {} : { terminateExcess: readExcess(excess) }),
    };
    call.runtime.store.write(() => modify(call.runtime, fleet, changes, call.runtime.clock.now()));
    return answerEc2(call, "ModifySpotFleetRequest", element("return", true));
  },
};

export const describeSpotFleetRequests: Operation = {
  service: "ec2",
  action: "DescribeSpotFleetRequests",
  parameters: parameterNames("DryRun MaxResults NextToken SpotFleetRequestId"),
  run(call) {
    const ids = call.parameters.list("SpotFleetRequestId");
    const all = spotFleets(call);
    for (const id of ids) if (!all.some((fleet) => fleet.id === id)) reject("spotFleetNotFound", id);
    stopDryRun(call);
    const chosen = all.filter(({ id }) => ids.length === 0 || ids.includes(id));
    const page = pageOf(call, chosen, { purpose: "spot-fleets", least: 1 });
    const set = itemList("spotFleetRequestConfigSet", page.items.map(fleetView(call)).map(spotFleetXml));
    const token = page.token === undefined ? "" : element("nextToken", page.token);
    return answerEc2(call, "DescribeSpotFleetRequests", token + set);
  },
};

export const describeSpotFleetInstances: Operation = {
  service: "ec2",
  action: "DescribeSpotFleetInstances",
  parameters: parameterNames("DryRun MaxResults NextToken SpotFleetRequestId"),
  run(call) {
    const fleet = spotFleetNamed(call);
    stopDryRun(call);
    const page = pageOf(call, alive(call.runtime, fleet), { purpose: "spot-fleet-instances", least: 1 });
    const token = page.token === undefined ? "" : element("nextToken", page.token);
    return answerEc2(
      call,
      "DescribeSpotFleetInstances",
      fleetInstancesXml(page.items) + token + element("spotFleetRequestId", fleet.id),
    );
  },
};

export const cancelSpotFleetRequests: Operation = {
  service: "ec2",
  action: "CancelSpotFleetRequests",
  parameters: parameterNames("DryRun SpotFleetRequestId TerminateInstances"),
  run(call) {
    const ids = call.parameters.list("SpotFleetRequestId");
    if (ids.length === 0) reject("missingParameter", "SpotFleetRequestId");
    const terminate = call.parameters.flag("TerminateInstances");
    const all = spotFleets(call);
    stopDryRun(call);
    const at = call.runtime.clock.now();
    const gone: string[] = [];
    const failed: string[] = [];
    const fails = (id: string, code: string, message: string) =>
      failed.push(
        wrap("error", element("code", code) + element("message", message)) + element("spotFleetRequestId", id),
      );
    call.runtime.store.write(() => {
      for (const id of ids) {
        const fleet = all.find((one) => one.id === id);
        if (!fleet) fails(id, "fleetRequestIdDoesNotExist", `The spot fleet request ID '${id}' does not exist`);
        // What runs on after a cancellation can still be told to end.
        else if (
          fleet.state === "cancelled" ||
          (isClosing(fleet.state) && !(terminate && fleet.state === "cancelled_running"))
        )
          fails(id, "fleetRequestNotInCancellableState", `The spot fleet request '${id}' cannot be cancelled`);
        else {
          const { state } = close(call.runtime, fleet, terminate, at);
          gone.push(
            element("currentSpotFleetRequestState", state) +
              element("previousSpotFleetRequestState", fleet.state) +
              element("spotFleetRequestId", id),
          );
        }
      }
    });
    const told = itemList("successfulFleetRequestSet", gone) + itemList("unsuccessfulFleetRequestSet", failed);
    return answerEc2(call, "CancelSpotFleetRequests", told);
  },
};
