/** Planned faults made ready: compiled, counted, and found by the stage and first path segment of a moment. */
import type { Instant } from "./clock.ts";
import { type Covers, compileMatch, type FaultRule, firstSegment, type Moment } from "./faults-match.ts";

export interface Counts {
  matched: number;
  fired: number;
  drawn: number;
}

export interface Planned {
  readonly order: number;
  /** First segment of every path it covers; undefined when that may be any. */
  readonly segment: string | undefined;
  readonly rule: FaultRule;
  readonly stage: string;
  readonly covers: Covers;
  readonly from: Instant;
  readonly to: Instant;
  /** By content; the rule's own under "". */
  readonly counts: Map<string, Counts>;
  readonly total: Counts;
}

export function compile(rule: FaultRule, counts: Map<string, Counts> = new Map()): Planned {
  const total = counts.get("") ?? { matched: 0, fired: 0, drawn: 0 };
  const { from, to } = rule.match.window ?? {};
  return {
    order: 0,
    segment: firstSegment(rule.match.path),
    rule,
    stage: rule.match.stage ?? "request",
    covers: compileMatch(rule.match),
    from: from === undefined ? Number.NEGATIVE_INFINITY : Date.parse(from),
    to: to === undefined ? Number.POSITIVE_INFINITY : Date.parse(to),
    counts,
    total,
  };
}

/** Rules by stage and first segment of the path, each list in the order they were planned. */
export type Index = ReadonlyMap<string, ReadonlyMap<string | undefined, readonly Planned[]>>;

export function indexOf(rules: readonly Planned[]): Index {
  const stages = new Map<string, Map<string | undefined, Planned[]>>();
  const segments = (stage: string) => {
    const found = stages.get(stage) ?? new Map<string | undefined, Planned[]>();
    stages.set(stage, found);
    return found;
  };
  for (const planned of rules) {
    const own = segments(planned.stage);
    if (planned.segment !== undefined && !own.has(planned.segment))
      own.set(planned.segment, [...(own.get(undefined) ?? [])]);
    // A rule for any path stands in every list, so that one list has all candidates in their order.
    const lists = planned.segment === undefined ? [...own.values()] : [own.get(planned.segment)];
    for (const list of lists) list?.push(planned);
    if (planned.segment === undefined && !own.has(undefined)) own.set(undefined, [planned]);
  }
  return stages;
}

export function candidates(index: Index, moment: Moment): readonly Planned[] {
  const own = index.get(moment.stage);
  if (!own) return [];
  const path = moment.fact("path");
  const rest = own.get(undefined) ?? [];
  if (typeof path === "string") return own.get(segmentOf(path)) ?? rest;
  if (!Array.isArray(path)) return rest;
  // Reached by a prefix: a rule may mean the path with it or without.
  const lists = [...new Set(path.map((one: string) => own.get(segmentOf(one)) ?? rest))];
  return lists.length === 1
    ? (lists[0] ?? rest)
    : [...new Set(lists.flat())].sort((left, right) => left.order - right.order);
}

function segmentOf(path: string): string {
  const end = path.indexOf("/", 1);
  return end < 0 ? path.slice(1) : path.slice(1, end);
}
