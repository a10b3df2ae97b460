/** The tree of management groups: every one that a subscription hangs below. */
import type { Estate } from "./estate.ts";

export interface TreeNode {
  readonly name: string;
  readonly parent: string | undefined;
  readonly subscriptions: readonly { readonly id: string; readonly name: string }[];
}

export function groupTree({ subscriptions }: Estate): readonly TreeNode[] {
  const parents = new Map<string, string | undefined>();
  for (const { managementGroups } of subscriptions)
    managementGroups.forEach((name, index) => {
      parents.set(name, managementGroups[index + 1]);
    });
  return [...parents].map(([name, parent]) => ({
    name,
    parent,
    subscriptions: subscriptions.filter(({ managementGroups }) => managementGroups[0] === name),
  }));
}
