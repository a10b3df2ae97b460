/** What was counted in a subscription's part of a day's column, kept with it in the form that takes least. */

/** Filled in by those who count. */
export interface KeptCounts {
  /** By policy and compliance code. */
  policies?: PolicyCounts;
  /** By the compliance codes that a summary counts. */
  readonly summaries: Map<string, SummaryCounts>;
}

/** How many records of each policy and compliance code a subscription has, without those that have none. */
export interface PolicyCounts {
  readonly policies: Uint32Array;
  readonly states: Uint8Array;
  readonly counts: Uint32Array;
}

/** What a summary counts in one subscription, without the many that are nought. */
export type SummaryCounts = Readonly<
  Record<
    "total" | "assignments" | "policies" | "groups",
    { readonly places: Uint32Array; readonly values: Uint32Array }
  >
>;
