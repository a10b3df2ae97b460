/** Launch templates: kept as their wire members, so that a launch reads them as if the caller had sent them. */
import type { LaunchTemplate } from "../domain/resources.ts";
import { reject } from "../errors.ts";
import { type Node, treeOf } from "../query-tree.ts";
import { templateXml } from "../wire/launch-templates.ts";
import { instantText } from "../wire/time.ts";
import { itemList, wrap } from "../wire/xml.ts";
import { answerPage, type Facts, pageOf, sift } from "./describe.ts";
import { clientTokenOf, once } from "./idempotent.ts";
import { ownerOf } from "./launch-plan.ts";
import { answerEc2, type Operation, parameterNames, stopDryRun } from "./operation.ts";
import { tagsFor } from "./tag-specifications.ts";
import { templateOf, versionOf } from "./template-choice.ts";

/** Launch templates take longer client tokens than launches do. */
export const longestTemplateToken = 128;

export function readDescription(node: Node): { readonly description?: string } {
  const description = node.text("VersionDescription");
  if ((description?.length ?? 0) > 255) reject("badValue", "versionDescription", description);
  return description === undefined ? {} : { description };
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
    const description = readDescription(node);
    const token = clientTokenOf(node, longestTemplateToken);
    stopDryRun(call);
    const [id = ""] = call.runtime.store.write(() =>
      once(call, "CreateLaunchTemplate", token, () => {
        if (resources.template.list(owner).some((one) => one.name === name)) reject("templateTaken", name);
        const createdAt = call.runtime.clock.now();
        const createdBy = call.caller.arn;
        const template: LaunchTemplate = {
          id: `lt-${call.runtime.ids.derive("ec2.template", [owner.account, owner.region, name]).hex(17)}`,
          ...owner,
          tags,
          name,
          createdAt,
          createdBy,
          defaultVersion: 1,
          lastVersion: 1,
          versions: [{ number: 1, ...description, createdAt, createdBy, data }],
        };
        resources.template.put(template);
        return [template.id];
      }),
    );
    const template = resources.template.get(id);
    return answerEc2(call, "CreateLaunchTemplate", template ? wrap("launchTemplate", templateXml(template)) : "");
  },
};

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
    return answerPage(call, "DescribeLaunchTemplates", set, page);
  },
};

export const modifyLaunchTemplate: Operation = {
  service: "ec2",
  action: "ModifyLaunchTemplate",
  parameters: parameterNames("DryRun ClientToken LaunchTemplateId LaunchTemplateName SetDefaultVersion"),
  run(call) {
    const node = treeOf(call.parameters);
    const template = templateOf(call, node);
    const asked = node.text("SetDefaultVersion") ?? reject("missingParameter", "SetDefaultVersion");
    const modified: LaunchTemplate = { ...template, defaultVersion: versionOf(template, asked).number };
    stopDryRun(call);
    call.runtime.store.write(() => call.runtime.state.resources.template.put(modified));
    return answerEc2(call, "ModifyLaunchTemplate", wrap("launchTemplate", templateXml(modified)));
  },
};

export const deleteLaunchTemplate: Operation = {
  service: "ec2",
  action: "DeleteLaunchTemplate",
  parameters: parameterNames("DryRun LaunchTemplateId LaunchTemplateName"),
  run(call) {
    const template = templateOf(call, treeOf(call.parameters));
    stopDryRun(call);
    call.runtime.store.write(() => call.runtime.state.resources.template.remove(template.id));
    return answerEc2(call, "DeleteLaunchTemplate", wrap("launchTemplate", templateXml(template)));
  },
};
