/** Pages of records: policy states, policy events and component states share their options, paging and envelope. */
import type { Runtime } from "../../kernel/emulator.ts";
import { answer, type Exchange } from "../../kernel/exchange.ts";
import { armHeaders, remainingOf } from "../arm.ts";
import type { Estate } from "../domain/estate.ts";
import { eventFieldNamed, eventFields } from "../domain/event-fields.ts";
import { type Field, fieldNamed, fields } from "../domain/fields.ts";
import { both } from "../domain/mask.ts";
import { readPage } from "../domain/page.ts";
import type { Question } from "../domain/question.ts";
import type { Readings, RecordKind } from "../domain/readings.ts";
import { maskOf } from "../domain/scope.ts";
import { sorted } from "../domain/table.ts";
import { reject } from "../errors.ts";
import { applySteps, narrowed } from "../odata/apply.ts";
import { compileFilter } from "../odata/filter-compiler.ts";
import { type Options, optionTexts, readOptions, readTop, readWindow } from "../odata/options.ts";
import { readSkipToken, type SkipToken, writeSkipToken } from "../odata/skip-token.ts";
import type { AzureState } from "../store.ts";
import { createMemory, type Memory, type Writing } from "../wire/bytes.ts";
import { type RecordExtra, type StateWriter, stateWriter, tableRecords, writePage } from "../wire/policy-state.ts";
import { timestampWriter } from "../wire/timestamp.ts";
import type { ArmRequest } from "./request.ts";
import { idOf, type Placed, placeOf, rowsOf, type ScopePath } from "./scopes.ts";

const pageSize = 1000;
/** `/providers/Microsoft.PolicyInsights/<collection>/<set>/<verb>` */
const tail = 5;

export interface Asked {
  readonly kind: RecordKind;
  /** As it stands in addresses, e.g. `policyStates`. */
  readonly collection: string;
  /** `latest` or `default`. */
  readonly set: "latest" | "default";
}

export interface Plan {
  readonly readings: Readings;
  readonly place: Placed;
  readonly question: Question;
  readonly options: Options;
  readonly filter: string | undefined;
  /** What the request, or the page before, asked for. */
  readonly token: SkipToken;
}

const schemas = { states: fieldNamed, events: eventFieldNamed } as const;
const members: Readonly<Record<RecordKind, readonly Field[]>> = { states: fields, events: eventFields };

/** @throws ArmError for an unknown subscription. @throws ODataProblem */
export function planQuery(
  request: ArmRequest,
  { state, clock }: Runtime<AzureState>,
  scope: ScopePath,
  { kind, set }: Pick<Asked, "kind" | "set">,
): Plan {
  const given = request.query.get("$skiptoken");
  const token: SkipToken =
    given === undefined
      ? {
          ...optionTexts(request.query),
          left: readTop(request.query),
          ...readWindow(request.query, clock.now()),
          seen: state.documents.seen(),
        }
      : readSkipToken(given);
  const place = placeOf(request, state, scope, tail);
  const readings = state.readings(token.seen);
  const options = readOptions(token, schemas[kind]);
  const rows = rowsOf(readings, place, state.strict());
  const filter = options.filter ? compileFilter(options.filter, readings) : {};
  return {
    readings,
    place,
    question: {
      ranges: rows.ranges,
      window: token,
      kind,
      latestOnly: set === "latest",
      mask: both(maskOf(rows), filter, readings.estate),
    },
    options,
    filter: token.filter,
    token,
  };
}

/** What answers are written with: kept for as long as the emulator runs. */
export interface Writers {
  readonly memory: Memory;
  of(estate: Estate, kind: RecordKind): StateWriter;
}

export function answerPage(
  exchange: Exchange,
  request: ArmRequest,
  plan: Plan,
  asked: Asked,
  { writers, extra }: { readonly writers: Writers; readonly extra?: RecordExtra | undefined },
): Response {
  exchange.note("operation", `${asked.collection}.queryResults`);
  const { token } = plan;
  const size = Math.min(pageSize, token.left ?? pageSize);
  const { count, next, record } = plan.options.apply?.columns
    ? groupedPage(plan, size)
    : recordPage(plan, size, asked.kind, writers, extra);
  const left = token.left === undefined ? undefined : token.left - count;
  const link = next === undefined || left === 0 ? undefined : nextLink(exchange, request, { ...token, ...next, left });
  const context = `${addressOf(exchange, plan.place, asked.collection)}/$metadata#${asked.set}`;
  return answerWritten(exchange, writers.memory, (out) => writePage(out, { context, count, nextLink: link }, record));
}

interface Found {
  readonly count: number;
  /** Where the next page starts; undefined when this is the last. */
  readonly next: Partial<SkipToken> | undefined;
  record(at: number, out: Writing): void;
}

function groupedPage({ readings, question, options, token }: Plan, size: number): Found {
  const pipeline = options.apply;
  const found = pipeline && applySteps(readings, question, pipeline, timestampWriter());
  if (!found) return { count: 0, next: undefined, record: () => {} };
  const table = options.orderBy ? sorted(found, options.orderBy) : found;
  const first = token.shown ?? 0;
  const end = first + size;
  const records = tableRecords(table, options.select, first, end);
  return {
    count: records.length,
    next: end < table.size ? { shown: end } : undefined,
    record: (at, out) => out.text(records[at] ?? ""),
  };
}

function recordPage(
  { readings, question, options, token }: Plan,
  size: number,
  kind: RecordKind,
  writers: Writers,
  extra: RecordExtra | undefined,
): Found {
  const { estate } = readings;
  const write = options.select ? stateWriter(estate, options.select, members[kind]) : writers.of(estate, kind);
  const after = token.row === undefined || token.at === undefined ? undefined : { row: token.row, instant: token.at };
  const orderBy = options.orderBy?.flatMap(({ name, descending }) => {
    const field = schemas[kind](name);
    return field ? [{ field, descending }] : [];
  });
  const asked = options.apply ? narrowed(readings, question, options.apply) : question;
  const { records, last, ...page } = readPage(readings, {
    question: asked,
    orderBy,
    size,
    after,
    shown: token.shown ?? 0,
  });
  return {
    count: records.length,
    next: page.more ? { shown: page.shown, ...(last ? { row: last.row, at: last.instant } : {}) } : undefined,
    record(at, out) {
      const one = records[at];
      if (!one) return;
      write(out, one);
      if (extra) out.text(extra(one));
    },
  };
}

function nextLink(exchange: Exchange, request: ArmRequest, token: SkipToken): string {
  const path = exchange.target.slice(0, exchange.target.indexOf("?"));
  return `${exchange.base}${path}?api-version=${request.apiVersion}&$skiptoken=${writeSkipToken(token)}`;
}

/** Azure takes only POST, but the JavaScript client follows nextLink by GET; a first page by GET is refused as there. */
export function refuseGet(exchange: Exchange, request: ArmRequest, strict: boolean, type: string): void {
  if (exchange.method === "GET" && (strict || !request.query.has("$skiptoken")))
    reject("ResourceTypeNotSupported", type);
}

/** Answers of this size and more are sent from the memory that they were written into. */
const lent = 256 * 1024;

/** An answer that is written piece by piece. */
export function answerWritten(exchange: Exchange, memory: Memory, write: (out: Writing) => void): Response {
  const writer = memory.take();
  write(writer);
  const bytes = writer.written();
  const headers = {
    ...armHeaders(exchange),
    "x-ms-ratelimit-remaining-policy-insights-requests": remainingOf(exchange, "policyInsights"),
  };
  if (bytes.length >= lent) return answer(exchange, 200, bytes, headers, () => memory.giveBack(bytes));
  const copy = Buffer.from(bytes);
  memory.giveBack(bytes);
  return answer(exchange, 200, copy, headers);
}

/** Address of a collection at the scope, which keeps the case in which the request named it. */
export function addressOf(exchange: Exchange, { segments }: Placed, collection: string): string {
  return `${exchange.base}${idOf(segments)}/providers/Microsoft.PolicyInsights/${collection}`;
}

/** The writers of whole records are kept with their pieces for as long as the estate is the same. */
export function keptWriters(): Writers {
  const kept = { states: new WeakMap<Estate, StateWriter>(), events: new WeakMap<Estate, StateWriter>() };
  return {
    memory: createMemory(),
    of(estate, kind) {
      const writer = kept[kind].get(estate) ?? stateWriter(estate, undefined, members[kind]);
      kept[kind].set(estate, writer);
      return writer;
    },
  };
}
