/** RunInstances, on demand and spot. */
import { place } from "../domain/placement.ts";
import {
  type Instance,
  type InstanceAttributes,
  type InterruptionAction,
  type LaunchPlan,
  usualAttributes,
} from "../domain/resources.ts";
import { priceTooLow } from "../domain/spot-status.ts";
import { templateTags } from "../domain/system-tags.ts";
import { reject } from "../errors.ts";
import { launch } from "../life/instances.ts";
import { hasRoomFor, onDemandRoom, spotRoom, vcpuLimitText } from "../life/quotas.ts";
import { fulfil, request, tradingOf } from "../life/spot.ts";
import { type Node, treeOf } from "../query-tree.ts";
import { reservationXml } from "../wire/instances.ts";
import { clientTokenOf, once } from "./idempotent.ts";
import { viewOf } from "./instances.ts";
import { ownerOf, readPlan } from "./launch-plan.ts";
import { answerEc2, type Call, type Operation, parameterNames, stopDryRun } from "./operation.ts";
import { readTicks, refuseSpotBlock } from "./spot-terms.ts";
import { tagsFor } from "./tag-specifications.ts";
import { chosenTemplate, withTemplate } from "./template-choice.ts";

interface SpotTerms {
  readonly mostTicks: number;
  readonly type: "one-time" | "persistent";
  readonly behavior: InterruptionAction;
  readonly validUntil: number | undefined;
}

export const runInstances: Operation = {
  service: "ec2",
  action: "RunInstances",
  parameters: parameterNames(
    "BlockDeviceMapping.* ImageId InstanceType Ipv6AddressCount Ipv6Address.* KernelId KeyName MaxCount MinCount Monitoring.* Placement.* RamdiskId SecurityGroupId SecurityGroup SubnetId UserData AdditionalInfo ClientToken DisableApiTermination DryRun EbsOptimized IamInstanceProfile.* InstanceInitiatedShutdownBehavior NetworkInterface.* PrivateIpAddress ElasticGpuSpecification.* TagSpecification.* LaunchTemplate.* InstanceMarketOptions.* CreditSpecification.* CpuOptions.* CapacityReservationSpecification.* HibernationOptions.* LicenseSpecification.* MetadataOptions.* EnclaveOptions.* PrivateDnsNameOptions.* MaintenanceOptions.* DisableApiStop EnablePrimaryIpv6 ElasticInferenceAccelerator.* NetworkPerformanceOptions.* Operator.*",
  ),
  run(call) {
    const node = withTemplate(call, treeOf(call.parameters));
    const least = node.integer("MinCount") ?? reject("missingParameter", "MinCount");
    const most = node.integer("MaxCount") ?? reject("missingParameter", "MaxCount");
    if (least < 1 || most < least || most > 1000)
      reject("invalidValue", `Invalid value for MinCount ${least} and MaxCount ${most}`);
    const plan = plannedFrom(call, node);
    const at = call.runtime.clock.now();
    const spot = spotTerms(call, node, plan, at);
    const attributes = readAttributes(node, spot !== undefined);
    const token = clientTokenOf(node);
    stopDryRun(call);
    const run = { plan, attributes, count: most, at, node };
    const ids = call.runtime.store.write(() =>
      once(call, "RunInstances", token, () =>
        (spot ? runSpot(call, { ...run, spot }) : runOnDemand(call, run)).map(({ id }) => id),
      ),
    );
    const instances = ids.flatMap((id) => call.runtime.state.resources.instance.get(id) ?? []);
    call.exchange.note("resource", ids[0]);
    const reservation = instances[0]?.reservation ?? "";
    return answerEc2(
      call,
      "RunInstances",
      reservationXml({ id: reservation, owner: call.caller.account.id }, instances.map(viewOf(call))),
    );
  },
};

function plannedFrom(call: Call, node: Node): LaunchPlan {
  const allowed = ["instance", "volume", "network-interface", "spot-instances-request"];
  const named = node.at("LaunchTemplate");
  const chosen = named.given ? chosenTemplate(call, named) : undefined;
  const fromTemplate = chosen ? templateTags({ id: chosen.template.id, version: chosen.version.number }) : [];
  return {
    ...readPlan(call, node),
    instanceTags: [...tagsFor(node, "instance", allowed), ...fromTemplate],
    volumeTags: tagsFor(node, "volume", allowed),
  };
}

function readAttributes(node: Node, spot: boolean): InstanceAttributes {
  const shutdownBehavior = node.text("InstanceInitiatedShutdownBehavior") ?? "stop";
  if (shutdownBehavior !== "stop" && shutdownBehavior !== "terminate")
    return reject("badValue", "instanceInitiatedShutdownBehavior", shutdownBehavior);
  const disableApiTermination = node.flag("DisableApiTermination") ?? false;
  if (spot && disableApiTermination)
    reject("unsupported", "Termination protection cannot be enabled for Spot Instances.");
  return {
    ...usualAttributes,
    disableApiTermination,
    disableApiStop: node.flag("DisableApiStop") ?? false,
    shutdownBehavior,
  };
}

function spotTerms(call: Call, node: Node, plan: LaunchPlan, at: number): SpotTerms | undefined {
  const options = node.at("InstanceMarketOptions");
  const market = options.text("MarketType");
  if (market === undefined && !options.at("SpotOptions").given) return undefined;
  if (market === "capacity-block") return reject("unsupported", "Capacity blocks are not emulated.");
  if (market !== undefined && market !== "spot") return reject("badValue", "marketType", market);
  const terms = options.at("SpotOptions");
  refuseSpotBlock(terms);
  const type = terms.text("SpotInstanceType") ?? "one-time";
  const behavior = terms.text("InstanceInterruptionBehavior") ?? "terminate";
  if (type !== "one-time" && type !== "persistent") return reject("badValue", "spotInstanceType", type);
  if (behavior !== "terminate" && behavior !== "stop" && behavior !== "hibernate")
    return reject("badValue", "instanceInterruptionBehavior", behavior);
  if (type === "one-time" && behavior !== "terminate")
    reject("combination", `${behavior} is not supported for one-time Spot requests; use a persistent request.`);
  const validUntil = terms.instant("ValidUntil");
  if (type === "one-time" && validUntil !== undefined)
    reject("combination", "ValidUntil is only supported for persistent Spot requests.");
  if (validUntil !== undefined && validUntil <= at) reject("badValue", "validUntil", terms.text("ValidUntil"));
  return { mostTicks: readTicks(terms.text("MaxPrice")) ?? onDemand(call, plan), type, behavior, validUntil };
}

export function onDemand(call: Call, plan: LaunchPlan): number {
  const { market, places } = tradingOf(call.runtime, call.region.name);
  return market.onDemand(places.get(plan.type) ?? 0, plan.product);
}

interface Run {
  readonly plan: LaunchPlan;
  readonly attributes: InstanceAttributes;
  readonly count: number;
  readonly at: number;
  readonly node: Node;
}

function reservationOf(call: Call, { plan, count }: Run): string {
  const { account, region } = ownerOf(call);
  return `r-${call.runtime.ids.derive("ec2.reservation", [account, region, plan.image, plan.type, count]).hex(17)}`;
}

function runOnDemand(call: Call, run: Run): Instance[] {
  const { runtime, region } = call;
  const { plan, attributes, count, at } = run;
  const { catalogue } = runtime.state.regions;
  if (!hasRoomFor(runtime, onDemandRoom(runtime, ownerOf(call)), plan.type, count))
    reject("vcpuLimit", vcpuLimitText(call.caller.account.quotas.onDemandVcpus ?? 0));
  const type = catalogue.named(plan.type);
  const open = region.zones.filter((_, place) => type && catalogue.offeredInZone(type, region, place));
  const zone = plan.zone ?? open[0]?.id ?? region.zones[0]?.id ?? "";
  const reservation = reservationOf(call, run);
  const token = run.node.text("ClientToken");
  return Array.from({ length: count }, (_, place) =>
    launch(runtime, {
      owner: ownerOf(call),
      plan,
      attributes,
      zone,
      reservation,
      place,
      at,
      ...(token === undefined ? {} : { clientToken: token }),
    }),
  );
}

function runSpot(call: Call, run: Run & { readonly spot: SpotTerms }): Instance[] {
  const { runtime } = call;
  const { plan, attributes, count, at, spot, node } = run;
  const owner = ownerOf(call);
  if (!hasRoomFor(runtime, spotRoom(runtime, owner), plan.type, count)) reject("tooManySpot");
  const verdict = place(tradingOf(runtime, owner.region).market, plan, spot.mostTicks, at);
  if (verdict.tag === "price") return reject("spotPriceTooLow", priceTooLow(spot.mostTicks, verdict.least));
  if (verdict.tag === "capacity") return reject("noCapacity");
  const reservation = reservationOf(call, run);
  const token = node.text("ClientToken");
  const tags = tagsFor(node, "spot-instances-request", [
    "instance",
    "volume",
    "network-interface",
    "spot-instances-request",
  ]);
  return Array.from({ length: count }, (_, index) => {
    const made = request(
      runtime,
      {
        owner,
        plan,
        mostTicks: spot.mostTicks,
        type: spot.type,
        behavior: spot.behavior,
        validUntil: spot.validUntil,
        tags,
        place: index,
      },
      at,
      true,
    );
    return fulfil(runtime, made, verdict.offer, at, {
      reservation,
      place: index,
      attributes,
      ...(token === undefined ? {} : { clientToken: token }),
    });
  });
}
