/**
 * Policy states as JSON. The members of a record are cut into runs that depend on few things - the policy and what was
 * found, where a resource is - and each run is written once for each combination and kept as bytes; a record is a few
 * of them one after another, its time and its resource's id.
 */
import { complianceStates } from "../domain/compliance.ts";
import type { Estate } from "../domain/estate.ts";
import { codesOf, type Field, fields, idHead, idMiddle, type Level, parentOf, resourceId } from "../domain/fields.ts";
import { exactInstant, type Scan } from "../domain/scans.ts";
import type { Table } from "../domain/table.ts";
import type { Writing } from "./bytes.ts";

/** Writes one record, without the braces' `@odata` members in front. */
export type StateWriter = (
  out: Writing,
  row: number,
  compliance: number,
  scan: Scan | undefined,
  instant: number,
) => void;

/** More members of a record, each with its comma: what `$expand` adds. */
export type RecordExtra = (row: number, compliance: number, instant: number) => string;

/** Members that are written together, and what they depend on. */
interface Run {
  readonly levels: Set<Level>;
  readonly fields: Field[];
}

/** A writer of the chosen members, in the order of the wire; `undefined` means all. */
export function stateWriter(
  estate: Estate,
  select: readonly string[] | undefined,
  members: readonly Field[] = fields,
): StateWriter {
  const chosen = select ? members.filter(({ name }) => select.includes(name)) : members;
  const parts = runsOf(chosen).map((run) => partWriter(estate, run));
  return (out, row, compliance, scan, instant) => {
    for (const part of parts) part(out, row, compliance, scan, instant);
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

/** Times and ids hardly repeat; every place with every policy would be too many to keep. */
const companions: Readonly<Record<Level, readonly Level[]>> = {
  time: [],
  resource: [],
  type: ["type", "location", "group", "subscription"],
  location: ["type", "location", "group", "subscription"],
  group: ["type", "location", "group", "subscription"],
  policy: ["policy", "compliance", "subscription"],
  compliance: ["policy", "compliance", "subscription"],
  subscription: ["type", "location", "group", "subscription", "policy", "compliance"],
};

function canJoin(levels: ReadonlySet<Level>, level: Level): boolean {
  return [...levels].every((each) => companions[level].includes(each));
}

function partWriter(estate: Estate, { levels, fields: together }: Run): StateWriter {
  if (levels.has("time")) return timeWriter(estate);
  if (levels.has("resource")) return idWriter(estate, together);
  const { rows } = estate;
  const policies = levels.has("policy");
  const states = levels.has("compliance");
  const places = (["group", "type", "location", "subscription"] as const).filter((level) => levels.has(level));
  const columns = places.map((level) => ({ codes: codesOf(estate, level), many: many(estate, level) }));
  const kept = new Map<number, Uint8Array>();
  return (out, row, compliance) => {
    const resource = rows.resource[row] ?? 0;
    let key = 0;
    for (const { codes, many } of columns) key = key * many + (codes?.[resource] ?? 0);
    if (policies) key = key * estate.policies.length + (rows.policy[row] ?? 0);
    if (states) key = key * complianceStates.length + compliance;
    let part = kept.get(key);
    if (!part) {
      const codeOf = ({ level }: Field) =>
        level === "policy"
          ? (rows.policy[row] ?? 0)
          : level === "compliance"
            ? compliance
            : (codesOf(estate, level)?.[resource] ?? 0);
      part = Buffer.from(membersText(estate, together, codeOf));
      kept.set(key, part);
    }
    out.bytes(part);
  };
}

function many(estate: Estate, level: "group" | "type" | "location" | "subscription"): number {
  if (level === "group") return estate.groups.length + 1;
  return level === "type"
    ? estate.types.length
    : (level === "location" ? estate.locations : estate.subscriptions).length;
}

/** Neighbours in a page share most of a second. */
function timeWriter({ rows }: Estate): StateWriter {
  const opening = Buffer.from(',"timestamp":"');
  const closing = Buffer.from('Z"');
  let second = Number.NaN;
  let start: Uint8Array = opening;
  return (out, row, _compliance, scan, instant) => {
    const exact = scan ? exactInstant(scan.start, rows.offset[row] ?? 0) : undefined;
    const milliseconds = exact?.milliseconds ?? Math.floor(instant);
    const now = Math.floor(milliseconds / 1000);
    if (now !== second) {
      second = now;
      start = Buffer.concat([opening, Buffer.from(new Date(now * 1000).toISOString().slice(0, 20))]);
    }
    out.bytes(start);
    out.digits((milliseconds - now * 1000) * 10_000 + (exact?.ticks ?? 0), 7);
    out.bytes(closing);
  };
}

function idWriter(estate: Estate, [field]: readonly Field[]): StateWriter {
  const { rows, resources } = estate;
  const opening = `,${JSON.stringify(field?.name ?? "")}:`;
  const quote = Buffer.from('"');
  const heads = new Map<string, Uint8Array>();
  const middles = estate.types.map((_, type) => {
    const middle = idMiddle(type);
    return middle === undefined ? undefined : Buffer.from(middle);
  });
  return (out, row) => {
    const resource = rows.resource[row] ?? 0;
    const head = idHead(estate, resource);
    if (head === undefined) return out.text(opening + JSON.stringify(resourceId(estate, resource)));
    let bytes = heads.get(head);
    if (!bytes) {
      bytes = Buffer.from(opening + JSON.stringify(head).slice(0, -1));
      heads.set(head, bytes);
    }
    const hash = resources.hash[resource] ?? 0;
    const middle = middles[resources.type[resource] ?? 0];
    out.bytes(bytes);
    if (middle) {
      out.base36(parentOf(hash));
      out.bytes(middle);
    }
    out.base36(hash);
    out.bytes(quote);
  };
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
