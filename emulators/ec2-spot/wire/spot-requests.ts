/** Spot requests, in the order in which EC2 writes them. */
import { platformOf } from "../domain/platforms.ts";
import type { LaunchPlan, SpotRequest } from "../domain/resources.ts";
import { groupsXml } from "./instances.ts";
import { priceText } from "./spot-prices.ts";
import { instantText } from "./time.ts";
import { element, itemList, maybe, tagSetXml, wrap } from "./xml.ts";

export interface RequestView {
  readonly made: SpotRequest;
  /** Name of a zone id. */
  readonly zoneName: (id: string) => string;
}

export function spotRequestXml({ made, zoneName }: RequestView): string {
  return (
    element("spotInstanceRequestId", made.id) +
    element("spotPrice", priceText(made.mostTicks)) +
    element("type", made.type) +
    element("state", made.state) +
    wrap(
      "status",
      element("code", made.code) +
        element("updateTime", instantText(made.updatedAt)) +
        element("message", made.message),
    ) +
    (made.validFrom === undefined ? "" : element("validFrom", instantText(made.validFrom))) +
    (made.validUntil === undefined ? "" : element("validUntil", instantText(made.validUntil))) +
    maybe("launchGroup", made.launchGroup) +
    maybe("availabilityZoneGroup", made.zoneGroup) +
    wrap("launchSpecification", launchSpecificationXml(made.plan, zoneName)) +
    maybe("instanceId", made.instance) +
    element("createTime", instantText(made.createdAt)) +
    element("productDescription", platformOf(made.plan.product).details) +
    (made.launchedZone === undefined
      ? ""
      : element("launchedAvailabilityZone", zoneName(made.launchedZone)) +
        element("launchedAvailabilityZoneId", made.launchedZone)) +
    tagSetXml(made.tags) +
    element("instanceInterruptionBehavior", made.behavior)
  );
}

export function launchSpecificationXml(plan: LaunchPlan, zoneName: (id: string) => string): string {
  return (
    element("imageId", plan.image) +
    maybe("keyName", plan.keyName) +
    groupsXml(plan.groups) +
    element("instanceType", plan.type) +
    placementXml(plan, zoneName) +
    itemList(
      "blockDeviceMapping",
      plan.devices.map(
        (device) =>
          element("deviceName", device.name) +
          wrap(
            "ebs",
            maybe("snapshotId", device.snapshot) +
              element("volumeSize", device.gib) +
              element("deleteOnTermination", device.deleteOnTermination) +
              element("volumeType", device.type),
          ),
      ),
    ) +
    wrap("monitoring", element("enabled", plan.monitoring)) +
    maybe("subnetId", plan.subnet) +
    "<networkInterfaceSet/>" +
    (plan.profile === undefined ? "" : wrap("iamInstanceProfile", element("arn", plan.profile))) +
    element("ebsOptimized", plan.ebsOptimized)
  );
}

/** Only what was asked for. */
function placementXml({ zone, tenancy }: LaunchPlan, zoneName: (id: string) => string): string {
  const asked =
    (zone === undefined ? "" : element("availabilityZone", zoneName(zone))) +
    (tenancy === "default" ? "" : element("tenancy", tenancy));
  return asked === "" ? "" : wrap("placement", asked);
}
