/** What clients changed in the make-up of the estate, as far as it decides which rows there are. */
import type { BuiltIn, Initiative } from "./built-ins.ts";
import type { Json } from "./json.ts";

export interface MadeGroup {
  /** Id of the subscription. */
  readonly subscription: string;
  readonly name: string;
  readonly location: string;
}

export interface MadeResource {
  /** In lower case, as is the id of its group. */
  readonly id: string;
  readonly group: string;
  readonly type: string;
  /** Of a seeded resource type, or the type in lower case. */
  readonly key: string;
  readonly location: string;
}

export interface MadeAssignment {
  readonly name: string;
  readonly scope: string;
  readonly of: BuiltIn | Initiative;
  /** JSON text as records carry it, or "". */
  readonly parameters: string;
  readonly overrides: Json;
  readonly notScopes: readonly string[];
  /** False for `DoNotEnforce`: it only looks. */
  readonly enforced: boolean;
}

export interface Changes {
  readonly groups: readonly MadeGroup[];
  readonly resources: readonly MadeResource[];
  readonly assignments: readonly MadeAssignment[];
  /** Ids, in lower case, of seeded resources, groups and assignments that are no more. */
  readonly removed: ReadonlySet<string>;
}

export const noChanges: Changes = { groups: [], resources: [], assignments: [], removed: new Set() };
