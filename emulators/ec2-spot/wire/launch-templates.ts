/** Launch templates and their versions. */
import type { LaunchTemplate, TemplateVersion } from "../domain/resources.ts";
import type { Node } from "../query-tree.ts";
import { membersXml } from "./members.ts";
import { instantText } from "./time.ts";
import { element, maybe, tagSetXml, wrap } from "./xml.ts";

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
