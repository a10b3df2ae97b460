/**
 * Policy states as JSON. The members of a record are cut into runs that depend on few things - the policy and what was
 * found, the type and where it is - and each run is written once for each combination and kept as bytes; a record is a
 * few of them one after another, its time and the digits of its resource's id.
 */
import { complianceStates } from "../domain/compliance.ts";
import type { Estate } from "../domain/estate.ts";
import { codesOf, type Field, fields, idOfGroup, isDerived, type Level, resourceId, sizeOf } from "../domain/fields.ts";
import type { PageRecord } from "../domain/page.ts";
import { idMiddle, idOfType, parentOf } from "../domain/resource-ids.ts";
import { exactInstant } from "../domain/scans.ts";
import type { Table } from "../domain/table.ts";
import type { Writing } from "./bytes.ts";

/** Writes one record, without the braces' `@odata` members in front. */
export type StateWriter = (out: Writing, record: PageRecord) => void;

/** More members of a record, each with its comma: what `$expand` adds. */
export type RecordExtra = (record: PageRecord) => string;

/** Members that are written together, and what they depend on. */
interface Run {
  readonly levels: Set<Level>;
  readonly fields: Field[];
}

/** The writer of a run, and the text that must come after it: whoever writes next begins with that. */
interface Part {
  readonly write: StateWriter;
  readonly rest: string;
}

/** A writer of the chosen members, in the order of the wire; `undefined` means all. */
export function stateWriter(
  estate: Estate,
  select: readonly string[] | undefined,
  members: readonly Field[] = fields,
): StateWriter {
  const chosen = select ? members.filter(({ name }) => select.includes(name)) : members;
  const parts: StateWriter[] = [];
  let rest = "";
  for (const run of runsOf(chosen)) {
    const part = partWriter(estate, run, rest);
    parts.push(part.write);
    rest = part.rest;
  }
  const closing = Buffer.from(rest);
  return (out, record) => {
    for (const part of parts) part(out, record);
    if (closing.length > 0) out.bytes(closing);
  };
}

function runsOf(chosen: readonly Field[]): readonly Run[] {
  const runs: Run[] = [];
  for (const field of chosen) {
    const last = runs.at(-1);
    if (last && canJoin(last.levels, field.level)) {
      last.levels.add(field.level);
      last.fields.push(field);
    } else runs.push({ levels: new Set([field.level]), fields: [field] });
  }
  return runs;
}

/**
 * Levels of which every combination is kept. With the subscription among the first, a page of an estate of nineteen
 * would be made a tenth of a millisecond sooner, and ten megabytes would be kept for it instead of half a one.
 */
const together: readonly ReadonlySet<Level>[] = [new Set(["policy", "compliance"]), new Set(["type", "location"])];

function canJoin(levels: ReadonlySet<Level>, level: Level): boolean {
  if (level === "time" || level === "resource") return false;
  if (levels.size === 1 && levels.has(level)) return true;
  return together.some((all) => all.has(level) && [...levels].every((each) => all.has(each)));
}

function partWriter(estate: Estate, run: Run, before: string): Part {
  const { levels } = run;
  if (levels.has("time")) return timeWriter(estate, before);
  if (levels.has("resource")) return idWriter(estate, run.fields, before);
  return {
    write:
      levels.has("policy") || levels.has("compliance")
        ? foundWriter(estate, run, before)
        : placeWriter(estate, run, before),
    rest: "",
  };
}

/** Members that depend on the policy and on what was found. */
function foundWriter(estate: Estate, run: Run, before: string): StateWriter {
  const { policy: policyOf } = estate.rows;
  const states = complianceStates.length;
  const kept: (Uint8Array | undefined)[] = new Array(estate.policies.length * states).fill(undefined);
  // Apart from the writer, as is all that seldom runs: what it captures would be allocated for every record.
  const make = (policy: number, compliance: number) =>
    Buffer.from(before + membersText(estate, run.fields, ({ level }) => (level === "policy" ? policy : compliance)));
  return (out, { row, compliance }) => {
    const policy = policyOf[row] ?? 0;
    const key = policy * states + compliance;
    let part = kept[key];
    if (!part) {
      part = make(policy, compliance);
      kept[key] = part;
    }
    out.bytes(part);
  };
}

/** Members that depend on a resource's type, on where it is or on both. */
function placeWriter(estate: Estate, run: Run, before: string): StateWriter {
  const { resource: resourceOf } = estate.rows;
  const [level = "type", other] = run.levels;
  const codes = codesOf(estate, level);
  const others = other && codesOf(estate, other);
  const many = other ? sizeOf(estate, other) : 1;
  const kept: (Uint8Array | undefined)[] = new Array(sizeOf(estate, level) * many).fill(undefined);
  const make = (resource: number) =>
    Buffer.from(before + membersText(estate, run.fields, (field) => codesOf(estate, field.level)?.[resource] ?? 0));
  return (out, { row }) => {
    const resource = resourceOf[row] ?? 0;
    const key = (codes?.[resource] ?? 0) * many + (others?.[resource] ?? 0);
    let part = kept[key];
    if (!part) {
      part = make(resource);
      kept[key] = part;
    }
    out.bytes(part);
  };
}

const dayMs = 86_400_000;
const nothing = Buffer.alloc(0);

function timeWriter({ rows }: Estate, before: string): Part {
  let day = Number.NaN;
  let date: Uint8Array = nothing;
  const dateOf = (today: number) =>
    Buffer.from(`${before},"timestamp":"${new Date(today * dayMs).toISOString().slice(0, 11)}`);
  const write: StateWriter = (out, { row, scan, instant }) => {
    const exact = scan ? exactInstant(scan.start, rows.offset[row] ?? 0) : undefined;
    const milliseconds = exact?.milliseconds ?? Math.floor(instant);
    const today = Math.floor(milliseconds / dayMs);
    if (today !== day) {
      day = today;
      date = dateOf(today);
    }
    out.bytes(date);
    out.timeOfDay(milliseconds - today * dayMs, exact?.ticks ?? 0);
  };
  return { write, rest: 'Z"' };
}

function idWriter(estate: Estate, [field]: readonly Field[], before: string): Part {
  const { rows, resources } = estate;
  const opening = `${before},${JSON.stringify(field?.name ?? "")}:"`;
  const escaped = (text: string) => JSON.stringify(text).slice(1, -1);
  const groups: (Uint8Array | undefined)[] = new Array(estate.groups.length + 1).fill(undefined);
  const types = estate.types.map((_, type) => Buffer.from(escaped(idOfType(type))));
  const middles = estate.types.map((_, type) => {
    const middle = idMiddle(type);
    return middle === undefined ? undefined : Buffer.from(middle);
  });
  const write: StateWriter = (out, { row }) => {
    const resource = rows.resource[row] ?? 0;
    if (!isDerived(estate, resource)) return out.text(opening + escaped(resourceId(estate, resource)));
    const group = resources.group[resource] ?? 0;
    let start = groups[group];
    if (!start) {
      start = Buffer.from(opening + escaped(idOfGroup(estate, resource)));
      groups[group] = start;
    }
    out.bytes(start);
    const type = resources.type[resource] ?? 0;
    out.bytes(types[type] ?? nothing);
    const hash = resources.hash[resource] ?? 0;
    const middle = middles[type];
    if (middle) {
      out.base36(parentOf(hash));
      out.bytes(middle);
    }
    out.base36(hash);
  };
  return { write, rest: '"' };
}

function membersText(estate: Estate, chosen: readonly Field[], codeOf: (field: Field) => number): string {
  return chosen
    .map((field) => `,"${field.name}":${JSON.stringify(memberValue(estate, field, codeOf(field)))}`)
    .join("");
}

function memberValue(estate: Estate, field: Field, code: number): string | boolean | readonly string[] {
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

/** Members of a grouped result, each row as a record without the braces' `@odata` members. */
export function tableRecords(
  table: Table,
  select: readonly string[] | undefined,
  first: number,
  end: number,
): string[] {
  const columns = table.columns.filter(({ name }) => !select || select.includes(name));
  const records: string[] = [];
  for (let row = first; row < Math.min(end, table.size); row += 1)
    records.push(
      columns
        .map((column) => `,${JSON.stringify(column.name)}:${JSON.stringify(column.valueOf(column.codes[row] ?? 0))}`)
        .join(""),
    );
  return records;
}

/** The envelope of a page. `context` is the address of the metadata, `#latest` included. */
export interface Envelope {
  readonly context: string;
  readonly count: number;
  readonly nextLink: string | undefined;
}

/** A page of `count` records; `record` writes one of them without the braces' `@odata` members. */
export function writePage(
  out: Writing,
  { context, count, nextLink }: Envelope,
  record: (at: number, out: Writing) => void,
): void {
  const opening = `{"@odata.id":null,"@odata.context":${JSON.stringify(`${context}/$entity`)}`;
  const first = Buffer.from(opening);
  const further = Buffer.from(`},${opening}`);
  const next = nextLink === undefined ? "null" : JSON.stringify(nextLink);
  out.text(`{"@odata.context":${JSON.stringify(context)},"@odata.count":${count},"@odata.nextLink":${next},"value":[`);
  for (let at = 0; at < count; at += 1) {
    out.bytes(at === 0 ? first : further);
    record(at, out);
  }
  out.text(count === 0 ? "]}" : "}]}");
}
