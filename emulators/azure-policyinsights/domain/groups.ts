/**
 * Records grouped by some of their members, in one loop over the columns. What a member depends on - resource, policy,
 * compliance, time - gives it a code, the codes of one dependency make one, and the three together count in an array.
 */
import { complianceStates, nothing } from "./compliance.ts";
import type { Estate } from "./estate.ts";
import { codesOf, type Field, type Level } from "./fields.ts";
import type { Readings } from "./readings.ts";
import { exactInstant, type Scan } from "./scans.ts";
import { eachSeen, type Seen, type Sight, see } from "./sight.ts";
import type { Column, Table, Value } from "./table.ts";
import type { Question } from "./walk.ts";

/** How a time is written: whole milliseconds and units of 100 ns. */
export type WriteTime = (milliseconds: number, ticks: number) => string;

const states = complianceStates.length;
const mostCounted = 8_000_000;
/** The cell of a policy that does not count. */
const away = 0xffff_ffff;

export function groupRecords(
  readings: Readings,
  question: Question,
  fields: readonly Field[],
  writeTime: WriteTime,
): Table {
  const { estate } = readings;
  const seen = see(readings, question);
  if (fields.some(({ kind }) => kind === "date")) return groupOneByOne(readings, seen, fields, writeTime);
  const byResource = combined(estate, fields, "resource");
  const byPolicy = combined(estate, fields, "policy");
  const byState = combined(estate, fields, "compliance");
  const size = byResource.many * byPolicy.many * byState.many;
  const cells =
    size <= mostCounted
      ? counted(estate, seen, byResource, byPolicy, byState)
      : mapped(readings, seen, byResource, byPolicy, byState);
  const decoded = (cell: number) => {
    const rest = Math.floor(cell / byState.many);
    return {
      resource: byResource.sample[Math.floor(rest / byPolicy.many)] ?? 0,
      policy: byPolicy.sample[rest % byPolicy.many] ?? 0,
      compliance: byState.sample[cell % byState.many] ?? 0,
    };
  };
  const samples = cells.keys.map(decoded);
  return {
    size: samples.length,
    weights: Float64Array.from(cells.weights),
    columns: fields.map((field) => columnOf(estate, field, samples)),
  };
}

type Dependency = "resource" | "policy" | "compliance";

interface Combined {
  /** Of each code of the dependency: the combination of the fields' values. */
  readonly of: Uint32Array;
  readonly many: number;
  /** One code of the dependency for each combination. */
  readonly sample: readonly number[];
}

function dependencyOf(level: Level): Dependency {
  return level === "policy" || level === "compliance" ? level : "resource";
}

function combined(estate: Estate, fields: readonly Field[], dependency: Dependency): Combined {
  const own = fields.filter(({ level }) => dependencyOf(level) === dependency);
  const size =
    dependency === "policy" ? estate.policies.length : dependency === "compliance" ? states : estate.resources.count;
  if (own.length === 0) return { of: new Uint32Array(size), many: 1, sample: [0] };
  if (own.some(({ level }) => level === "resource")) {
    const all = Uint32Array.from({ length: size }, (_, code) => code);
    return { of: all, many: size, sample: Array.from(all) };
  }
  const of = new Uint32Array(size);
  const known = new Map<string, number>();
  const sample: number[] = [];
  const texts = own.map((field) => textsOf(estate, field));
  for (let code = 0; code < size; code += 1) {
    let key = "";
    for (const text of texts) key += `${text(code)}\u0000`;
    let found = known.get(key);
    if (found === undefined) {
      found = sample.push(code) - 1;
      known.set(key, found);
    }
    of[code] = found;
  }
  return { of, many: sample.length, sample };
}

/** The code of a member's own level stands for its text where that has one text a code. */
function textsOf(estate: Estate, field: Field): (code: number) => string {
  const codes = codesOf(estate, field.level);
  if (codes && field.level !== "type") return (code) => String(codes[code] ?? 0);
  return (code) => String(readValue(estate, field, codes ? (codes[code] ?? 0) : code));
}

function readValue(estate: Estate, field: Field, code: number): Value {
  switch (field.kind) {
    case "string":
      return field.text(estate, code);
    case "boolean":
      return field.flag(code);
    case "list":
      return field.words(estate, code);
    case "date":
      return "";
  }
}

interface Cells {
  readonly keys: readonly number[];
  readonly weights: readonly number[];
}

/** How many records of each policy and compliance code a subscription has, without those that have none. */
export interface PolicyCounts {
  readonly policies: Uint32Array;
  readonly states: Uint8Array;
  readonly counts: Uint32Array;
}

function policyCountsOf(estate: Estate, { first, codes, kept }: Sight): PolicyCounts | undefined {
  if (!kept) return undefined;
  if (kept.policies) return kept.policies;
  const { policy: policyOf } = estate.rows;
  const all = new Uint32Array(estate.policies.length * states);
  for (let at = 0; at < codes.length; at += 1) {
    const code = codes[at] ?? 0;
    if (code >= states) continue;
    const place = (policyOf[first + at] ?? 0) * states + code;
    all[place] = (all[place] ?? 0) + 1;
  }
  const places: number[] = [];
  all.forEach((many, place) => {
    if (many > 0) places.push(place);
  });
  kept.policies = {
    policies: Uint32Array.from(places, (place) => Math.floor(place / states)),
    states: Uint8Array.from(places, (place) => place % states),
    counts: Uint32Array.from(places, (place) => all[place] ?? 0),
  };
  return kept.policies;
}

function counted(estate: Estate, seen: Seen, resources: Combined, policies: Combined, states: Combined): Cells {
  const none = nothing;
  const { resource: resourceOf, policy: policyOf } = estate.rows;
  const { firstRow } = estate.resources;
  const counts = new Uint32Array(resources.many * policies.many * states.many);
  const width = policies.many * states.many;
  for (const sight of seen.sights) {
    const { first, end, codes, reads, resources: wanted, policies: bits } = sight;
    // Where no resource matters, what was counted before will do.
    const known = wanted || resources.many > 1 ? undefined : policyCountsOf(estate, sight);
    if (known) {
      known.counts.forEach((many, at) => {
        const policy = known.policies[at] ?? 0;
        const code = reads[known.states[at] ?? 0] ?? none;
        if (code === none || (bits && bits[policy] !== 1)) return;
        const place = (policies.of[policy] ?? 0) * states.many + (states.of[code] ?? 0);
        counts[place] = (counts[place] ?? 0) + many;
      });
      continue;
    }
    const policyCells = policies.of.map((code, policy) => (bits && bits[policy] !== 1 ? away : code * states.many));
    let row = first;
    for (let resource = resourceOf[first] ?? 0; row < end; resource += 1) {
      const last = Math.min(end, firstRow[resource + 1] ?? end);
      if (wanted && wanted[resource] !== 1) {
        row = last;
        continue;
      }
      const base = (resources.of[resource] ?? 0) * width;
      for (; row < last; row += 1) {
        const code = reads[codes[row - first] ?? none] ?? none;
        if (code === none) continue;
        const cell = policyCells[policyOf[row] ?? 0] ?? away;
        if (cell === away) continue;
        const place = base + cell + (states.of[code] ?? 0);
        counts[place] = (counts[place] ?? 0) + 1;
      }
    }
  }
  for (const { row, compliance } of seen.extra) {
    const cell =
      (resources.of[resourceOf[row] ?? 0] ?? 0) * width +
      (policies.of[policyOf[row] ?? 0] ?? 0) * states.many +
      (states.of[compliance] ?? 0);
    counts[cell] = (counts[cell] ?? 0) + 1;
  }
  const keys: number[] = [];
  const weights: number[] = [];
  for (let cell = 0; cell < counts.length; cell += 1) {
    const many = counts[cell] ?? 0;
    if (many === 0) continue;
    keys.push(cell);
    weights.push(many);
  }
  return { keys, weights };
}

/** The same where an array for every combination would be too large. */
function mapped(readings: Readings, seen: Seen, resources: Combined, policies: Combined, states: Combined): Cells {
  const { estate } = readings;
  const { resource: resourceOf, policy: policyOf } = estate.rows;
  const counts = new Map<number, number>();
  const add = (row: number, code: number) => {
    const outer = (resources.of[resourceOf[row] ?? 0] ?? 0) * policies.many + (policies.of[policyOf[row] ?? 0] ?? 0);
    const cell = outer * states.many + (states.of[code] ?? 0);
    counts.set(cell, (counts.get(cell) ?? 0) + 1);
  };
  for (const sight of seen.sights) eachSeen(readings, sight, add);
  for (const { row, compliance } of seen.extra) add(row, compliance);
  return { keys: [...counts.keys()], weights: [...counts.values()] };
}

interface Sample {
  readonly resource: number;
  readonly policy: number;
  readonly compliance: number;
  readonly time?: string;
}

function columnOf(estate: Estate, field: Field, samples: readonly Sample[]): Column {
  if (field.level === "resource")
    return {
      name: field.name,
      kind: field.kind,
      codes: Uint32Array.from(samples, ({ resource }) => resource),
      valueOf: (code) => readValue(estate, field, code),
    };
  const values: Value[] = [];
  const known = new Map<string, number>();
  const levelCodes = codesOf(estate, field.level);
  const own = new Map<number, number>();
  const codes = new Uint32Array(samples.length);
  samples.forEach((sample, at) => {
    const code =
      field.level === "time" ? at : levelCodes ? (levelCodes[sample.resource] ?? 0) : sample[dependencyOf(field.level)];
    let found = own.get(code);
    if (found === undefined) {
      const value = field.level === "time" ? (sample.time ?? "") : readValue(estate, field, code);
      const text = String(value);
      found = known.get(text);
      if (found === undefined) {
        found = values.push(value) - 1;
        known.set(text, found);
      }
      own.set(code, found);
    }
    codes[at] = found;
  });
  return { name: field.name, kind: field.kind, codes, valueOf: (code) => values[code] ?? "" };
}

/** By time there are about as many groups as records: every record is a row of its own. */
function groupOneByOne(
  readings: Readings,
  { sights, extra }: Seen,
  fields: readonly Field[],
  writeTime: WriteTime,
): Table {
  const { estate } = readings;
  const samples: Sample[] = [];
  const add = (row: number, compliance: number, scan: Scan | undefined, instant: number) => {
    const exact = scan ? exactInstant(scan.start, estate.rows.offset[row] ?? 0) : undefined;
    const time = exact ? writeTime(exact.milliseconds, exact.ticks) : writeTime(Math.floor(instant), 0);
    samples.push({ resource: estate.rows.resource[row] ?? 0, policy: estate.rows.policy[row] ?? 0, compliance, time });
  };
  for (const sight of sights)
    eachSeen(readings, sight, (row, code) => add(row, code, sight.scanOf(row), sight.instantOf(row)));
  for (const { row, compliance, instant } of extra) add(row, compliance, undefined, instant);
  return {
    size: samples.length,
    weights: new Float64Array(samples.length).fill(1),
    columns: fields.map((field) => columnOf(estate, field, samples)),
  };
}
