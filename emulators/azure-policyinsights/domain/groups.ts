/**
 * Records grouped by some of their members, in one loop over the columns. What a member depends on - resource, policy,
 * compliance, time - gives it a code, the codes of one dependency make one, and the three together count in an array.
 */
import { complianceStates, nothing } from "./compliance.ts";
import type { Estate } from "./estate.ts";
import { codesOf, type Field, type Level, sizeOf } from "./fields.ts";
import type { PolicyCounts } from "./kept-counts.ts";
import type { Question } from "./question.ts";
import type { Readings } from "./readings.ts";
import { exactInstant, type Scan } from "./scans.ts";
import { eachSeen, type Seen, type Sight, see } from "./sight.ts";
import type { Column, Table, Value } from "./table.ts";

/** How a time is written: whole milliseconds and units of 100 ns. */
export type WriteTime = (milliseconds: number, ticks: number) => string;

const states = complianceStates.length;
const mostCounted = 8_000_000;
const mostNumbered = 1_000_000;
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
  const samples = noSamples(cells.keys.length);
  for (let at = 0; at < cells.keys.length; at += 1) {
    const cell = cells.keys[at] ?? 0;
    const rest = Math.floor(cell / byState.many);
    samples.resource[at] = byResource.sample[Math.floor(rest / byPolicy.many)] ?? 0;
    samples.policy[at] = byPolicy.sample[rest % byPolicy.many] ?? 0;
    samples.compliance[at] = byState.sample[cell % byState.many] ?? 0;
  }
  return {
    size: cells.keys.length,
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
  readonly sample: ArrayLike<number>;
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
    return { of: all, many: size, sample: all };
  }
  // A field after the other: each makes finer combinations of those before it.
  let made: Combined = { of: new Uint32Array(size), many: 1, sample: [0] };
  for (const field of own) made = finer(estate, field, made);
  return made;
}

function finer(estate: Estate, field: Field, { of: before, many }: Combined): Combined {
  const levelCodes = codesOf(estate, field.level);
  const { values, distinct } = valuesOf(estate, field);
  const known = new Map<number, number>();
  const of = new Uint32Array(before.length);
  const sample: number[] = [];
  const numbers = many * distinct <= mostNumbered ? new Uint32Array(many * distinct) : undefined;
  for (let code = 0; code < before.length; code += 1) {
    const key = (before[code] ?? 0) * distinct + (values[levelCodes ? (levelCodes[code] ?? 0) : code] ?? 0);
    let found = numbers ? (numbers[key] ?? 0) : (known.get(key) ?? 0);
    if (found === 0) {
      found = sample.push(code);
      if (numbers) numbers[key] = found;
      else known.set(key, found);
    }
    of[code] = found - 1;
  }
  return { of, many: sample.length, sample };
}

/** The codes of a field's level, numbered by their values: two types of resource may be called the same. */
function valuesOf(estate: Estate, field: Field): { readonly values: Uint32Array; readonly distinct: number } {
  const known = new Map<string, number>();
  const values = Uint32Array.from({ length: sizeOf(estate, field.level) }, (_, code) => {
    const text = String(readValue(estate, field, code));
    const found = known.get(text) ?? known.size;
    known.set(text, found);
    return found;
  });
  return { values, distinct: known.size };
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

/** One record of each group, in columns; texts of times where a group is one record. */
interface Samples {
  readonly resource: Uint32Array;
  readonly policy: Uint16Array;
  readonly compliance: Uint8Array;
  readonly times: string[];
}

function noSamples(size: number): Samples {
  return {
    resource: new Uint32Array(size),
    policy: new Uint16Array(size),
    compliance: new Uint8Array(size),
    times: [],
  };
}

function columnOf(estate: Estate, field: Field, samples: Samples): Column {
  const { name, kind } = field;
  if (field.level === "resource")
    return { name, kind, codes: samples.resource, valueOf: (code) => readValue(estate, field, code) };
  const levelCodes = codesOf(estate, field.level);
  const own = field.level === "time" ? undefined : samples[dependencyOf(field.level)];
  const values: Value[] = [];
  const known = new Map<string, number>();
  const places = new Map<number, number>();
  const codes = new Uint32Array(samples.resource.length);
  for (let at = 0; at < codes.length; at += 1) {
    const sample = own ? (own[at] ?? 0) : at;
    const code = levelCodes ? (levelCodes[sample] ?? 0) : sample;
    let found = places.get(code);
    if (found === undefined) {
      const value = own ? readValue(estate, field, code) : (samples.times[at] ?? "");
      const text = String(value);
      found = known.get(text) ?? values.push(value) - 1;
      known.set(text, found);
      places.set(code, found);
    }
    codes[at] = found;
  }
  return { name, kind, codes, valueOf: (code) => values[code] ?? "" };
}

/** By time there are about as many groups as records: every record is a row of its own. */
function groupOneByOne(
  readings: Readings,
  { sights, extra }: Seen,
  fields: readonly Field[],
  writeTime: WriteTime,
): Table {
  const { estate } = readings;
  const samples: { resource: number; policy: number; compliance: number; time: string }[] = [];
  const add = (row: number, compliance: number, scan: Scan | undefined, instant: number) => {
    const exact = scan ? exactInstant(scan.start, estate.rows.offset[row] ?? 0) : undefined;
    const time = exact ? writeTime(exact.milliseconds, exact.ticks) : writeTime(Math.floor(instant), 0);
    samples.push({ resource: estate.rows.resource[row] ?? 0, policy: estate.rows.policy[row] ?? 0, compliance, time });
  };
  for (const sight of sights)
    eachSeen(readings, sight, (row, code) => add(row, code, sight.scanOf(row), sight.instantOf(row)));
  for (const { row, compliance, instant } of extra) add(row, compliance, undefined, instant);
  const columns: Samples = {
    resource: Uint32Array.from(samples, ({ resource }) => resource),
    policy: Uint16Array.from(samples, ({ policy }) => policy),
    compliance: Uint8Array.from(samples, ({ compliance }) => compliance),
    times: samples.map(({ time }) => time),
  };
  return {
    size: samples.length,
    weights: new Float64Array(samples.length).fill(1),
    columns: fields.map((field) => columnOf(estate, field, columns)),
  };
}
