/** Tags as requests carry them. */
import type { Tag } from "../domain/resources.ts";
import { reject } from "../errors.ts";
import type { Node } from "../query-tree.ts";

export const mostTags = 50;

export function checkTag(key: string, value: string): Tag {
  if (key.startsWith("aws:")) reject("reservedTag", key);
  if (key.length === 0 || key.length > 127) reject("longTag", "key", key);
  if (value.length > 255) reject("longTag", "value", value);
  return { key, value };
}

export function readTags(nodes: readonly Node[]): readonly Tag[] {
  const tags = new Map<string, Tag>();
  for (const node of nodes) {
    const key = node.text("Key") ?? reject("missingParameter", `${node.path}.Key`);
    tags.set(key, checkTag(key, node.text("Value") ?? ""));
  }
  if (tags.size > mostTags) reject("tagLimit", "");
  return [...tags.values()];
}

/** Tags for resources of one type; other types than `allowed` are refused. */
export function tagsFor(
  node: Node,
  type: string,
  allowed: readonly string[],
  name = "TagSpecification",
): readonly Tag[] {
  return node.items(name).flatMap((specification) => {
    const of = specification.text("ResourceType") ?? "";
    if (!allowed.includes(of))
      reject("invalidValue", `'${of}' is not a valid taggable resource type for this operation.`);
    return of === type ? readTags(specification.items("Tag")) : [];
  });
}
