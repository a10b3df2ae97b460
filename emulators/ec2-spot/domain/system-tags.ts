/** Tags that EC2 itself puts on instances. They cannot be written or deleted, and do not count towards the limit. */
import type { Tag } from "./resources.ts";

export function isSystemTag({ key }: Tag): boolean {
  return key.startsWith("aws:");
}

/** What an instance was launched from. */
export function templateTags(template: { readonly id: string; readonly version: number }): readonly Tag[] {
  return [
    { key: "aws:ec2launchtemplate:id", value: template.id },
    { key: "aws:ec2launchtemplate:version", value: String(template.version) },
  ];
}

export function fleetTag(kind: "fleet" | "spot-fleet", id: string): Tag {
  return { key: kind === "fleet" ? "aws:ec2:fleet-id" : "aws:ec2spot:fleet-request-id", value: id };
}
