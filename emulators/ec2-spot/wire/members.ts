/** Members of a request as an answer repeats them. */
import type { Node } from "../query-tree.ts";
import { element, itemList, wrap } from "./xml.ts";

/** Lists whose answer is not the member's name with `Set`. */
const listNames: Readonly<Record<string, string>> = {
  LicenseSpecification: "licenseSet",
  "NetworkInterface/SecurityGroupId": "groupSet",
};
/** Items are called `item`, but in the groups of an interface. */
const itemNames: Readonly<Record<string, string>> = { groupSet: "groupId" };

/**
 * What was asked, under the names of the answer: every member of ResponseLaunchTemplateData has the name of its
 * RequestLaunchTemplateData with a small first letter, lists with `Set` at their end. So has InstanceRequirements.
 */
export function membersXml(node: Node, within = ""): string {
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
