/** What is worked out from an estate on first use and kept: time order, and what each day's scan found. */
import { compliant, evaluate, exempt, isExempt, nonCompliant, nothing, unknown } from "./compliance.ts";
import type { Estate } from "./estate.ts";
import { resourceId } from "./fields.ts";
import { mix } from "./hash.ts";
import type { KeptCounts } from "./kept-counts.ts";
import { lastAt, noOverlay, type Overlay } from "./overlay.ts";
import { dayMs, instantOf } from "./scans.ts";
import { orderByTime } from "./time-order.ts";

/** `states` has a code for every row a scan evaluates; `events` only for rows whose state differs from the day before. */
export type RecordKind = "states" | "events";

export interface Readings {
  readonly estate: Estate;
  readonly overlay: Overlay;
  /** Rows of each subscription, earliest in the scan first. */
  readonly byTime: Uint32Array;
  /** Compliance code of every row as the scan of that day finds it; `nothing` where it finds no record. */
  columnOn(kind: RecordKind, day: number): Uint8Array;
  complianceOn(day: number): Uint8Array;
  /** What was counted in a subscription's part of such a column: kept with it, also when others' parts change. */
  countsOn(kind: RecordKind, day: number, subscription: number): KeptCounts;
  /** Code of a resource, whatever the case of its id. */
  resourceCode(id: string): number | undefined;
  /** The same estate with other evaluations between the scans; keeps what is worked out. */
  withOverlay(overlay: Overlay): Readings;
}

/** "Audit resource location matches resource group location": its result can be seen in the record. */
const locationMatchesGroup = "0a914e76-4921-4c19-b460-a2d36003525a";
/** Columns of all days kept may take this many bytes, but at least nine days are kept. */
const mostBytesKept = 4_000_000;

interface Shared {
  byTime: Uint32Array | undefined;
  codes: Map<string, number> | undefined;
  readonly base: (day: number) => Uint8Array;
  readonly counts: KeepingCounts;
}

export function createReadings(estate: Estate, overlay: Overlay = noOverlay): Readings {
  const base = keepingDays(estate.rows.count, (day) => evaluateAll(estate, day));
  return readingsOf(estate, overlay, { byTime: undefined, codes: undefined, base, counts: keepingCounts() });
}

function readingsOf(estate: Estate, overlay: Overlay, shared: Shared): Readings {
  const patched = overlay.newestFirst.length === 0 ? undefined : keepingDays(estate.rows.count, patchedOn);
  const changes = keepingDays(estate.rows.count, changesOn);
  function patchedOn(day: number): Uint8Array {
    const codes = shared.base(day).slice();
    for (const [row, evaluations] of overlay.ofRow) {
      const last = lastAt(evaluations, scanInstant(estate, row, day));
      if (last) codes[row] = last.compliance;
    }
    return codes;
  }
  /** What a client wrote is an event when it is written, not when the next scan meets it. */
  function changesOn(day: number): Uint8Array {
    const before = shared.base(day - 1);
    const codes = shared.base(day).map((code, row) => (code === before[row] ? nothing : code));
    for (const [row, evaluations] of overlay.ofRow)
      if (lastAt(evaluations, scanInstant(estate, row, day))) codes[row] = nothing;
    return codes;
  }
  const complianceOn = patched ?? shared.base;
  const ownCounts = keepingCounts();
  const patchedSubscriptions = new Set(
    Array.from(overlay.ofRow.keys(), (row) => estate.resources.subscription[estate.rows.resource[row] ?? 0] ?? 0),
  );
  return {
    estate,
    overlay,
    get byTime() {
      shared.byTime ??= orderByTime(estate);
      return shared.byTime;
    },
    columnOn: (kind, day) => (kind === "states" ? complianceOn(day) : changes(day)),
    complianceOn,
    countsOn: (kind, day, subscription) =>
      (patchedSubscriptions.has(subscription) ? ownCounts : shared.counts)(kind, day, subscription),
    resourceCode(id) {
      const wanted = id.toLowerCase();
      if (!shared.codes && estate.resources.count > 20_000) return findResource(estate, wanted);
      shared.codes ??= new Map(
        Array.from({ length: estate.resources.count }, (_, code) => [resourceId(estate, code), code]),
      );
      return shared.codes.get(wanted);
    },
    withOverlay: (other) => readingsOf(estate, other, shared),
  };
}

function scanInstant({ subscriptions, resources, rows }: Estate, row: number, day: number): number {
  const subscription = subscriptions[resources.subscription[rows.resource[row] ?? 0] ?? 0];
  return instantOf(day * dayMs + (subscription?.scanAt ?? 0), rows.offset[row] ?? 0);
}

/** Remembers columns by day, the oldest forgotten first. */
function keepingDays(rows: number, make: (day: number) => Uint8Array): (day: number) => Uint8Array {
  const most = Math.max(9, Math.min(100, Math.floor(mostBytesKept / Math.max(1, rows))));
  const kept = new Map<number, Uint8Array>();
  return (day) => {
    const known = kept.get(day);
    if (known) return known;
    const codes = make(day);
    for (const oldest of kept.keys()) {
      if (kept.size < most) break;
      kept.delete(oldest);
    }
    kept.set(day, codes);
    return codes;
  };
}

type KeepingCounts = (kind: RecordKind, day: number, subscription: number) => KeptCounts;

/** Of the last two days that were asked about: the newest scan and, while it runs, the one before. */
function keepingCounts(): KeepingCounts {
  const kept = new Map<string, Map<number, KeptCounts>>();
  return (kind, day, subscription) => {
    const key = `${kind} ${subscription}`;
    const days = kept.get(key) ?? new Map<number, KeptCounts>();
    kept.set(key, days);
    const counts = days.get(day) ?? { summaries: new Map() };
    days.set(day, counts);
    for (const oldest of days.keys()) if (days.size > 2) days.delete(oldest);
    return counts;
  };
}

/** Looks only where the id says: the resources of one group lie together. */
function findResource(estate: Estate, id: string): number | undefined {
  const [, , subscriptionId = "", , groupName] = id.split("/");
  const subscription = estate.subscriptions.findIndex((each) => each.id === subscriptionId);
  const whole = estate.subscriptions[subscription];
  const range =
    groupName === undefined
      ? whole?.resources
      : estate.groups.find((group) => group.subscription === subscription && group.name.toLowerCase() === groupName)
          ?.resources;
  if (!range) return undefined;
  for (let code = range.first; code < range.end; code += 1) {
    if (resourceId(estate, code) === id) return code;
    if (groupName === undefined) return undefined; // a subscription's first resource is itself
  }
  return undefined;
}

function evaluateAll(estate: Estate, day: number): Uint8Array {
  const { rows, resources, policies, assignments } = estate;
  const manual = Uint8Array.from(policies, ({ definition }) => (definition.effect === "Manual" ? 1 : 0));
  const located = Uint8Array.from(policies, ({ definition }) => (definition.id === locationMatchesGroup ? 1 : 0));
  const later = Uint8Array.from(policies, ({ assignment }) => (assignments[assignment]?.seeded === false ? 1 : 0));
  const factHash = Uint32Array.from(policies, ({ hash }) => hash);
  const assignmentHash = Uint32Array.from(policies, ({ assignment }) => assignments[assignment]?.hash ?? 0);
  const home = Uint8Array.from(estate.groups, ({ location }) => location);
  const codes = new Uint8Array(rows.count);
  for (let row = 0; row < rows.count; row += 1) {
    const resource = rows.resource[row] ?? 0;
    const policy = rows.policy[row] ?? 0;
    const hash = resources.hash[resource] ?? 0;
    // What clients made is evaluated when they make it; no scan before that saw it.
    if (later[policy] === 1 || hash === 0) codes[row] = nothing;
    else if (manual[policy] === 1) codes[row] = unknown;
    else if (isExempt(mix(assignmentHash[policy] ?? 0, hash))) codes[row] = exempt;
    else if (located[policy] === 1)
      codes[row] = resources.location[resource] === home[resources.group[resource] ?? 0] ? compliant : nonCompliant;
    else codes[row] = evaluate(mix(hash, factHash[policy] ?? 0), day);
  }
  return codes;
}
