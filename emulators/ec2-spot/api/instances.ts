/** DescribeInstances, DescribeInstanceStatus and what starts, stops and ends instances. */

import { privateDns, publicDns } from "../domain/network.ts";
import { platformOf } from "../domain/platforms.ts";
import { type Instance, stateCodes } from "../domain/resources.ts";
import { reject } from "../errors.ts";
import { byUser, reboot, shutDown, start, stop } from "../life/instances.ts";
import { fitsOnDemand, vcpuLimitText } from "../life/quotas.ts";
import { resume, userEnded } from "../life/spot.ts";
import { type ChangeView, type InstanceView, reservationXml, stateChangesXml, statusXml } from "../wire/instances.ts";
import { instantText } from "../wire/time.ts";
import { element, itemList } from "../wire/xml.ts";
import { answerPage, type Facts, pageOf, sift } from "./describe.ts";
import { ownerOf, zoneNameOf } from "./launch-plan.ts";
import { answerEc2, type Call, type Operation, parameterNames, stopDryRun } from "./operation.ts";

/** All of these ids, or the error that names those that do not exist. */
export function instancesNamed(call: Call, ids: readonly string[]): readonly Instance[] {
  if (ids.length === 0) reject("missingParameter", "InstanceId");
  const owner = ownerOf(call);
  for (const id of ids) if (!/^i-[0-9a-f]{8,17}$/.test(id)) reject("instanceMalformed", id);
  const found = new Map<string, Instance>();
  const missing: string[] = [];
  for (const id of new Set(ids)) {
    const instance = call.runtime.state.resources.instance.of(owner, id);
    if (instance) found.set(id, instance);
    else missing.push(id);
  }
  if (missing.length > 0) reject("instanceNotFound", missing.join(", "));
  return [...found.values()];
}

export function viewOf(call: Call): (instance: Instance) => InstanceView {
  const { catalogue } = call.runtime.state.regions;
  const names = new Map(call.region.zones.map(({ id }) => [id, zoneNameOf(call, id)]));
  return (instance) => {
    const type = catalogue.named(instance.plan.type);
    return {
      instance,
      zoneName: names.get(instance.zone) ?? "",
      vcpu: type?.vcpu ?? 1,
      threadsPerCore: type?.threadsPerCore ?? 1,
    };
  };
}

function instanceFacts(call: Call): Facts<Instance> {
  const one = (value: string | undefined) => (value === undefined ? [] : [value]);
  const seen = ({ state }: Instance) => state === "pending" || state === "running";
  return {
    architecture: ({ plan }) => [plan.architecture],
    "availability-zone": ({ zone }) => [zoneNameOf(call, zone)],
    "availability-zone-id": ({ zone }) => [zone],
    "block-device-mapping.device-name": ({ volumes }) => volumes.map(({ device }) => device),
    "block-device-mapping.volume-id": ({ volumes }) => volumes.map(({ volume }) => volume),
    "client-token": ({ clientToken }) => one(clientToken),
    "dns-name": (instance) =>
      instance.publicIp !== undefined && seen(instance) ? [publicDns(instance.publicIp, instance.region)] : [],
    "group-id": ({ plan }) => plan.groups.map(({ id }) => id),
    "group-name": ({ plan }) => plan.groups.map(({ name }) => name),
    hypervisor: () => ["xen"],
    "iam-instance-profile.arn": ({ plan }) => one(plan.profile),
    "image-id": ({ plan }) => [plan.image],
    "instance-id": ({ id }) => [id],
    "instance-lifecycle": ({ spotRequest }) => (spotRequest === undefined ? [] : ["spot"]),
    "instance-state-code": ({ state }) => [String(stateCodes[state])],
    "instance-state-name": ({ state }) => [state],
    "instance-type": ({ plan }) => [plan.type],
    "instance.group-id": ({ plan }) => plan.groups.map(({ id }) => id),
    "instance.group-name": ({ plan }) => plan.groups.map(({ name }) => name),
    "ip-address": (instance) => (seen(instance) ? one(instance.publicIp) : []),
    "key-name": ({ plan }) => one(plan.keyName),
    "launch-index": ({ place }) => [String(place)],
    "launch-time": ({ launchedAt }) => [instantText(launchedAt)],
    "monitoring-state": ({ plan }) => [plan.monitoring ? "enabled" : "disabled"],
    "network-interface.network-interface-id": ({ interface: card }) => [card],
    "network-interface.subnet-id": ({ subnet }) => [subnet],
    "network-interface.vpc-id": ({ vpc }) => [vpc],
    "owner-id": ({ account }) => [account],
    platform: ({ plan }) => one(platformOf(plan.product).platform),
    "platform-details": ({ plan }) => [platformOf(plan.product).details],
    "private-dns-name": (instance) => [privateDns(instance.privateIp, instance.region)],
    "private-ip-address": ({ privateIp }) => [privateIp],
    reason: ({ reason }) => one(reason?.text),
    "requester-id": () => [],
    "reservation-id": ({ reservation }) => [reservation],
    "root-device-name": ({ plan }) => [plan.rootDevice],
    "root-device-type": () => ["ebs"],
    "spot-instance-request-id": ({ spotRequest }) => one(spotRequest),
    "state-reason-code": ({ reason }) => one(reason?.code),
    "state-reason-message": ({ reason }) => one(reason?.message),
    "subnet-id": ({ subnet }) => [subnet],
    tenancy: ({ plan }) => [plan.tenancy],
    "usage-operation": ({ plan }) => [platformOf(plan.product).usageOperation],
    "virtualization-type": () => ["hvm"],
    "vpc-id": ({ vpc }) => [vpc],
  };
}

export const describeInstances: Operation = {
  service: "ec2",
  action: "DescribeInstances",
  parameters: parameterNames("InstanceId DryRun Filter MaxResults NextToken"),
  run(call) {
    const ids = call.parameters.list("InstanceId");
    const instances =
      ids.length > 0 ? instancesNamed(call, ids) : call.runtime.state.resources.instance.list(ownerOf(call));
    const found = sift(instances, call.parameters.filters(), instanceFacts(call));
    stopDryRun(call);
    const page = pageOf(call, found, { purpose: "instances", ids });
    const view = viewOf(call);
    const reservations = new Map<string, InstanceView[]>();
    for (const instance of page.items) {
      const group = reservations.get(instance.reservation);
      if (group) group.push(view(instance));
      else reservations.set(instance.reservation, [view(instance)]);
    }
    const set = itemList(
      "reservationSet",
      [...reservations].map(([id, views]) => reservationXml({ id, owner: call.caller.account.id }, views)),
    );
    return answerPage(call, "DescribeInstances", set, page);
  },
};

export function checkOf(instance: Instance, now: number): string {
  if (instance.state !== "running") return "not-applicable";
  return now >= (instance.checkedAt ?? 0) ? "ok" : "initializing";
}

export const describeInstanceStatus: Operation = {
  service: "ec2",
  action: "DescribeInstanceStatus",
  parameters: parameterNames("InstanceId DryRun Filter MaxResults NextToken IncludeAllInstances"),
  run(call) {
    const ids = call.parameters.list("InstanceId");
    const now = call.runtime.clock.now();
    const all = ids.length > 0 ? instancesNamed(call, ids) : call.runtime.state.resources.instance.list(ownerOf(call));
    const everything = call.parameters.flag("IncludeAllInstances");
    const check = (instance: Instance) => checkOf(instance, now);
    const reachability = (instance: Instance) => {
      const status = check(instance);
      return status === "not-applicable" ? [] : [status === "ok" ? "passed" : status];
    };
    const facts: Facts<Instance> = {
      "availability-zone": ({ zone }) => [zoneNameOf(call, zone)],
      "availability-zone-id": ({ zone }) => [zone],
      "event.code": () => [],
      "event.description": () => [],
      "instance-state-code": ({ state }) => [String(stateCodes[state])],
      "instance-state-name": ({ state }) => [state],
      "instance-status.reachability": reachability,
      "instance-status.status": (instance) => [check(instance)],
      "system-status.reachability": reachability,
      "system-status.status": (instance) => [check(instance)],
      "attached-ebs-status.status": (instance) => [check(instance)],
    };
    const shown = all.filter(({ state }) => everything || state === "running");
    const found = sift(shown, call.parameters.filters(), facts);
    stopDryRun(call);
    const page = pageOf(call, found, { purpose: "instance-status", ids });
    const set = itemList(
      "instanceStatusSet",
      page.items.map((instance) =>
        statusXml({ instance, zoneName: zoneNameOf(call, instance.zone), check: check(instance), events: [] }),
      ),
    );
    return answerPage(call, "DescribeInstanceStatus", set, page);
  },
};

/** Applies a change to every named instance, or to none. */
function change(
  call: Call,
  action: string,
  apply: (instance: Instance, at: number) => Instance,
  check: (instance: Instance) => void = () => {},
): Response {
  const named = instancesNamed(call, call.parameters.list("InstanceId"));
  for (const instance of named) check(instance);
  stopDryRun(call);
  const at = call.runtime.clock.now();
  call.exchange.note("resource", named[0]?.id);
  const changes: ChangeView[] = call.runtime.store.write(() =>
    named.map((instance) => ({
      id: instance.id,
      previous: instance.state,
      current: apply(instance, at).state,
    })),
  );
  return answerEc2(call, action, stateChangesXml(changes));
}

export const terminateInstances: Operation = {
  service: "ec2",
  action: "TerminateInstances",
  parameters: parameterNames("InstanceId DryRun Force SkipOsShutdown"),
  run: (call) =>
    change(
      call,
      "TerminateInstances",
      (instance, at) => {
        if (instance.state === "terminated" || instance.state === "shutting-down") return instance;
        const ending = shutDown(call.runtime, instance, at, byUser(at));
        userEnded(call.runtime, ending, "terminated", at);
        return ending;
      },
      ({ id, attributes }) => {
        if (attributes.disableApiTermination) reject("protected", id, "terminated");
      },
    ),
};

export const stopInstances: Operation = {
  service: "ec2",
  action: "StopInstances",
  parameters: parameterNames("InstanceId DryRun Force Hibernate SkipOsShutdown"),
  run: (call) =>
    change(
      call,
      "StopInstances",
      (instance, at) => {
        if (instance.state === "stopped" || instance.state === "stopping") return instance;
        const stopping = stop(call.runtime, instance, at, byUser(at));
        userEnded(call.runtime, stopping, "stopped", at);
        return stopping;
      },
      (instance) => {
        const made =
          instance.spotRequest === undefined
            ? undefined
            : call.runtime.state.resources.request.get(instance.spotRequest);
        if (made?.type === "one-time")
          reject(
            "unsupported",
            `You can't stop the Spot Instance '${instance.id}' because it is associated with a one-time Spot Instance request. You can only stop Spot Instances associated with persistent Spot Instance requests.`,
          );
        if (instance.state === "terminated" || instance.state === "shutting-down")
          reject("incorrectState", `This instance '${instance.id}' is not in a state from which it can be stopped.`);
        if (instance.attributes.disableApiStop) reject("protected", instance.id, "stopped");
      },
    ),
};

export const startInstances: Operation = {
  service: "ec2",
  action: "StartInstances",
  parameters: parameterNames("InstanceId DryRun AdditionalInfo"),
  run(call) {
    const starting: string[] = [];
    return change(
      call,
      "StartInstances",
      (instance, at) => {
        if (instance.state !== "stopped") return instance;
        const made =
          instance.spotRequest === undefined
            ? undefined
            : call.runtime.state.resources.request.get(instance.spotRequest);
        return made?.state === "disabled"
          ? resume(call.runtime, made, instance, at)
          : start(call.runtime, instance, at);
      },
      ({ id, state, spotRequest, plan }) => {
        if (state !== "stopped" && state !== "running" && state !== "pending")
          reject("incorrectState", `The instance '${id}' is not in a state from which it can be started.`);
        if (state !== "stopped" || spotRequest !== undefined) return;
        starting.push(plan.type);
        if (!fitsOnDemand(call.runtime, ownerOf(call), starting))
          reject("vcpuLimit", vcpuLimitText(call.caller.account.quotas.onDemandVcpus ?? 0));
      },
    );
  },
};

export const rebootInstances: Operation = {
  service: "ec2",
  action: "RebootInstances",
  parameters: parameterNames("InstanceId DryRun"),
  run(call) {
    const named = instancesNamed(call, call.parameters.list("InstanceId"));
    for (const { id, state } of named)
      if (state !== "running")
        reject("incorrectState", `The instance '${id}' is not in a state from which it can be rebooted.`);
    stopDryRun(call);
    const at = call.runtime.clock.now();
    call.runtime.store.write(() => {
      for (const instance of named) reboot(call.runtime, instance, at);
    });
    return answerEc2(call, "RebootInstances", element("return", true));
  },
};
