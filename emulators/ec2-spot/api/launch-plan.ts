/** From a launch specification, a RunInstances request or launch template data to a plan that can be carried out. */
import { contains, type Subnet } from "../domain/network.ts";
import { zoneNames } from "../domain/regions.ts";
import type { Device, GroupName, Image, LaunchPlan, Owner } from "../domain/resources.ts";
import { reject } from "../errors.ts";
import { imageFor } from "../images.ts";
import { networkOf } from "../network.ts";
import type { Node } from "../query-tree.ts";
import type { Call } from "./operation.ts";

export function ownerOf(call: Call): Owner {
  return { account: call.caller.account.id, region: call.region.name };
}

/** Zone id of a zone name as the caller's account knows it. */
export function zoneIdOf(call: Call, name: string): string {
  const place = zoneNames(call.region, call.caller.account).indexOf(name);
  return call.region.zones[place]?.id ?? reject("badZone", name);
}

export function zoneNameOf(call: Call, id: string): string {
  const place = call.region.zones.findIndex((zone) => zone.id === id);
  return zoneNames(call.region, call.caller.account)[place] ?? "";
}

/** What overrides what the node says: a fleet's override, a launch template's caller. */
export interface PlanOverrides {
  readonly type?: string | undefined;
  readonly subnet?: string | undefined;
  readonly zone?: string | undefined;
  readonly zoneId?: string | undefined;
  readonly image?: string | undefined;
}

/** Subnet and zone id that a specification or its overrides ask for; a subnet decides the zone. */
export function placeAsked(
  call: Call,
  node: Node,
  overrides: PlanOverrides,
): { readonly subnet: Subnet | undefined; readonly zone: string | undefined } {
  const card = cardOf(node);
  const subnetId = overrides.subnet ?? node.text("SubnetId") ?? card?.text("SubnetId");
  const { subnets } = networkOf(call.runtime.ids, ownerOf(call), call.region);
  const subnet = subnets.find(({ id }) => id === subnetId);
  if (subnetId !== undefined && !subnet) reject("subnetNotFound", subnetId);
  const given = overrides.zone !== undefined || overrides.zoneId !== undefined;
  const name = given ? overrides.zone : node.text("Placement.AvailabilityZone");
  const id = given ? overrides.zoneId : node.text("Placement.AvailabilityZoneId");
  if (name !== undefined && id !== undefined) reject("parameterCombination", "AvailabilityZone", "AvailabilityZoneId");
  if (id !== undefined && !call.region.zones.some((zone) => zone.id === id)) reject("badZoneId", id);
  const zone = name === undefined ? id : zoneIdOf(call, name);
  if (subnet && zone !== undefined && subnet.zone !== zone)
    reject("combination", "The specified subnet is not in the specified availability zone");
  return { subnet, zone: subnet?.zone ?? zone };
}

/** The one network interface that is looked at. */
function cardOf(node: Node): Node | undefined {
  return node.items("NetworkInterface")[0] ?? node.items("NetworkInterfaceSet")[0];
}

/** The image that a specification names, or its override. */
export function imageOf(call: Call, node: Node, override?: string): Image {
  return findImage(call, override ?? node.text("ImageId") ?? reject("missingParameter", prefixed(node, "ImageId")));
}

/** Wire names differ: launch specifications of spot fleets call a subnet and groups otherwise. */
export function readPlan(call: Call, node: Node, overrides: PlanOverrides = {}): LaunchPlan {
  const { runtime, region } = call;
  const owner = ownerOf(call);
  const image = imageOf(call, node, overrides.image);
  const name = overrides.type ?? node.text("InstanceType") ?? "m1.small";
  const type = runtime.state.regions.catalogue.named(name);
  if (!type || !runtime.state.regions.catalogue.offeredIn(type, region)) return reject("valueForType", name);
  if (type.architecture !== image.architecture)
    reject(
      "invalidValue",
      `The architecture '${type.architecture}' of the specified instance type does not match the architecture '${image.architecture}' of the specified AMI. Specify an instance type and an AMI that have matching architectures, and try again. You can use 'describe-instance-types' or 'describe-images' to discover the architecture of the instance type or AMI.`,
    );
  const network = networkOf(runtime.ids, owner, region);
  const card = cardOf(node);
  if (card && (node.list("SecurityGroupId").length > 0 || node.list("SecurityGroup").length > 0))
    reject(
      "combination",
      "Network interfaces and an instance-level security groups may not be specified on the same request",
    );
  if (card && node.text("SubnetId") !== undefined)
    reject(
      "combination",
      "Network interfaces and an instance-level subnet ID may not be specified on the same request",
    );
  const { subnet, zone } = placeAsked(call, node, overrides);
  if (zone !== undefined) {
    const place = region.zones.findIndex(({ id }) => id === zone);
    if (!runtime.state.regions.catalogue.offeredInZone(type, region, place))
      reject(
        "notSupported",
        `Your requested instance type (${name}) is not supported in your requested Availability Zone (${zoneNameOf(call, zone)}).`,
      );
  }
  const keyName = node.text("KeyName");
  if (keyName !== undefined && !runtime.state.resources.key.list(owner).some((key) => key.name === keyName))
    reject("keyNotFound", keyName);
  const privateIp =
    node.text("PrivateIpAddress") ??
    card?.text("PrivateIpAddress") ??
    card?.items("PrivateIpAddresses")[0]?.text("PrivateIpAddress");
  if (
    privateIp !== undefined &&
    !network.subnets.some((one) => (subnet ?? one).id === one.id && contains(one, privateIp))
  )
    reject("invalidValue", `Address ${privateIp} does not fall within the subnet's address range`);
  const userData = readUserData(node, "UserData");
  return {
    image: image.id,
    type: name,
    product: image.product,
    architecture: image.architecture,
    ...(zone === undefined ? {} : { zone }),
    ...(subnet ? { subnet: subnet.id } : {}),
    tenancy: readTenancy(node),
    groups: groupsOf(call, node, card),
    ...(keyName === undefined ? {} : { keyName }),
    ...(userData === undefined ? {} : { userData }),
    ...profileOf(call, node),
    monitoring: node.flag("Monitoring.Enabled") ?? false,
    ebsOptimized: node.flag("EbsOptimized") ?? false,
    devices: readDevices(call, node, image),
    rootDevice: image.rootDevice,
    ...(privateIp === undefined ? {} : { privateIp }),
    publicIp: card?.flag("AssociatePublicIpAddress") ?? true,
    tokensRequired: node.text("MetadataOptions.HttpTokens") === "required",
    metadataTags: node.text("MetadataOptions.InstanceMetadataTags") === "enabled",
    instanceTags: [],
    volumeTags: [],
  };
}

function prefixed(node: Node, name: string): string {
  return node.path === "" ? name : `${node.path}.${name}`;
}

function findImage(call: Call, id: string): Image {
  if (!/^ami-[0-9a-f]{8,17}$/.test(id)) return reject("imageMalformed", id);
  const image = imageFor(call.runtime.state, call.runtime.ids, ownerOf(call), id);
  if (!image) return reject("imageNotFound", id);
  return image.state === "available" ? image : reject("imageUnavailable", id, image.state);
}

function profileOf(call: Call, node: Node): { readonly profile?: string } {
  const arn = node.text("IamInstanceProfile.Arn");
  const name = node.text("IamInstanceProfile.Name");
  if (arn === undefined && name === undefined) return {};
  return { profile: arn ?? `arn:aws:iam::${call.caller.account.id}:instance-profile/${name}` };
}

function groupsOf(call: Call, node: Node, card: Node | undefined): readonly GroupName[] {
  const ids = [
    ...node.list("SecurityGroupId"),
    ...(card?.list("SecurityGroupId") ?? []),
    ...node.items("GroupSet").flatMap((group) => group.text("GroupId") ?? []),
  ];
  return readGroups(call, ids, node.list("SecurityGroup"));
}

/** The groups of these ids and names; the default one when there are none. */
export function readGroups(call: Call, ids: readonly string[], names: readonly string[] = []): readonly GroupName[] {
  const owner = ownerOf(call);
  const { runtime, region } = call;
  const network = networkOf(runtime.ids, owner, region);
  const own = runtime.state.resources.group.list(owner);
  const known: GroupName[] = [
    ...own.map(({ id, name }) => ({ id, name })),
    ...(own.some(({ id }) => id === network.defaultGroup) ? [] : [{ id: network.defaultGroup, name: "default" }]),
  ];
  const asked = [
    ...ids.map((id) => known.find((group) => group.id === id) ?? reject("groupNotFound", id)),
    ...names.map((name) => known.find((group) => group.name === name) ?? reject("groupNotFound", name)),
  ];
  return asked.length > 0 ? asked : known.filter(({ id }) => id === network.defaultGroup);
}

/** Base64, as it came; at most 25,600 bytes that it stands for. */
export function readUserData(node: Node, name: string): string | undefined {
  const userData = node.text(name);
  if (userData !== undefined && !/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(userData))
    reject("invalidValue", "Invalid BASE64 encoding of user data.");
  if ((userData?.length ?? 0) > 25_600 * 1.34) reject("invalidValue", "User data is limited to 25600 bytes");
  return userData;
}

function readTenancy(node: Node): LaunchPlan["tenancy"] {
  const group = node.text("Placement.GroupName");
  if (group) reject("placementGroupUnknown", group);
  const tenancy = node.text("Placement.Tenancy") ?? "default";
  if (tenancy === "host") reject("unsupported", "Backlot has no Dedicated Hosts.");
  return tenancy === "default" || tenancy === "dedicated" ? tenancy : reject("badValue", "tenancy", tenancy);
}

/** The image's devices, with what the request changes and adds. */
function readDevices(call: Call, node: Node, image: Image): readonly Device[] {
  const devices = new Map(image.devices.map((device) => [device.name, device]));
  for (const mapping of node.items("BlockDeviceMapping")) {
    const name = mapping.text("DeviceName") ?? reject("missingParameter", `${mapping.path}.DeviceName`);
    if (mapping.text("NoDevice") !== undefined) devices.delete(name);
    else if (mapping.at("Ebs").given) devices.set(name, readDevice(call, mapping, devices.get(name)));
  }
  return [...devices.values()];
}

const volumeTypes = ["standard", "gp2", "gp3", "io1", "io2", "st1", "sc1"];

function readDevice(call: Call, mapping: Node, from: Device | undefined): Device {
  const ebs = mapping.at("Ebs");
  const name = mapping.text("DeviceName") ?? "";
  const type = ebs.text("VolumeType") ?? from?.type ?? "gp2";
  if (!volumeTypes.includes(type)) reject("badValue", "volumeType", type);
  const snapshot = ebs.text("SnapshotId") ?? from?.snapshot;
  const own = snapshot === undefined ? undefined : call.runtime.state.resources.snapshot.of(ownerOf(call), snapshot);
  if (snapshot !== undefined && snapshot !== from?.snapshot && !own) reject("snapshotNotFound", snapshot);
  const gib = ebs.integer("VolumeSize") ?? own?.gib ?? from?.gib ?? reject("missingParameter", "size/snapshotId");
  if (gib < 1 || gib > 65_536) reject("invalidValue", `Volume of ${gib}GiB is out of bounds`);
  if (from && gib < from.gib)
    reject(
      "invalidValue",
      `Volume of size ${gib}GB is smaller than snapshot '${from.snapshot ?? ""}', expect size >= ${from.gib}GB`,
    );
  return {
    name,
    gib,
    type,
    encrypted: ebs.flag("Encrypted") ?? from?.encrypted ?? false,
    deleteOnTermination: ebs.flag("DeleteOnTermination") ?? from?.deleteOnTermination ?? true,
    snapshot,
  };
}
