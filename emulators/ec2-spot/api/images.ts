/** CreateImage, CopyImage, DescribeImages, DeregisterImage; snapshots and volumes. */
import { platformOf } from "../domain/platforms.ts";
import { regionNamed } from "../domain/regions.ts";
import type { Device, Image, Snapshot, Volume } from "../domain/resources.ts";
import { reject } from "../errors.ts";
import { imageFor, publicImagesIn } from "../images.ts";
import { capture, copy, imageTimer } from "../life/images.ts";
import { treeOf } from "../query-tree.ts";
import { imageXml, snapshotXml, volumeXml } from "../wire/images.ts";
import { instantText } from "../wire/time.ts";
import { element, itemList } from "../wire/xml.ts";
import { answerPage, type Facts, pageOf, sift } from "./describe.ts";
import { once } from "./idempotent.ts";
import { instancesNamed } from "./instances.ts";
import { ownerOf, zoneNameOf } from "./launch-plan.ts";
import { answerEc2, type Call, type Operation, parameterNames, stopDryRun } from "./operation.ts";
import { tagsFor } from "./tag-specifications.ts";

const namePattern = /^[A-Za-z0-9()./_@[\] '"-]{3,128}$/;

function freeName(call: Call, name: string): string {
  if (!namePattern.test(name)) reject("imageNameMalformed");
  const taken = call.runtime.state.resources.image.list(ownerOf(call)).find((image) => image.name === name);
  return taken ? reject("imageNameTaken", name, taken.id) : name;
}

export const createImage: Operation = {
  service: "ec2",
  action: "CreateImage",
  parameters: parameterNames(
    "InstanceId Name Description NoReboot BlockDeviceMapping.* TagSpecification.* DryRun SnapshotLocation",
  ),
  run(call) {
    const node = treeOf(call.parameters);
    const id = node.text("InstanceId") ?? reject("missingParameter", "InstanceId");
    const name = freeName(call, node.text("Name") ?? reject("missingParameter", "Name"));
    const [instance] = instancesNamed(call, [id]);
    if (!instance) return reject("instanceNotFound", id);
    if (instance.state === "terminated" || instance.state === "shutting-down" || instance.state === "pending")
      reject("incorrectState", `The instance '${id}' is not in a state from which an image can be created.`);
    const devices = new Map<string, Device>(instance.plan.devices.map((device) => [device.name, device]));
    for (const mapping of node.items("BlockDeviceMapping")) {
      const device = mapping.text("DeviceName") ?? "";
      const known = devices.get(device);
      if (mapping.text("NoDevice") !== undefined) devices.delete(device);
      else if (known)
        devices.set(device, {
          ...known,
          gib: mapping.integer("Ebs.VolumeSize") ?? known.gib,
          deleteOnTermination: mapping.flag("Ebs.DeleteOnTermination") ?? known.deleteOnTermination,
        });
    }
    const tags = tagsFor(node, "image", ["image", "snapshot"]);
    const snapshotTags = tagsFor(node, "snapshot", ["image", "snapshot"]);
    stopDryRun(call);
    const image = call.runtime.store.write(() =>
      capture(
        call.runtime,
        {
          owner: ownerOf(call),
          instance,
          name,
          description: node.text("Description") ?? "",
          noReboot: node.flag("NoReboot") ?? false,
          devices: [...devices.values()],
          tags,
          snapshotTags,
        },
        call.runtime.clock.now(),
      ),
    );
    call.exchange.note("resource", image.id);
    return answerEc2(call, "CreateImage", element("imageId", image.id));
  },
};

export const copyImage: Operation = {
  service: "ec2",
  action: "CopyImage",
  parameters: parameterNames(
    "ClientToken Description Encrypted KmsKeyId Name SourceImageId SourceRegion DestinationOutpostArn CopyImageTags TagSpecification.* SnapshotCopyCompletionDurationMinutes DestinationAvailabilityZone DestinationAvailabilityZoneId DryRun",
  ),
  run(call) {
    const node = treeOf(call.parameters);
    const sourceId = node.text("SourceImageId") ?? reject("missingParameter", "SourceImageId");
    const sourceRegion = node.text("SourceRegion") ?? reject("missingParameter", "SourceRegion");
    const name = node.text("Name") ?? reject("missingParameter", "Name");
    if (!regionNamed(sourceRegion)) reject("badRegion", sourceRegion);
    const from = { account: call.caller.account.id, region: sourceRegion };
    const source = imageFor(call.runtime.state, call.runtime.ids, from, sourceId) ?? reject("imageNotFound", sourceId);
    if (source.state !== "available") reject("imageUnavailable", sourceId, source.state);
    const tags = [...tagsFor(node, "image", ["image", "snapshot"]), ...(node.flag("CopyImageTags") ? source.tags : [])];
    stopDryRun(call);
    const [id = ""] = call.runtime.store.write(() =>
      once(call, "CopyImage", node.text("ClientToken"), () => {
        freeName(call, name);
        const wanted = {
          owner: ownerOf(call),
          name,
          description: node.text("Description") ?? "",
          encrypted: node.flag("Encrypted") ?? false,
          tags,
        };
        return [copy(call.runtime, source, wanted, call.runtime.clock.now()).id];
      }),
    );
    return answerEc2(call, "CopyImage", element("imageId", id));
  },
};

const one = (value: string | undefined) => (value === undefined ? [] : [value]);

const imageFacts: Facts<Image> = {
  architecture: ({ architecture }) => [architecture],
  "block-device-mapping.delete-on-termination": ({ devices }) =>
    devices.map(({ deleteOnTermination }) => String(deleteOnTermination)),
  "block-device-mapping.device-name": ({ devices }) => devices.map(({ name }) => name),
  "block-device-mapping.encrypted": ({ devices }) => devices.map(({ encrypted }) => String(encrypted)),
  "block-device-mapping.snapshot-id": ({ devices }) => devices.flatMap(({ snapshot }) => one(snapshot)),
  "block-device-mapping.volume-size": ({ devices }) => devices.map(({ gib }) => String(gib)),
  "block-device-mapping.volume-type": ({ devices }) => devices.map(({ type }) => type),
  "creation-date": ({ createdAt }) => [instantText(createdAt)],
  description: ({ description }) => [description],
  "ena-support": () => ["true"],
  hypervisor: () => ["xen"],
  "image-id": ({ id }) => [id],
  "image-type": () => ["machine"],
  "is-public": ({ isPublic }) => [String(isPublic)],
  name: ({ name }) => [name],
  "owner-alias": ({ ownerAlias }) => one(ownerAlias),
  "owner-id": ({ account }) => [account],
  platform: ({ product }) => one(platformOf(product).platform),
  "platform-details": ({ product }) => [platformOf(product).details],
  "root-device-name": ({ rootDevice }) => [rootDevice],
  "root-device-type": () => ["ebs"],
  "source-instance-id": ({ sourceInstance }) => one(sourceInstance),
  state: ({ state }) => [state],
  "usage-operation": ({ product }) => [platformOf(product).usageOperation],
  "virtualization-type": () => ["hvm"],
};

export const describeImages: Operation = {
  service: "ec2",
  action: "DescribeImages",
  parameters: parameterNames(
    "ExecutableBy ImageId Owner IncludeDeprecated IncludeDisabled DryRun Filter MaxResults NextToken",
  ),
  run(call) {
    const { parameters, runtime } = call;
    const owner = ownerOf(call);
    const ids = parameters.list("ImageId");
    const owners = parameters.list("Owner");
    const executable = parameters.list("ExecutableBy");
    for (const id of ids) if (!/^ami-[0-9a-f]{8,17}$/.test(id)) reject("imageMalformed", id);
    const own = runtime.state.resources.image.list(owner);
    const all = [...own, ...publicImagesIn(runtime.ids, owner.region)];
    const missing = ids.filter((id) => !all.some((image) => image.id === id));
    if (missing.length > 0) reject("imageNotFound", missing.join(", "));
    const owned = (image: Image) =>
      owners.length === 0 ||
      owners.some(
        (name) =>
          name === image.account || name === image.ownerAlias || (name === "self" && image.account === owner.account),
      );
    const runnable = (image: Image) =>
      executable.length === 0 ||
      (executable.includes("all") && image.isPublic) ||
      (executable.includes("self") && image.account !== owner.account && !image.isPublic);
    const candidates = all.filter(
      (image) => (ids.length === 0 || ids.includes(image.id)) && owned(image) && runnable(image),
    );
    const found = sift(candidates, parameters.filters(), imageFacts);
    stopDryRun(call);
    const page = pageOf(call, found, { purpose: "images", ids, least: 1 });
    const set = itemList("imagesSet", page.items.map(imageXml));
    return answerPage(call, "DescribeImages", set, page);
  },
};

export const deregisterImage: Operation = {
  service: "ec2",
  action: "DeregisterImage",
  parameters: parameterNames("ImageId DryRun DeleteAssociatedSnapshots"),
  run(call) {
    const id = call.parameters.text("ImageId") ?? reject("missingParameter", "ImageId");
    if (!/^ami-[0-9a-f]{8,17}$/.test(id)) reject("imageMalformed", id);
    const { resources } = call.runtime.state;
    const image = resources.image.of(ownerOf(call), id) ?? reject("imageNotFound", id);
    const withSnapshots = call.parameters.flag("DeleteAssociatedSnapshots");
    stopDryRun(call);
    call.runtime.store.write(() => {
      resources.image.remove(id);
      call.runtime.timers.cancel(imageTimer, id);
      if (withSnapshots) for (const { snapshot } of image.devices) if (snapshot) resources.snapshot.remove(snapshot);
      call.runtime.journal.append("change", id, { image: "deregistered" });
    });
    return answerEc2(call, "DeregisterImage", element("return", true));
  },
};

const snapshotFacts: Facts<Snapshot> = {
  description: ({ description }) => [description],
  encrypted: ({ encrypted }) => [String(encrypted)],
  "owner-id": ({ account }) => [account],
  progress: ({ state }) => [state === "completed" ? "100%" : "0%"],
  "snapshot-id": ({ id }) => [id],
  "start-time": ({ startedAt }) => [instantText(startedAt)],
  status: ({ state }) => [state],
  "storage-tier": () => ["standard"],
  "volume-id": ({ volume }) => [volume],
  "volume-size": ({ gib }) => [String(gib)],
};

export const describeSnapshots: Operation = {
  service: "ec2",
  action: "DescribeSnapshots",
  parameters: parameterNames("SnapshotId Owner RestorableBy DryRun Filter MaxResults NextToken"),
  run(call) {
    const ids = call.parameters.list("SnapshotId");
    const owner = ownerOf(call);
    const owners = call.parameters.list("Owner");
    const all = call.runtime.state.resources.snapshot.list(owner);
    for (const id of ids) if (!all.some((snapshot) => snapshot.id === id)) reject("snapshotNotFound", id);
    const mine = owners.length === 0 || owners.includes("self") || owners.includes(owner.account);
    const found = sift(
      all.filter(({ id }) => mine && (ids.length === 0 || ids.includes(id))),
      call.parameters.filters(),
      snapshotFacts,
    );
    stopDryRun(call);
    const page = pageOf(call, found, { purpose: "snapshots", ids });
    const set = itemList("snapshotSet", page.items.map(snapshotXml));
    return answerPage(call, "DescribeSnapshots", set, page);
  },
};

export const deleteSnapshot: Operation = {
  service: "ec2",
  action: "DeleteSnapshot",
  parameters: parameterNames("SnapshotId DryRun"),
  run(call) {
    const id = call.parameters.text("SnapshotId") ?? reject("missingParameter", "SnapshotId");
    const { resources } = call.runtime.state;
    const owner = ownerOf(call);
    if (!resources.snapshot.of(owner, id)) reject("snapshotNotFound", id);
    const user = resources.image.list(owner).find(({ devices }) => devices.some(({ snapshot }) => snapshot === id));
    if (user) reject("snapshotInUse", id, user.id);
    stopDryRun(call);
    call.runtime.store.write(() => resources.snapshot.remove(id));
    return answerEc2(call, "DeleteSnapshot", element("return", true));
  },
};

export const describeVolumes: Operation = {
  service: "ec2",
  action: "DescribeVolumes",
  parameters: parameterNames("VolumeId DryRun Filter MaxResults NextToken"),
  run(call) {
    const ids = call.parameters.list("VolumeId");
    const all = call.runtime.state.resources.volume.list(ownerOf(call));
    for (const id of ids) if (!all.some((volume) => volume.id === id)) reject("volumeNotFound", id);
    const facts: Facts<Volume> = {
      "attachment.attach-time": ({ attachment }) => one(attachment && instantText(attachment.at)),
      "attachment.delete-on-termination": ({ attachment }) => one(attachment && String(attachment.deleteOnTermination)),
      "attachment.device": ({ attachment }) => one(attachment?.device),
      "attachment.instance-id": ({ attachment }) => one(attachment?.instance),
      "attachment.status": ({ attachment }) => one(attachment && "attached"),
      "availability-zone": ({ zone }) => [zoneNameOf(call, zone)],
      "availability-zone-id": ({ zone }) => [zone],
      "create-time": ({ createdAt }) => [instantText(createdAt)],
      encrypted: ({ encrypted }) => [String(encrypted)],
      size: ({ gib }) => [String(gib)],
      "snapshot-id": ({ snapshot }) => [snapshot],
      status: ({ attachment }) => [attachment ? "in-use" : "available"],
      "volume-id": ({ id }) => [id],
      "volume-type": ({ type }) => [type],
    };
    const chosen = all.filter(({ id }) => ids.length === 0 || ids.includes(id));
    const found = sift(chosen, call.parameters.filters(), facts);
    stopDryRun(call);
    const page = pageOf(call, found, { purpose: "volumes", ids });
    const set = itemList(
      "volumeSet",
      page.items.map((volume) => volumeXml(volume, zoneNameOf(call, volume.zone))),
    );
    return answerPage(call, "DescribeVolumes", set, page);
  },
};
