/** What a query is made of. `at` is where in the text. */
import type { Value } from "./values.ts";

export type Expression =
  | { readonly tag: "literal"; readonly value: Value; readonly at: number }
  | { readonly tag: "column"; readonly name: string; readonly at: number }
  | { readonly tag: "member"; readonly of: Expression; readonly name: Expression; readonly at: number }
  | { readonly tag: "call"; readonly name: string; readonly args: readonly Expression[]; readonly at: number }
  | {
      readonly tag: "binary";
      readonly sign: string;
      readonly left: Expression;
      readonly right: Expression;
      readonly at: number;
    }
  | {
      readonly tag: "list";
      readonly of: Expression;
      readonly sign: string;
      readonly items: readonly Expression[];
      readonly at: number;
    }
  | { readonly tag: "minus"; readonly of: Expression; readonly at: number };

/** `alias = expression`; the alias is worked out where there is none. */
export interface Named {
  readonly alias: string | undefined;
  readonly of: Expression;
}

export interface Order {
  readonly of: Expression;
  readonly descending: boolean;
  /** Undefined: as the direction has it. */
  readonly nullsFirst: boolean | undefined;
}

export type Operator =
  | { readonly tag: "where"; readonly condition: Expression }
  | { readonly tag: "extend" | "project" | "distinct"; readonly items: readonly Named[] }
  | { readonly tag: "projectAway" | "projectKeep"; readonly names: readonly string[]; readonly at: number }
  | { readonly tag: "summarize"; readonly items: readonly Named[]; readonly by: readonly Named[] }
  | { readonly tag: "sort"; readonly orders: readonly Order[]; readonly most: number | undefined }
  | { readonly tag: "take"; readonly most: number }
  | { readonly tag: "count" }
  | {
      readonly tag: "join";
      readonly kind: JoinKind;
      readonly right: Query;
      readonly on: readonly { readonly left: string; readonly right: string }[];
      readonly at: number;
    }
  | { readonly tag: "expand"; readonly name: string; readonly of: Expression };

export type JoinKind = "inner" | "innerunique" | "leftouter" | "leftanti" | "leftsemi";

export interface Query {
  readonly table: string;
  readonly at: number;
  readonly operators: readonly Operator[];
}
