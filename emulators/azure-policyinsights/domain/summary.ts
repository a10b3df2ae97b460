/**
 * The numbers of `summarize`, counted in one pass over the rows. A resource, an assignment or a group has the state of
 * its worst row; states without a count are left out by whoever shows them.
 *
 * The rules were read off a recorded answer: at the top, policies are assignments; inside an assignment they are its
 * definitions; groups add up over assignments, and a definition in no group counts as one group without a name.
 */
import { complianceStates, nonCompliant, nothing } from "./compliance.ts";
import type { Estate } from "./estate.ts";
import type { SummaryCounts } from "./kept-counts.ts";
import type { Question } from "./question.ts";
import type { Readings } from "./readings.ts";
import { type Sight, see } from "./sight.ts";

const states = complianceStates.length;

/** Counts by compliance code. */
export type Tally = Uint32Array;

export interface Results {
  readonly resources: Tally;
  readonly policies: Tally;
  readonly groups: Tally;
}

export interface AssignmentSummary {
  readonly assignment: number;
  readonly results: Results;
  readonly policies: readonly { readonly policy: number; readonly results: Results }[];
  readonly groups: readonly { readonly name: string; readonly results: Results }[];
}

export interface Summary {
  readonly results: Results;
  /** Most non-compliant resources first. */
  readonly assignments: readonly AssignmentSummary[];
}

/** Groups of one assignment, numbered over all assignments. */
interface Groups {
  readonly names: readonly string[];
  /** Of each policy. */
  readonly of: readonly Uint32Array[];
}

export function summarize(readings: Readings, question: Question): Summary {
  const { estate } = readings;
  const groups = numberGroups(estate);
  const counts = count(readings, question, groups);
  const assignments = estate.assignments.flatMap((_, code) => assignmentSummary(estate, groups, counts, code) ?? []);
  assignments.sort(
    (left, right) => (right.results.resources[nonCompliant] ?? 0) - (left.results.resources[nonCompliant] ?? 0),
  );
  const total: Results = {
    resources: counts.total,
    policies: new Uint32Array(states),
    groups: new Uint32Array(states),
  };
  for (const { results } of assignments) {
    add(total.policies, worst(results.resources), 1);
    results.groups.forEach((many, state) => {
      add(total.groups, state, many);
    });
  }
  return { results: total, assignments };
}

/** One tally after another. */
interface Counts {
  readonly total: Tally;
  readonly assignments: Uint32Array;
  readonly policies: Uint32Array;
  readonly groups: Uint32Array;
}

function noCounts({ assignments, policies }: Estate, groups: Groups): Counts {
  return {
    total: new Uint32Array(states),
    assignments: new Uint32Array(assignments.length * states),
    policies: new Uint32Array(policies.length * states),
    groups: new Uint32Array(groups.names.length * states),
  };
}

function count(readings: Readings, question: Question, groups: Groups): Counts {
  const { estate } = readings;
  const all = noCounts(estate, groups);
  const scratch = scratchOf(estate, groups);
  for (const sight of see(readings, question).sights) {
    const kept = sight.resources || sight.policies ? undefined : sight.kept?.summaries;
    if (!kept) {
      countSight(estate, sight, scratch, all);
      continue;
    }
    const key = sight.reads.join();
    let counts = kept.get(key);
    if (!counts) {
      const own = noCounts(estate, groups);
      countSight(estate, sight, scratch, own);
      counts = packedCounts(own);
      kept.set(key, counts);
    }
    for (const name of ["total", "assignments", "policies", "groups"] as const) {
      const { places, values } = counts[name];
      for (let at = 0; at < places.length; at += 1) add(all[name], places[at] ?? 0, values[at] ?? 0);
    }
  }
  return all;
}

function packedCounts({ total, assignments, policies, groups }: Counts): SummaryCounts {
  return {
    total: packed(total),
    assignments: packed(assignments),
    policies: packed(policies),
    groups: packed(groups),
  };
}

function packed(counts: Uint32Array): SummaryCounts["total"] {
  const places: number[] = [];
  counts.forEach((many, place) => {
    if (many > 0) places.push(place);
  });
  return { places: Uint32Array.from(places), values: Uint32Array.from(places, (place) => counts[place] ?? 0) };
}

/** What the loop over rows looks up, and where it keeps the groups of the assignment it is in. */
interface Scratch {
  readonly assignmentOf: Uint16Array;
  readonly groupsOf: FlatLists;
  readonly groupWorst: Uint8Array;
  readonly touched: Uint16Array;
}

function scratchOf({ policies }: Estate, groups: Groups): Scratch {
  return {
    assignmentOf: Uint16Array.from(policies, ({ assignment }) => assignment),
    groupsOf: flat(groups.of),
    groupWorst: new Uint8Array(groups.names.length).fill(nothing),
    touched: new Uint16Array(groups.names.length),
  };
}

function countSight(
  { rows, resources: { firstRow } }: Estate,
  { first, end, codes, reads, resources, policies: bits }: Sight,
  { assignmentOf, groupsOf, groupWorst, touched }: Scratch,
  counts: Counts,
): void {
  const none = nothing; // a local: module bindings cost a look-up each where modules are not bundled
  const { starts, values } = groupsOf;
  const policyOf = rows.policy;
  let row = first;
  // Rows of a resource are neighbours, and among them those of an assignment: each is counted when it ends.
  for (let resource = rows.resource[first] ?? 0; row < end; resource += 1) {
    const last = Math.min(end, firstRow[resource + 1] ?? end);
    if (resources && resources[resource] !== 1) {
      row = last;
      continue;
    }
    let resourceWorst = none;
    while (row < last) {
      const assignment = assignmentOf[policyOf[row] ?? 0] ?? 0;
      let worstHere = none;
      let many = 0;
      for (; row < last; row += 1) {
        const policy = policyOf[row] ?? 0;
        if (assignmentOf[policy] !== assignment) break;
        const code = reads[codes[row - first] ?? none] ?? none;
        if (code === none || (bits && bits[policy] !== 1)) continue;
        add(counts.policies, policy * states + code, 1);
        if (code < worstHere) worstHere = code;
        const groupsEnd = starts[policy + 1] ?? 0;
        for (let at = starts[policy] ?? 0; at < groupsEnd; at += 1) {
          const group = values[at] ?? 0;
          const before = groupWorst[group] ?? none;
          if (before === none) touched[many++] = group;
          if (code < before) groupWorst[group] = code;
        }
      }
      if (worstHere === none) continue;
      add(counts.assignments, assignment * states + worstHere, 1);
      if (worstHere < resourceWorst) resourceWorst = worstHere;
      for (let at = 0; at < many; at += 1) {
        const group = touched[at] ?? 0;
        add(counts.groups, group * states + (groupWorst[group] ?? 0), 1);
        groupWorst[group] = none;
      }
    }
    if (resourceWorst !== none) add(counts.total, resourceWorst, 1);
  }
}

/** Lists one after another: the i-th is values[starts[i], starts[i + 1]). */
interface FlatLists {
  readonly starts: Uint32Array;
  readonly values: Uint16Array;
}

function flat(lists: readonly Uint32Array[]): FlatLists {
  const starts = new Uint32Array(lists.length + 1);
  lists.forEach((list, index) => {
    starts[index + 1] = (starts[index] ?? 0) + list.length;
  });
  return { starts, values: Uint16Array.from(lists.flatMap((list) => [...list])) };
}

function assignmentSummary(
  estate: Estate,
  groups: Groups,
  counts: Counts,
  code: number,
): AssignmentSummary | undefined {
  const about = estate.assignments[code];
  const resources = tally(counts.assignments, code);
  if (!about || worst(resources) === nothing) return undefined;
  const results: Results = { resources, policies: new Uint32Array(states), groups: new Uint32Array(states) };
  const policies: { policy: number; results: Results }[] = [];
  const members = new Map<number, Tally>();
  for (let policy = about.first; policy < about.end; policy += 1) {
    const own = tally(counts.policies, policy);
    const state = worst(own);
    if (state === nothing) continue;
    add(results.policies, state, 1);
    const within = groups.of[policy] ?? new Uint32Array();
    policies.push({
      policy,
      results: { resources: own, policies: single(state, 1), groups: single(state, within.length) },
    });
    for (const group of within) {
      const policiesOfGroup = members.get(group) ?? new Uint32Array(states);
      add(policiesOfGroup, state, 1);
      members.set(group, policiesOfGroup);
    }
  }
  const groupSummaries = [...members].map(([group, policiesOfGroup]) => {
    const own = tally(counts.groups, group);
    const state = worst(own);
    add(results.groups, state, 1);
    return {
      name: groups.names[group] ?? "",
      results: { resources: own, policies: policiesOfGroup, groups: single(state, 1) },
    };
  });
  return { assignment: code, results, policies, groups: groupSummaries };
}

function numberGroups({ policies }: Estate): Groups {
  const names: string[] = [];
  const codes = new Map<string, number>();
  const of = policies.map(({ assignment, groups }) =>
    Uint32Array.from(groups, (name) => {
      const key = `${assignment}/${name}`;
      const code = codes.get(key) ?? names.push(name) - 1;
      codes.set(key, code);
      return code;
    }),
  );
  return { names, of };
}

function tally(all: Uint32Array, code: number): Tally {
  return all.subarray(code * states, (code + 1) * states);
}

function single(state: number, many: number): Tally {
  const counts = new Uint32Array(states);
  counts[state] = many;
  return counts;
}

/** The worst state that has a count, or `nothing`. */
function worst(counts: Tally): number {
  const found = counts.findIndex((many) => many > 0);
  return found < 0 ? nothing : found;
}

function add(counts: Uint32Array, at: number, many: number): void {
  counts[at] = (counts[at] ?? 0) + many;
}
