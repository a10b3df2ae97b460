/** Instances and their states, in the order of EC2's model. */
import { privateDns, publicDns } from "../domain/network.ts";
import { platformOf } from "../domain/platforms.ts";
import { type Instance, type InstanceState, stateCodes, type Tag } from "../domain/resources.ts";
import { instantText } from "./time.ts";
import { element, itemList, maybe, tagSetXml, wrap } from "./xml.ts";

export interface InstanceView {
  readonly instance: Instance;
  readonly zoneName: string;
  readonly vcpu: number;
  readonly threadsPerCore: number;
}

export function stateXml(name: string, state: InstanceState): string {
  return wrap(name, element("code", stateCodes[state]) + element("name", state));
}

const gone = new Set<InstanceState>(["terminated"]);

export function instanceXml({ instance, zoneName, vcpu, threadsPerCore }: InstanceView): string {
  const { plan, state } = instance;
  const alive = !gone.has(state);
  const reachable = state === "pending" || state === "running";
  const platform = platformOf(plan.product);
  const dns = instance.publicIp !== undefined && reachable ? publicDns(instance.publicIp, instance.region) : "";
  return (
    element("instanceId", instance.id) +
    element("imageId", plan.image) +
    stateXml("instanceState", state) +
    element("privateDnsName", alive ? privateDns(instance.privateIp, instance.region) : "") +
    element("dnsName", dns) +
    element("reason", instance.reason?.text ?? "") +
    maybe("keyName", plan.keyName) +
    element("amiLaunchIndex", instance.place) +
    "<productCodes/>" +
    element("instanceType", plan.type) +
    element("launchTime", instantText(instance.launchedAt)) +
    wrap(
      "placement",
      element("availabilityZone", zoneName) +
        element("availabilityZoneId", instance.zone) +
        "<groupName/>" +
        element("tenancy", plan.tenancy),
    ) +
    maybe("platform", platform.platform) +
    wrap("monitoring", element("state", plan.monitoring ? "enabled" : "disabled")) +
    (alive ? element("subnetId", instance.subnet) + element("vpcId", instance.vpc) : "") +
    (alive ? element("privateIpAddress", instance.privateIp) : "") +
    (reachable ? maybe("ipAddress", instance.publicIp) : "") +
    element("sourceDestCheck", instance.attributes.sourceDestCheck) +
    groupsXml(alive ? instance.plan.groups : []) +
    (instance.reason
      ? wrap("stateReason", element("code", instance.reason.code) + element("message", instance.reason.message))
      : "") +
    element("architecture", plan.architecture) +
    element("rootDeviceType", "ebs") +
    element("rootDeviceName", plan.rootDevice) +
    itemList(
      "blockDeviceMapping",
      alive ? instance.volumes.map((volume) => deviceXml(volume, instance.launchedAt)) : [],
    ) +
    element("virtualizationType", "hvm") +
    (instance.spotRequest === undefined
      ? ""
      : element("instanceLifecycle", "spot") + element("spotInstanceRequestId", instance.spotRequest)) +
    maybe("clientToken", instance.clientToken) +
    tagSetXml(instance.tags) +
    element("hypervisor", "xen") +
    itemList("networkInterfaceSet", alive ? [interfaceXml(instance)] : []) +
    (plan.profile === undefined
      ? ""
      : wrap("iamInstanceProfile", element("arn", plan.profile) + element("id", profileId(plan.profile)))) +
    element("ebsOptimized", plan.ebsOptimized) +
    element("enaSupport", true) +
    wrap("cpuOptions", element("coreCount", vcpu / threadsPerCore) + element("threadsPerCore", threadsPerCore)) +
    wrap("hibernationOptions", element("configured", false)) +
    wrap(
      "metadataOptions",
      element("state", "applied") +
        element("httpTokens", plan.tokensRequired ? "required" : "optional") +
        element("httpPutResponseHopLimit", 1) +
        element("httpEndpoint", "enabled") +
        element("httpProtocolIpv6", "disabled") +
        element("instanceMetadataTags", plan.metadataTags ? "enabled" : "disabled"),
    ) +
    element("platformDetails", platform.details) +
    element("usageOperation", platform.usageOperation) +
    element("usageOperationUpdateTime", instantText(instance.launchedAt)) +
    wrap("privateDnsNameOptions", element("hostnameType", "ip-name"))
  );
}

/** Profiles are not emulated; their ids only need the provider's form. */
function profileId(arn: string): string {
  let hash = 7;
  for (const character of arn) hash = (hash * 31 + character.charCodeAt(0)) >>> 0;
  return `AIPA${hash
    .toString(32)
    .toUpperCase()
    .replace(/[0189]/g, "A")
    .padEnd(17, "A")
    .slice(0, 17)}`;
}

export function groupsXml(groups: readonly { readonly id: string; readonly name: string }[]): string {
  return itemList(
    "groupSet",
    groups.map((group) => element("groupId", group.id) + element("groupName", group.name)),
  );
}

function deviceXml(device: Instance["volumes"][number], at: number): string {
  return (
    element("deviceName", device.device) +
    wrap(
      "ebs",
      element("volumeId", device.volume) +
        element("status", "attached") +
        element("attachTime", instantText(at)) +
        element("deleteOnTermination", device.deleteOnTermination),
    )
  );
}

function interfaceXml(instance: Instance): string {
  const dns = privateDns(instance.privateIp, instance.region);
  const association =
    instance.publicIp === undefined || (instance.state !== "running" && instance.state !== "pending")
      ? ""
      : wrap(
          "association",
          element("publicIp", instance.publicIp) +
            element("publicDnsName", publicDns(instance.publicIp, instance.region)) +
            element("ipOwnerId", "amazon"),
        );
  return (
    element("networkInterfaceId", instance.interface) +
    element("subnetId", instance.subnet) +
    element("vpcId", instance.vpc) +
    "<description/>" +
    element("ownerId", instance.account) +
    element("status", "in-use") +
    element("macAddress", instance.mac) +
    element("privateIpAddress", instance.privateIp) +
    element("privateDnsName", dns) +
    element("sourceDestCheck", instance.attributes.sourceDestCheck) +
    groupsXml(instance.plan.groups) +
    wrap(
      "attachment",
      element("attachmentId", instance.attachment) +
        element("deviceIndex", 0) +
        element("status", "attached") +
        element("attachTime", instantText(instance.launchedAt)) +
        element("deleteOnTermination", true) +
        element("networkCardIndex", 0),
    ) +
    association +
    itemList("privateIpAddressesSet", [
      element("privateIpAddress", instance.privateIp) +
        element("privateDnsName", dns) +
        element("primary", true) +
        association,
    ]) +
    element("interfaceType", "interface")
  );
}

export function reservationXml(
  reservation: { readonly id: string; readonly owner: string },
  instances: readonly InstanceView[],
): string {
  return (
    element("reservationId", reservation.id) +
    element("ownerId", reservation.owner) +
    "<groupSet/>" +
    itemList("instancesSet", instances.map(instanceXml))
  );
}

export interface ChangeView {
  readonly id: string;
  readonly current: InstanceState;
  readonly previous: InstanceState;
}

export function stateChangesXml(changes: readonly ChangeView[]): string {
  return itemList(
    "instancesSet",
    changes.map(
      ({ id, current, previous }) =>
        element("instanceId", id) + stateXml("currentState", current) + stateXml("previousState", previous),
    ),
  );
}

export interface StatusView {
  readonly instance: Instance;
  readonly zoneName: string;
  /** `ok`, `initializing` or `not-applicable`. */
  readonly check: string;
  readonly events: readonly { readonly code: string; readonly description: string; readonly notBefore: number }[];
}

export function statusXml({ instance, zoneName, check, events }: StatusView): string {
  const detail =
    check === "not-applicable"
      ? element("status", check)
      : element("status", check) +
        itemList("details", [element("name", "reachability") + element("status", check === "ok" ? "passed" : check)]);
  return (
    element("instanceId", instance.id) +
    element("availabilityZone", zoneName) +
    element("availabilityZoneId", instance.zone) +
    (events.length === 0
      ? ""
      : itemList(
          "eventsSet",
          events.map(
            (event) =>
              element("code", event.code) +
              element("description", event.description) +
              element("notBefore", instantText(event.notBefore)),
          ),
        )) +
    stateXml("instanceState", instance.state) +
    wrap("systemStatus", detail) +
    wrap("instanceStatus", detail) +
    wrap("attachedEbsStatus", detail)
  );
}

export function describedTagsXml(
  tags: readonly { readonly resource: string; readonly type: string; readonly tag: Tag }[],
): string {
  return itemList(
    "tagSet",
    tags.map(
      ({ resource, type, tag }) =>
        element("resourceId", resource) +
        element("resourceType", type) +
        element("key", tag.key) +
        element("value", tag.value),
    ),
  );
}
