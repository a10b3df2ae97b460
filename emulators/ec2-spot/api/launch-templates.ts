/** Launch templates: kept as their wire members, so that a launch reads them as if the caller had sent them. */
import type { LaunchTemplate } from "../domain/resources.ts";
import { reject } from "../errors.ts";
import { grow, type Node, treeOf } from "../query-tree.ts";
import { instantText } from "../wire/time.ts";
import { element, itemList, maybe, tagSetXml, wrap } from "../wire/xml.ts";
import { type Facts, pageOf, sift } from "./describe.ts";
import { once } from "./idempotent.ts";
import { ownerOf } from "./launch-plan.ts";
import { answerEc2, type Call, type Operation, parameterNames, stopDryRun } from "./operation.ts";
import { tagsFor } from "./tag-specifications.ts";

export interface Chosen {
  readonly template: LaunchTemplate;
  readonly version: LaunchTemplate["versions"][number];
}

/** The template and version that `LaunchTemplateId`, `LaunchTemplateName` and `Version` name. */
export function chosenTemplate(call: Call, node: Node): Chosen {
  const id = node.text("LaunchTemplateId");
  const name = node.text("LaunchTemplateName");
  if (id === undefined && name === undefined) reject("missingParameter", "LaunchTemplateId");
  const all = call.runtime.state.resources.template.list(ownerOf(call));
  const template =
    all.find((one) => (id === undefined ? one.name === name : one.id === id)) ??
    (id === undefined ? reject("templateNameNotFound", name) : reject("templateNotFound", id));
  const asked = node.text("Version") ?? "$Default";
  const number =
    asked === "$Default" ? template.defaultVersion : asked === "$Latest" ? template.versions.length : Number(asked);
  const version =
    template.versions.find((one) => one.number === number) ?? reject("templateVersion", template.id, asked);
  return { template, version };
}

/** Under what a request says itself lies what its launch template says. A list that is given replaces the template's. */
export function withTemplate(call: Call, node: Node): Node {
  const named = node.at("LaunchTemplate");
  if (!named.given) return node;
  const { version } = chosenTemplate(call, named);
  const own = node.entries();
  const lists = new Set(own.map(([name]) => /^[^.]*/.exec(name)?.[0] ?? ""));
  return grow([...version.data.filter(([name]) => !lists.has(/^[^.]*/.exec(name)?.[0] ?? "")), ...own]);
}

/** At the root of a request `Version` is the protocol's, not the template's. */
function templateName(node: Node): Node {
  return grow(node.entries().filter(([name]) => name === "LaunchTemplateId" || name === "LaunchTemplateName"));
}

export const createLaunchTemplate: Operation = {
  service: "ec2",
  action: "CreateLaunchTemplate",
  parameters: parameterNames(
    "DryRun ClientToken LaunchTemplateName VersionDescription LaunchTemplateData.* Operator.* TagSpecification.*",
  ),
  run(call) {
    const node = treeOf(call.parameters);
    const owner = ownerOf(call);
    const { resources } = call.runtime.state;
    const name = node.text("LaunchTemplateName") ?? reject("missingParameter", "LaunchTemplateName");
    if (!/^[\w().\-/]{3,128}$/.test(name)) reject("badValue", "launchTemplateName", name);
    const data = node.at("LaunchTemplateData").entries();
    if (data.length === 0) reject("missingParameter", "LaunchTemplateData");
    const tags = tagsFor(node, "launch-template", ["launch-template"]);
    const description = node.text("VersionDescription");
    stopDryRun(call);
    const [id = ""] = call.runtime.store.write(() =>
      once(call, "CreateLaunchTemplate", node.text("ClientToken"), () => {
        if (resources.template.list(owner).some((one) => one.name === name)) reject("templateTaken", name);
        const createdAt = call.runtime.clock.now();
        const template: LaunchTemplate = {
          id: `lt-${call.runtime.ids.derive("ec2.template", [owner.account, owner.region, name]).hex(17)}`,
          ...owner,
          tags,
          name,
          createdAt,
          createdBy: call.caller.arn,
          defaultVersion: 1,
          versions: [{ number: 1, ...(description === undefined ? {} : { description }), createdAt, data }],
        };
        resources.template.put(template);
        return [template.id];
      }),
    );
    const template = resources.template.get(id);
    return answerEc2(call, "CreateLaunchTemplate", template ? wrap("launchTemplate", templateXml(template)) : "");
  },
};

function templateXml(template: LaunchTemplate): string {
  return (
    element("launchTemplateId", template.id) +
    element("launchTemplateName", template.name) +
    element("createTime", instantText(template.createdAt)) +
    element("createdBy", template.createdBy) +
    element("defaultVersionNumber", template.defaultVersion) +
    element("latestVersionNumber", template.versions.length) +
    tagSetXml(template.tags)
  );
}

const facts: Facts<LaunchTemplate> = {
  "create-time": ({ createdAt }) => [instantText(createdAt)],
  "launch-template-name": ({ name }) => [name],
};

export const describeLaunchTemplates: Operation = {
  service: "ec2",
  action: "DescribeLaunchTemplates",
  parameters: parameterNames("DryRun LaunchTemplateId LaunchTemplateName Filter MaxResults NextToken"),
  run(call) {
    const all = call.runtime.state.resources.template.list(ownerOf(call));
    const ids = call.parameters.list("LaunchTemplateId");
    const names = call.parameters.list("LaunchTemplateName");
    for (const id of ids) if (!all.some((one) => one.id === id)) reject("templateNotFound", id);
    for (const name of names) if (!all.some((one) => one.name === name)) reject("templateNameNotFound", name);
    const chosen = all.filter(
      ({ id, name }) => (ids.length === 0 || ids.includes(id)) && (names.length === 0 || names.includes(name)),
    );
    const found = sift(chosen, call.parameters.filters(), facts);
    stopDryRun(call);
    const page = pageOf(call, found, { purpose: "templates", least: 1, most: 200, usual: 200 });
    const set = itemList("launchTemplates", page.items.map(templateXml));
    return answerEc2(
      call,
      "DescribeLaunchTemplates",
      page.token === undefined ? set : set + element("nextToken", page.token),
    );
  },
};

export const describeLaunchTemplateVersions: Operation = {
  service: "ec2",
  action: "DescribeLaunchTemplateVersions",
  parameters: parameterNames(
    "DryRun LaunchTemplateId LaunchTemplateName LaunchTemplateVersion MinVersion MaxVersion NextToken MaxResults Filter ResolveAlias",
  ),
  run(call) {
    const node = treeOf(call.parameters);
    const { template } = chosenTemplate(call, templateName(node));
    const asked = node.list("LaunchTemplateVersion");
    const latest = template.versions.length;
    const numbers = asked.map((one) =>
      one === "$Latest" ? latest : one === "$Default" ? template.defaultVersion : Number(one),
    );
    const versions = template.versions.filter(
      ({ number }) =>
        (numbers.length === 0 || numbers.includes(number)) &&
        number >= (node.integer("MinVersion") ?? 1) &&
        number <= (node.integer("MaxVersion") ?? latest),
    );
    stopDryRun(call);
    const set = itemList(
      "launchTemplateVersionSet",
      versions.map(
        (version) =>
          element("launchTemplateId", template.id) +
          element("launchTemplateName", template.name) +
          element("versionNumber", version.number) +
          maybe("versionDescription", version.description) +
          element("createTime", instantText(version.createdAt)) +
          element("createdBy", template.createdBy) +
          element("defaultVersion", version.number === template.defaultVersion) +
          wrap("launchTemplateData", dataXml(grow(version.data))),
      ),
    );
    return answerEc2(call, "DescribeLaunchTemplateVersions", set);
  },
};

function dataXml(data: Node): string {
  const groups = itemListOr("securityGroupIdSet", data.list("SecurityGroupId"));
  return (
    maybe("ebsOptimized", data.flag("EbsOptimized")) +
    profileXml(data.at("IamInstanceProfile")) +
    itemListOr(
      "blockDeviceMappingSet",
      data
        .items("BlockDeviceMapping")
        .map(
          (device) =>
            maybe("deviceName", device.text("DeviceName")) +
            wrap(
              "ebs",
              maybe("encrypted", device.flag("Ebs.Encrypted")) +
                maybe("deleteOnTermination", device.flag("Ebs.DeleteOnTermination")) +
                maybe("snapshotId", device.text("Ebs.SnapshotId")) +
                maybe("volumeSize", device.integer("Ebs.VolumeSize")) +
                maybe("volumeType", device.text("Ebs.VolumeType")),
            ),
        ),
    ) +
    maybe("imageId", data.text("ImageId")) +
    maybe("instanceType", data.text("InstanceType")) +
    maybe("keyName", data.text("KeyName")) +
    (data.at("Monitoring").given ? wrap("monitoring", maybe("enabled", data.flag("Monitoring.Enabled"))) : "") +
    (data.at("Placement").given
      ? wrap("placement", maybe("availabilityZone", data.text("Placement.AvailabilityZone")))
      : "") +
    maybe("userData", data.text("UserData")) +
    itemListOr(
      "tagSpecificationSet",
      data
        .items("TagSpecification")
        .map(
          (specification) =>
            maybe("resourceType", specification.text("ResourceType")) +
            tagSetXml(
              specification.items("Tag").map((tag) => ({ key: tag.text("Key") ?? "", value: tag.text("Value") ?? "" })),
            ),
        ),
    ) +
    (data.at("InstanceMarketOptions").given
      ? wrap(
          "instanceMarketOptions",
          maybe("marketType", data.text("InstanceMarketOptions.MarketType")) +
            wrap(
              "spotOptions",
              maybe("maxPrice", data.text("InstanceMarketOptions.SpotOptions.MaxPrice")) +
                maybe("spotInstanceType", data.text("InstanceMarketOptions.SpotOptions.SpotInstanceType")) +
                maybe(
                  "instanceInterruptionBehavior",
                  data.text("InstanceMarketOptions.SpotOptions.InstanceInterruptionBehavior"),
                ),
            ),
        )
      : "") +
    groups
  );
}

function profileXml(profile: Node): string {
  return profile.given
    ? wrap("iamInstanceProfile", maybe("arn", profile.text("Arn")) + maybe("name", profile.text("Name")))
    : "";
}

function itemListOr(name: string, items: readonly string[]): string {
  return items.length === 0 ? "" : itemList(name, items);
}

export const deleteLaunchTemplate: Operation = {
  service: "ec2",
  action: "DeleteLaunchTemplate",
  parameters: parameterNames("DryRun LaunchTemplateId LaunchTemplateName"),
  run(call) {
    const { template } = chosenTemplate(call, templateName(treeOf(call.parameters)));
    stopDryRun(call);
    call.runtime.store.write(() => call.runtime.state.resources.template.remove(template.id));
    return answerEc2(call, "DeleteLaunchTemplate", wrap("launchTemplate", templateXml(template)));
  },
};
