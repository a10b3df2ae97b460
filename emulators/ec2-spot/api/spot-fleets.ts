/** Spot fleets, the older kind, and the subscription to spot usage data. */
import { type Fleet, recorded } from "../domain/fleets.ts";
import { reject } from "../errors.ts";
import { alive, close, fill } from "../life/fleets.ts";
import { type Node, treeOf } from "../query-tree.ts";
import { spotFleetXml } from "../wire/fleets.ts";
import { element, itemList, maybe, wrap } from "../wire/xml.ts";
import { pageOf } from "./describe.ts";
import { fleetView, poolsOf } from "./fleets.ts";
import { once } from "./idempotent.ts";
import { ownerOf, readPlan } from "./launch-plan.ts";
import { answerEc2, type Call, type Operation, parameterNames, stopDryRun } from "./operation.ts";
import { readTicks } from "./spot-terms.ts";
import { readTags, tagsFor } from "./tag-specifications.ts";

function specified(call: Call, config: Node, mostTicks: number | undefined): Fleet["pools"] {
  const templates = poolsOf(call, config.items("LaunchTemplateConfigs"), mostTicks);
  const specifications = config.items("LaunchSpecifications").map((specification, index) => {
    const most = readTicks(specification.text("SpotPrice")) ?? mostTicks;
    const instanceTags = specification
      .items("TagSpecificationSet")
      .flatMap((tags) => (tags.text("ResourceType") === "instance" ? readTags(tags.items("Tag")) : []));
    return {
      plan: { ...readPlan(call, specification), instanceTags },
      weight: Number(specification.text("WeightedCapacity") ?? 1) || 1,
      ...(most === undefined ? {} : { mostTicks: most }),
      priority: index,
    };
  });
  return [...templates, ...specifications];
}

export const requestSpotFleet: Operation = {
  service: "ec2",
  action: "RequestSpotFleet",
  parameters: parameterNames("DryRun SpotFleetRequestConfig.*"),
  run(call) {
    const config = treeOf(call.parameters).at("SpotFleetRequestConfig");
    const target =
      config.integer("TargetCapacity") ?? reject("missingParameter", "SpotFleetRequestConfig.TargetCapacity");
    const role = config.text("IamFleetRole") ?? reject("missingParameter", "SpotFleetRequestConfig.IamFleetRole");
    if (target < 0 || target > 1000) reject("badValue", "targetCapacity", String(target));
    const type = config.text("Type") ?? "maintain";
    if (type !== "request" && type !== "maintain") return reject("badValue", "type", type);
    const pools = specified(call, config, readTicks(config.text("SpotPrice")));
    if (pools.length === 0) reject("missingParameter", "SpotFleetRequestConfig.LaunchSpecifications");
    const tags = tagsFor(config, "spot-fleet-request", ["spot-fleet-request"]);
    stopDryRun(call);
    const owner = ownerOf(call);
    const { runtime } = call;
    const at = runtime.clock.now();
    const [id = ""] = runtime.store.write(() =>
      once(call, "RequestSpotFleet", config.text("ClientToken"), () => {
        const content = [owner.account, owner.region, type, target, pools.map(({ plan }) => plan.type).join()];
        const fleet: Fleet = {
          id: `sfr-${runtime.ids.derive("ec2.spot-fleet", content).uuid()}`,
          ...owner,
          tags,
          kind: "spot-fleet",
          type,
          state: "active",
          createdAt: at,
          target,
          onDemand: config.integer("OnDemandTargetCapacity") ?? 0,
          strategy: config.text("AllocationStrategy") ?? "lowestPrice",
          pools,
          instances: [],
          errors: [],
          terminateWithFleet: config.flag("TerminateInstancesWithExpiration") ?? false,
          role,
          history: recorded([], [{ at, type: "fleet", subType: "active", text: "" }]),
        };
        return [fill(runtime, fleet, at).id];
      }),
    );
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
    const set = page.items.map(
      ({ id, type, spotRequest }) =>
        element("instanceId", id) +
        element("instanceType", type) +
        maybe("spotInstanceRequestId", spotRequest) +
        element("instanceHealth", "healthy"),
    );
    const token = page.token === undefined ? "" : element("nextToken", page.token);
    return answerEc2(
      call,
      "DescribeSpotFleetInstances",
      itemList("activeInstanceSet", set) + token + element("spotFleetRequestId", fleet.id),
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
    call.runtime.store.write(() => {
      for (const id of ids) {
        const fleet = all.find((one) => one.id === id);
        if (fleet) {
          const { state } = close(call.runtime, fleet, terminate, at);
          gone.push(
            element("currentSpotFleetRequestState", state) +
              element("previousSpotFleetRequestState", fleet.state) +
              element("spotFleetRequestId", id),
          );
        } else {
          const message = `The spot fleet request ID '${id}' does not exist`;
          const error = element("code", "fleetRequestIdDoesNotExist") + element("message", message);
          failed.push(wrap("error", error) + element("spotFleetRequestId", id));
        }
      }
    });
    const told = itemList("successfulFleetRequestSet", gone) + itemList("unsuccessfulFleetRequestSet", failed);
    return answerEc2(call, "CancelSpotFleetRequests", told);
  },
};

function datafeedId(call: Call): string {
  const { account } = ownerOf(call);
  return `datafeed-${account}`;
}

function datafeedXml(account: string, bucket: string, prefix: string): string {
  return wrap(
    "spotDatafeedSubscription",
    element("bucket", bucket) + element("ownerId", account) + element("prefix", prefix) + element("state", "Active"),
  );
}

/** One subscription for each account. Nothing is delivered to the bucket. */
export const createSpotDatafeedSubscription: Operation = {
  service: "ec2",
  action: "CreateSpotDatafeedSubscription",
  parameters: parameterNames("Bucket DryRun Prefix"),
  run(call) {
    const bucket = call.parameters.text("Bucket") ?? reject("missingParameter", "Bucket");
    const prefix = call.parameters.text("Prefix") ?? "";
    stopDryRun(call);
    const owner = ownerOf(call);
    const { runtime } = call;
    runtime.store.write(() =>
      runtime.state.resources.datafeed.put({ id: datafeedId(call), ...owner, tags: [], bucket, prefix }),
    );
    return answerEc2(call, "CreateSpotDatafeedSubscription", datafeedXml(owner.account, bucket, prefix));
  },
};

export const describeSpotDatafeedSubscription: Operation = {
  service: "ec2",
  action: "DescribeSpotDatafeedSubscription",
  parameters: parameterNames("DryRun"),
  run(call) {
    const feed = call.runtime.state.resources.datafeed.get(datafeedId(call)) ?? reject("datafeedNotFound");
    stopDryRun(call);
    return answerEc2(call, "DescribeSpotDatafeedSubscription", datafeedXml(feed.account, feed.bucket, feed.prefix));
  },
};

export const deleteSpotDatafeedSubscription: Operation = {
  service: "ec2",
  action: "DeleteSpotDatafeedSubscription",
  parameters: parameterNames("DryRun"),
  run(call) {
    stopDryRun(call);
    const { resources } = call.runtime.state;
    call.runtime.store.write(() => resources.datafeed.remove(datafeedId(call)));
    return answerEc2(call, "DeleteSpotDatafeedSubscription", element("return", true));
  },
};
