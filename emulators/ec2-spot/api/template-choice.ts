/** Which launch template and version a request means, and what a launch takes from it. */
import type { LaunchTemplate, TemplateVersion } from "../domain/resources.ts";
import { reject } from "../errors.ts";
import { grow, type Node } from "../query-tree.ts";
import { ownerOf } from "./launch-plan.ts";
import type { Call } from "./operation.ts";

export interface Chosen {
  readonly template: LaunchTemplate;
  readonly version: TemplateVersion;
}

/** By `LaunchTemplateId` or `LaunchTemplateName`. */
export function templateOf(call: Call, node: Node): LaunchTemplate {
  const id = node.text("LaunchTemplateId");
  const name = node.text("LaunchTemplateName");
  if (id === undefined && name === undefined) reject("missingParameter", "LaunchTemplateId");
  if (id !== undefined && name !== undefined) reject("parameterCombination", "launchTemplateName", "launchTemplateId");
  const all = call.runtime.state.resources.template.list(ownerOf(call));
  return (
    all.find((one) => (id === undefined ? one.name === name : one.id === id)) ??
    (id === undefined ? reject("templateNameNotFound", name) : reject("templateNotFound", id))
  );
}

/** A number, `$Latest` or `$Default`; undefined when there is none. */
export function versionNamed(template: LaunchTemplate, asked: string): TemplateVersion | undefined {
  if (asked === "$Latest") return template.versions.at(-1);
  const number = asked === "$Default" ? template.defaultVersion : Number(asked);
  return template.versions.find((one) => one.number === number);
}

export function versionOf(template: LaunchTemplate, asked: string): TemplateVersion {
  return versionNamed(template, asked) ?? reject("templateVersion", template.id, asked);
}

/** The template and version that `LaunchTemplateId`, `LaunchTemplateName` and `Version` name. */
export function chosenTemplate(call: Call, node: Node): Chosen {
  const template = templateOf(call, node);
  return { template, version: versionOf(template, node.text("Version") ?? "$Default") };
}

type Members = TemplateVersion["data"];

/** Members over others: what is given at the top replaces all below that name, whole lists included. */
export function overlaid(under: Members, over: Members): Members {
  const top = (name: string) => /^[^.]*/.exec(name)?.[0] ?? "";
  const given = new Set(over.map(([name]) => top(name)));
  return [...under.filter(([name]) => !given.has(top(name))), ...over];
}

/** Under what a request says itself lies what its launch template says. */
export function withTemplate(call: Call, node: Node): Node {
  const named = node.at("LaunchTemplate");
  return named.given ? grow(overlaid(chosenTemplate(call, named).version.data, node.entries())) : node;
}
