/** Images, snapshots and volumes. */
import { platformOf } from "../domain/platforms.ts";
import type { Image, Snapshot, Volume } from "../domain/resources.ts";
import { instantText } from "./time.ts";
import { element, itemList, maybe, tagSetXml, wrap } from "./xml.ts";

export function imageXml(image: Image): string {
  const platform = platformOf(image.product);
  return (
    element("imageId", image.id) +
    element("imageLocation", `${image.ownerAlias ?? image.account}/${image.name}`) +
    element("imageState", image.state) +
    element("imageOwnerId", image.account) +
    element("creationDate", instantText(image.createdAt)) +
    element("isPublic", image.isPublic) +
    "<productCodes/>" +
    element("architecture", image.architecture) +
    element("imageType", "machine") +
    maybe("platform", platform.platform) +
    element("platformDetails", platform.details) +
    element("usageOperation", platform.usageOperation) +
    maybe("imageOwnerAlias", image.ownerAlias) +
    element("name", image.name) +
    element("description", image.description) +
    element("rootDeviceType", "ebs") +
    element("rootDeviceName", image.rootDevice) +
    itemList(
      "blockDeviceMapping",
      image.devices.map(
        (device) =>
          element("deviceName", device.name) +
          wrap(
            "ebs",
            maybe("snapshotId", device.snapshot) +
              element("volumeSize", device.gib) +
              element("deleteOnTermination", device.deleteOnTermination) +
              element("volumeType", device.type) +
              element("encrypted", device.encrypted),
          ),
      ),
    ) +
    element("virtualizationType", "hvm") +
    tagSetXml(image.tags) +
    element("hypervisor", "xen") +
    element("enaSupport", true) +
    element("sriovNetSupport", "simple") +
    element("bootMode", image.architecture === "arm64" ? "uefi" : "uefi-preferred") +
    maybe("sourceInstanceId", image.sourceInstance) +
    maybe("sourceImageId", image.sourceImage)
  );
}

export function snapshotXml(snapshot: Snapshot): string {
  return (
    element("snapshotId", snapshot.id) +
    element("volumeId", snapshot.volume) +
    element("status", snapshot.state) +
    element("startTime", instantText(snapshot.startedAt)) +
    element("progress", snapshot.state === "completed" ? "100%" : "0%") +
    element("ownerId", snapshot.account) +
    element("volumeSize", snapshot.gib) +
    element("description", snapshot.description) +
    element("encrypted", snapshot.encrypted) +
    tagSetXml(snapshot.tags) +
    element("storageTier", "standard")
  );
}

export function volumeXml(volume: Volume, zoneName: string): string {
  const { attachment } = volume;
  return (
    element("volumeId", volume.id) +
    element("size", volume.gib) +
    element("snapshotId", volume.snapshot) +
    element("availabilityZone", zoneName) +
    element("availabilityZoneId", volume.zone) +
    element("status", attachment ? "in-use" : "available") +
    element("createTime", instantText(volume.createdAt)) +
    itemList(
      "attachmentSet",
      attachment
        ? [
            element("volumeId", volume.id) +
              element("instanceId", attachment.instance) +
              element("device", attachment.device) +
              element("status", "attached") +
              element("attachTime", instantText(attachment.at)) +
              element("deleteOnTermination", attachment.deleteOnTermination),
          ]
        : [],
    ) +
    tagSetXml(volume.tags) +
    element("volumeType", volume.type) +
    (volume.type === "gp3" ? element("iops", 3000) + element("throughput", 125) : "") +
    element("encrypted", volume.encrypted) +
    element("multiAttachEnabled", false)
  );
}
