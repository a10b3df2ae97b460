/** Launch templates and their versions. */
import type { LaunchTemplate, TemplateVersion } from "../domain/resources.ts";
import type { Node } from "../query-tree.ts";
import { instantText } from "./time.ts";
import { element, itemList, maybe, tagSetXml, wrap } from "./xml.ts";

export function templateXml(template: LaunchTemplate): string {
  return (
    element("launchTemplateId", template.id) +
    element("launchTemplateName", template.name) +
    element("createTime", instantText(template.createdAt)) +
    element("createdBy", template.createdBy) +
    element("defaultVersionNumber", template.defaultVersion) +
    element("latestVersionNumber", template.versions.at(-1)?.number ?? template.lastVersion) +
    tagSetXml(template.tags)
  );
}

/** `data` is the version's, as a tree. */
export function versionXml(template: LaunchTemplate, version: TemplateVersion, data: Node): string {
  return (
    element("launchTemplateId", template.id) +
    element("launchTemplateName", template.name) +
    element("versionNumber", version.number) +
    maybe("versionDescription", version.description) +
    element("createTime", instantText(version.createdAt)) +
    element("createdBy", version.createdBy) +
    element("defaultVersion", version.number === template.defaultVersion) +
    wrap("launchTemplateData", membersXml(data))
  );
}

/** Lists whose answer is not the member's name with `Set`. */
const listNames: Readonly<Record<string, string>> = {
  LicenseSpecification: "licenseSet",
  "NetworkInterface/SecurityGroupId": "groupSet",
};
/** Items are called `item`, but in the groups of an interface. */
const itemNames: Readonly<Record<string, string>> = { groupSet: "groupId" };

/**
 * What was asked, under the names of the answer: every member of ResponseLaunchTemplateData has the name of its
 * RequestLaunchTemplateData with a small first letter, lists with `Set` at their end.
 */
function membersXml(node: Node, within = ""): string {
  return node
    .names()
    .filter((name) => /^[A-Za-z][A-Za-z0-9]*$/.test(name))
    .map((name) => {
      const value = node.text(name);
      const small = name.charAt(0).toLowerCase() + name.slice(1);
      if (value !== undefined) return element(small, value);
      const items = node.items(name);
      if (items.length === 0) return wrap(small, membersXml(node.at(name), name));
      const list = listNames[`${within}/${name}`] ?? listNames[name] ?? `${small}Set`;
      const texts = node.list(name);
      const item = itemNames[list];
      if (item !== undefined) return wrap(list, texts.map((text) => element(item, text)).join(""));
      if (texts.length > 0) return wrap(list, texts.map((text) => element("item", text)).join(""));
      return itemList(
        list,
        items.map((one) => membersXml(one, name)),
      );
    })
    .join("");
}
