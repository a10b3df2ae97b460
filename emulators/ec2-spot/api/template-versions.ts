/** Versions of launch templates: made, described, deleted. */
import type { LaunchTemplate, TemplateVersion } from "../domain/resources.ts";
import { reject } from "../errors.ts";
import { grow, treeOf } from "../query-tree.ts";
import { versionXml } from "../wire/launch-templates.ts";
import { instantText } from "../wire/time.ts";
import { element, itemList, wrap } from "../wire/xml.ts";
import { answerPage, type Facts, pageOf, sift } from "./describe.ts";
import { clientTokenOf, once } from "./idempotent.ts";
import { ownerOf } from "./launch-plan.ts";
import { longestTemplateToken, readDescription } from "./launch-templates.ts";
import { answerEc2, type Call, type Operation, parameterNames, stopDryRun } from "./operation.ts";
import { overlaid, templateOf, versionNamed, versionOf } from "./template-choice.ts";

/** With a source version what is not given is taken from it. */
export const createLaunchTemplateVersion: Operation = {
  service: "ec2",
  action: "CreateLaunchTemplateVersion",
  parameters: parameterNames(
    "DryRun ClientToken LaunchTemplateId LaunchTemplateName SourceVersion VersionDescription LaunchTemplateData.* ResolveAlias",
  ),
  run(call) {
    const node = treeOf(call.parameters);
    const { resources } = call.runtime.state;
    const { id } = templateOf(call, node);
    const given = node.at("LaunchTemplateData").entries();
    const source = node.text("SourceVersion");
    if (given.length === 0 && source === undefined) reject("missingParameter", "LaunchTemplateData");
    const description = readDescription(node);
    const token = clientTokenOf(node, longestTemplateToken);
    const from = source === undefined ? [] : versionOf(templateOf(call, node), source).data;
    stopDryRun(call);
    const [number] = call.runtime.store.write(() =>
      once(call, "CreateLaunchTemplateVersion", token, () => {
        const template = templateOf(call, node);
        const made: TemplateVersion = {
          number: template.lastVersion + 1,
          ...description,
          createdAt: call.runtime.clock.now(),
          createdBy: call.caller.arn,
          data: overlaid(from, given),
        };
        resources.template.put({ ...template, lastVersion: made.number, versions: [...template.versions, made] });
        return [String(made.number)];
      }),
    );
    call.exchange.note("resource", id);
    const template = templateOf(call, node);
    const version = versionOf(template, number ?? "");
    const xml = wrap("launchTemplateVersion", versionXml(template, version, grow(version.data)));
    return answerEc2(call, "CreateLaunchTemplateVersion", xml);
  },
};

interface Described {
  readonly id: string;
  readonly template: LaunchTemplate;
  readonly version: TemplateVersion;
  readonly tags: readonly never[];
}

const member =
  (name: string) =>
  ({ version }: Described): readonly string[] => {
    const value = grow(version.data).text(name);
    return value === undefined ? [] : [value];
  };

const facts: Facts<Described> = {
  "create-time": ({ version }) => [instantText(version.createdAt)],
  "ebs-optimized": member("EbsOptimized"),
  "http-endpoint": member("MetadataOptions.HttpEndpoint"),
  "http-protocol-ipv6": member("MetadataOptions.HttpProtocolIpv6"),
  "http-tokens": member("MetadataOptions.HttpTokens"),
  "iam-instance-profile": member("IamInstanceProfile.Arn"),
  "image-id": member("ImageId"),
  "instance-type": member("InstanceType"),
  "is-default-version": ({ template, version }) => [String(version.number === template.defaultVersion)],
  "kernel-id": member("KernelId"),
  "ram-disk-id": member("RamDiskId"),
};

/** Of one template, or the latest or default ones of all; newest first. */
function asked(call: Call): readonly Described[] {
  const node = treeOf(call.parameters);
  const names = node.list("LaunchTemplateVersion");
  const described = (template: LaunchTemplate, version: TemplateVersion): Described => ({
    id: `${template.id}/${version.number}`,
    template,
    version,
    tags: [],
  });
  if (node.text("LaunchTemplateId") === undefined && node.text("LaunchTemplateName") === undefined) {
    if (names.length === 0 || names.some((name) => name !== "$Latest" && name !== "$Default"))
      reject("missingParameter", "LaunchTemplateId");
    return call.runtime.state.resources.template.list(ownerOf(call)).flatMap((template) => {
      const found = new Set(names.flatMap((name) => versionNamed(template, name) ?? []));
      return [...found].map((version) => described(template, version));
    });
  }
  const template = templateOf(call, node);
  const least = node.integer("MinVersion") ?? 1;
  const most = node.integer("MaxVersion") ?? template.lastVersion;
  const named = new Set(names.map((name) => versionOf(template, name)));
  return [...(named.size > 0 ? named : template.versions)]
    .filter(({ number }) => number >= least && number <= most)
    .sort((left, right) => right.number - left.number)
    .map((version) => described(template, version));
}

export const describeLaunchTemplateVersions: Operation = {
  service: "ec2",
  action: "DescribeLaunchTemplateVersions",
  parameters: parameterNames(
    "DryRun LaunchTemplateId LaunchTemplateName LaunchTemplateVersion MinVersion MaxVersion NextToken MaxResults Filter ResolveAlias",
  ),
  run(call) {
    const found = sift(asked(call), call.parameters.filters(), facts);
    stopDryRun(call);
    const page = pageOf(call, found, { purpose: "template-versions", least: 1, most: 200, usual: 200 });
    const set = itemList(
      "launchTemplateVersionSet",
      page.items.map(({ template, version }) => versionXml(template, version, grow(version.data))),
    );
    return answerPage(call, "DescribeLaunchTemplateVersions", set, page);
  },
};

export const deleteLaunchTemplateVersions: Operation = {
  service: "ec2",
  action: "DeleteLaunchTemplateVersions",
  parameters: parameterNames("DryRun LaunchTemplateId LaunchTemplateName LaunchTemplateVersion"),
  run(call) {
    const node = treeOf(call.parameters);
    const template = templateOf(call, node);
    const names = node.list("LaunchTemplateVersion");
    if (names.length === 0) reject("missingParameter", "LaunchTemplateVersion");
    stopDryRun(call);
    const told = (number: string) =>
      element("launchTemplateId", template.id) +
      element("launchTemplateName", template.name) +
      element("versionNumber", number);
    const gone = new Set<TemplateVersion>();
    const failed: string[] = [];
    for (const name of names) {
      const version = versionNamed(template, name);
      const isDefault = version?.number === template.defaultVersion;
      if (version && !isDefault) gone.add(version);
      else
        failed.push(
          told(String(version?.number ?? (Number(name) || 0))) +
            wrap(
              "responseError",
              isDefault
                ? element("code", "unexpectedError") +
                    element("message", "Cannot delete the default version of a launch template")
                : element("code", "launchTemplateVersionDoesNotExist") +
                    element("message", `Could not find the specified version ${name} for the launch template.`),
            ),
        );
    }
    const versions = template.versions.filter((version) => !gone.has(version));
    call.runtime.store.write(() => call.runtime.state.resources.template.put({ ...template, versions }));
    return answerEc2(
      call,
      "DeleteLaunchTemplateVersions",
      itemList(
        "successfullyDeletedLaunchTemplateVersionSet",
        [...gone].map(({ number }) => told(String(number))),
      ) + itemList("unsuccessfullyDeletedLaunchTemplateVersionSet", failed),
    );
  },
};
