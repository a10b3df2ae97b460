/** RequestSpotInstances, DescribeSpotInstanceRequests, CancelSpotInstanceRequests. */
import { platformOf } from "../domain/platforms.ts";
import type { SpotRequest } from "../domain/resources.ts";
import { reject } from "../errors.ts";
import { requestVisibleMs } from "../life/delays.ts";
import { hasRoomFor, spotRoom } from "../life/quotas.ts";
import { cancel, request } from "../life/spot.ts";
import { type Node, treeOf } from "../query-tree.ts";
import { priceText } from "../wire/spot-prices.ts";
import { spotRequestXml } from "../wire/spot-requests.ts";
import { instantText } from "../wire/time.ts";
import { element, itemList } from "../wire/xml.ts";
import { answerPage, type Facts, pageOf, sift } from "./describe.ts";
import { clientTokenOf, once } from "./idempotent.ts";
import { ownerOf, readPlan, zoneNameOf } from "./launch-plan.ts";
import { answerEc2, type Call, type Operation, parameterNames, stopDryRun } from "./operation.ts";
import { onDemand } from "./run-instances.ts";
import { readTicks, refuseSpotBlock } from "./spot-terms.ts";
import { tagsFor } from "./tag-specifications.ts";

const weekMs = 7 * 86_400_000;

export const requestSpotInstances: Operation = {
  service: "ec2",
  action: "RequestSpotInstances",
  parameters: parameterNames(
    "SpotPrice ClientToken InstanceCount Type ValidFrom ValidUntil LaunchGroup AvailabilityZoneGroup BlockDurationMinutes LaunchSpecification.* TagSpecification.* InstanceInterruptionBehavior DryRun",
  ),
  run(call) {
    const node = treeOf(call.parameters);
    const at = call.runtime.clock.now();
    const terms = readTerms(call, node, at);
    const token = clientTokenOf(node);
    stopDryRun(call);
    const owner = ownerOf(call);
    const { resources } = call.runtime.state;
    const ids = call.runtime.store.write(() =>
      once(call, "RequestSpotInstances", token, () => {
        const room = spotRoom(call.runtime, owner);
        if (!hasRoomFor(call.runtime, room, terms.wish.plan.type, terms.count)) reject("tooManySpot");
        return Array.from(
          { length: terms.count },
          (_, place) => request(call.runtime, { ...terms.wish, owner, place }, at).id,
        );
      }),
    );
    call.exchange.note("resource", ids[0]);
    const made = ids.flatMap((id) => resources.request.get(id) ?? []);
    return answerEc2(call, "RequestSpotInstances", requestsXml(call, made));
  },
};

function readTerms(call: Call, node: Node, at: number) {
  const count = node.integer("InstanceCount") ?? 1;
  if (count < 1) reject("badValue", "instanceCount", String(count));
  const type = node.text("Type") ?? "one-time";
  if (type !== "one-time" && type !== "persistent") return reject("badValue", "type", type);
  const behavior = node.text("InstanceInterruptionBehavior") ?? "terminate";
  if (behavior !== "terminate" && behavior !== "stop" && behavior !== "hibernate")
    return reject("badValue", "instanceInterruptionBehavior", behavior);
  if (behavior !== "terminate" && type === "one-time")
    reject("combination", `The interruption behavior ${behavior} needs a persistent Spot request.`);
  refuseSpotBlock(node);
  const validFrom = node.instant("ValidFrom");
  const validUntil = node.instant("ValidUntil");
  if (validUntil !== undefined && validUntil <= at) reject("badValue", "validUntil", node.text("ValidUntil"));
  if (validFrom !== undefined && validUntil !== undefined && validFrom >= validUntil)
    reject("badValue", "validFrom", node.text("ValidFrom"));
  const mostTicks = readTicks(node.text("SpotPrice"));
  const plan = readPlan(call, node.at("LaunchSpecification"));
  const wish = {
    plan,
    mostTicks: mostTicks ?? onDemand(call, plan),
    type,
    behavior,
    validFrom,
    validUntil: validUntil ?? at + weekMs,
    launchGroup: node.text("LaunchGroup"),
    zoneGroup: node.text("AvailabilityZoneGroup"),
    tags: tagsFor(node, "spot-instances-request", ["spot-instances-request"]),
  } as const;
  return { count, wish };
}

function requestsXml(call: Call, requests: readonly SpotRequest[]): string {
  const zoneName = (id: string) => zoneNameOf(call, id);
  return itemList(
    "spotInstanceRequestSet",
    requests.map((made) => spotRequestXml({ made, zoneName })),
  );
}

/** What ended stays visible for four hours after both the request and its instance ended. */
export function visible(call: Call): readonly SpotRequest[] {
  const now = call.runtime.clock.now();
  return call.runtime.state.resources.request
    .list(ownerOf(call))
    .filter(
      ({ endedAt, code }) =>
        endedAt === undefined || now < endedAt + requestVisibleMs || code === "request-canceled-and-instance-running",
    );
}

export function requestsNamed(call: Call, ids: readonly string[]): readonly SpotRequest[] {
  for (const id of ids) if (!/^sir-[a-z0-9]{8,17}$/.test(id)) reject("requestMalformed", id);
  const all = new Map(visible(call).map((made) => [made.id, made]));
  return [...new Set(ids)].map((id) => all.get(id) ?? reject("requestNotFound", id));
}

function requestFacts(call: Call): Facts<SpotRequest> {
  const one = (value: string | undefined) => (value === undefined ? [] : [value]);
  const time = (at: number | undefined) => (at === undefined ? [] : [instantText(at)]);
  return {
    "availability-zone-group": ({ zoneGroup }) => one(zoneGroup),
    "create-time": ({ createdAt }) => time(createdAt),
    "fault-code": () => [],
    "fault-message": () => [],
    "instance-id": ({ instance }) => one(instance),
    "launch-group": ({ launchGroup }) => one(launchGroup),
    "launch.block-device-mapping.device-name": ({ plan }) => plan.devices.map(({ name }) => name),
    "launch.block-device-mapping.volume-size": ({ plan }) => plan.devices.map(({ gib }) => String(gib)),
    "launch.block-device-mapping.volume-type": ({ plan }) => plan.devices.map(({ type }) => type),
    "launch.group-id": ({ plan }) => plan.groups.map(({ id }) => id),
    "launch.group-name": ({ plan }) => plan.groups.map(({ name }) => name),
    "launch.image-id": ({ plan }) => [plan.image],
    "launch.instance-type": ({ plan }) => [plan.type],
    "launch.key-name": ({ plan }) => one(plan.keyName),
    "launch.monitoring-enabled": ({ plan }) => [String(plan.monitoring)],
    "launched-availability-zone": ({ launchedZone }) =>
      launchedZone === undefined ? [] : [zoneNameOf(call, launchedZone)],
    "launched-availability-zone-id": ({ launchedZone }) => one(launchedZone),
    "network-interface.subnet-id": ({ plan }) => one(plan.subnet),
    "product-description": ({ plan }) => [
      platformOf(plan.product).details,
      `${platformOf(plan.product).details} (Amazon VPC)`,
    ],
    "spot-instance-request-id": ({ id }) => [id],
    "spot-price": ({ mostTicks }) => [priceText(mostTicks), String(mostTicks / 10_000)],
    state: ({ state }) => [state],
    "status-code": ({ code }) => [code],
    "status-message": ({ message }) => [message],
    type: ({ type }) => [type],
    "valid-from": ({ validFrom }) => time(validFrom),
    "valid-until": ({ validUntil }) => time(validUntil),
  };
}

export const describeSpotInstanceRequests: Operation = {
  service: "ec2",
  action: "DescribeSpotInstanceRequests",
  parameters: parameterNames("SpotInstanceRequestId DryRun Filter MaxResults NextToken"),
  run(call) {
    const ids = call.parameters.list("SpotInstanceRequestId");
    const all = ids.length > 0 ? requestsNamed(call, ids) : visible(call);
    const found = sift(all, call.parameters.filters(), requestFacts(call));
    stopDryRun(call);
    const page = pageOf(call, found, { purpose: "spot-requests", ids });
    const set = requestsXml(call, page.items);
    return answerPage(call, "DescribeSpotInstanceRequests", set, page);
  },
};

export const cancelSpotInstanceRequests: Operation = {
  service: "ec2",
  action: "CancelSpotInstanceRequests",
  parameters: parameterNames("SpotInstanceRequestId DryRun"),
  run(call) {
    const ids = call.parameters.list("SpotInstanceRequestId");
    if (ids.length === 0) reject("missingParameter", "SpotInstanceRequestId");
    const named = requestsNamed(call, ids);
    stopDryRun(call);
    const at = call.runtime.clock.now();
    const cancelled = call.runtime.store.write(() => named.map((made) => cancel(call.runtime, made, at)));
    return answerEc2(
      call,
      "CancelSpotInstanceRequests",
      itemList(
        "spotInstanceRequestSet",
        cancelled.map(({ id, state }) => element("spotInstanceRequestId", id) + element("state", state)),
      ),
    );
  },
};
