/**
 * Policy states as JSON text. The members of a record are cut into runs that depend on one thing - the resource, the
 * policy, the subscription - and each run is written once and kept, escaped; a record is a few of them joined.
 */
import type { Estate } from "../domain/estate.ts";
import { codesOf, type Field, fields, type Level } from "../domain/fields.ts";
import { exactInstant, type Scan } from "../domain/scans.ts";
import type { Table } from "../domain/table.ts";
import { timestampWriter } from "./timestamp.ts";

/** Writes one record, without the braces' `@odata` members in front. */
export type StateWriter = (row: number, compliance: number, scan: Scan | undefined, instant: number) => string;

/** More members of a record, each with its comma: what `$expand` adds. */
export type RecordExtra = (row: number, compliance: number, instant: number) => string;

/** Kept texts of more resources than this would weigh more than they save. */
const mostKeptResources = 40_000;

interface Run {
  readonly level: Level;
  readonly fields: readonly Field[];
}

/** A writer of the chosen members, in the order of the wire; `undefined` means all. */
export function stateWriter(
  estate: Estate,
  select: readonly string[] | undefined,
  members: readonly Field[] = fields,
): StateWriter {
  const chosen = select ? members.filter(({ name }) => select.includes(name)) : members;
  const parts = runsOf(chosen).map((run) => partWriter(estate, run));
  return (row, compliance, scan, instant) => {
    let text = "";
    for (const part of parts) text += part(row, compliance, scan, instant);
    return text;
  };
}

function runsOf(chosen: readonly Field[]): readonly Run[] {
  const runs: { level: Level; fields: Field[] }[] = [];
  for (const field of chosen) {
    const last = runs.at(-1);
    if (last && (last.level === field.level || (ofResource(last.level) && ofResource(field.level)))) {
      if (last.level !== field.level) last.level = "resource";
      last.fields.push(field);
    } else runs.push({ level: field.level, fields: [field] });
  }
  return runs;
}

function ofResource(level: Level): boolean {
  return level !== "policy" && level !== "compliance" && level !== "time";
}

function partWriter(estate: Estate, run: Run): StateWriter {
  const { rows } = estate;
  if (run.level === "time") {
    const write = timestampWriter();
    return (row, _compliance, scan, instant) => {
      if (!scan) return `,"timestamp":"${write(Math.floor(instant), 0)}"`;
      const { milliseconds, ticks } = exactInstant(scan.start, rows.offset[row] ?? 0);
      return `,"timestamp":"${write(milliseconds, ticks)}"`;
    };
  }
  if (run.level === "compliance") {
    const text = keeping((code) => membersText(estate, run.fields, () => code), true);
    return (_row, compliance) => text(compliance);
  }
  if (run.level === "policy") {
    const text = keeping((code) => membersText(estate, run.fields, () => code), true);
    return (row) => text(rows.policy[row] ?? 0);
  }
  const codes = codesOf(estate, run.level);
  if (codes) {
    const text = keeping((code) => membersText(estate, run.fields, () => code), true);
    return (row) => text(codes[rows.resource[row] ?? 0] ?? 0);
  }
  const text = keeping(
    (resource) => membersText(estate, run.fields, (field) => codesOf(estate, field.level)?.[resource] ?? resource),
    estate.resources.count <= mostKeptResources,
  );
  return (row) => text(rows.resource[row] ?? 0);
}

/** Remembers the text of every code, or only of the last one. */
function keeping(write: (code: number) => string, all: boolean): (code: number) => string {
  const kept: string[] = [];
  let lastCode = -1;
  let last = "";
  return (code) => {
    if (code === lastCode) return last;
    lastCode = code;
    last = kept[code] ?? write(code);
    if (all) kept[code] = last;
    return last;
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
export function renderPage(context: string, records: readonly string[], nextLink: string | undefined): string {
  const opening = `{"@odata.id":null,"@odata.context":${JSON.stringify(`${context}/$entity`)}`;
  const values = records.length === 0 ? "" : `${opening}${records.join(`},${opening}`)}}`;
  const next = nextLink === undefined ? "null" : JSON.stringify(nextLink);
  return `{"@odata.context":${JSON.stringify(context)},"@odata.count":${records.length},"@odata.nextLink":${next},"value":[${values}]}`;
}
