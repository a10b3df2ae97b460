/** Resources. What a client writes passes the policies that look at it, and is evaluated at once. */
import type { Context, Hono } from "hono";
import type { KernelEnv, Runtime } from "../../kernel/emulator.ts";
import { answerArm } from "../arm.ts";
import type { Estate } from "../domain/estate.ts";
import { resourceId } from "../domain/fields.ts";
import { isRecord, type Json, member, record, text } from "../domain/json.ts";
import { armId, scanDay, seededBody, subjectOf } from "../domain/resource-body.ts";
import { groupType, subscriptionType } from "../domain/resource-types.ts";
import { typeKey } from "../domain/structure.ts";
import { reject } from "../errors.ts";
import { type ListFilter, readListFilter } from "../odata/list-filter.ts";
import { readTop } from "../odata/options.ts";
import type { AzureState } from "../store.ts";
import { bodyOf } from "./body.ts";
import { announceGone, evaluateRows } from "./evaluating.ts";
import { admit, admitDeletion } from "./policy-gate.ts";
import { armVersions, readRequest, subscriptionOf } from "./request.ts";
import { idOf } from "./scopes.ts";
import { type Written, writtenOf } from "./written.ts";

const subscription = "/subscriptions/:subscription";
const group = `${subscription}/resourcegroups/:group`;
const pageSize = 1000;

export function resources(app: Hono<KernelEnv>, runtime: Runtime<AzureState>): void {
  app.get(`${subscription}/resources`, (c) => listResources(c, runtime));
  app.get(`${group}/resources`, (c) => listResources(c, runtime));
}

/** Registered last: what no other route of the resource's path answers. */
export function singleResources(app: Hono<KernelEnv>, runtime: Runtime<AzureState>): void {
  const path = `${group}/providers/:resource{.+}`;
  app.get(path, (c) => readResource(c, runtime));
  app.put(path, (c) => writeResource(c, runtime, false));
  app.patch(path, (c) => writeResource(c, runtime, true));
  app.delete(path, (c) => removeResource(c, runtime));
}

/** The whole of a resource, as a client left it or as it was seeded. */
export function wholeOf({ state, clock }: Runtime<AzureState>, code: number): Written {
  const { estate } = state.readings();
  const day = scanDay(estate, estate.resources.subscription[code] ?? 0, clock.now());
  return writtenOf(state, estate, code) ?? seededBody(estate, code, day);
}

function listResources(c: Context<KernelEnv>, runtime: Runtime<AzureState>): Response {
  const { exchange } = c.env;
  const request = readRequest(exchange, runtime, armVersions);
  const { estate } = runtime.state.readings();
  const code = subscriptionOf(request, runtime.state);
  const named = request.segments.length > 3 ? (request.segments[3] ?? "").toLowerCase() : undefined;
  const within = estate.groups.find((each) => each.subscription === code && each.name.toLowerCase() === named);
  if (named !== undefined && !within) return reject("ResourceGroupNotFound", request.segments[3] ?? "");
  const range = within?.resources ?? estate.subscriptions[code]?.resources ?? { first: 0, end: 0 };
  const given = request.query.get("$filter") ?? "";
  const names = ["resourceType", "resourceGroup", "location", "tagName", "tagValue"];
  const clauses = readListFilter(request.query, { names });
  const size = Math.max(1, Math.min(pageSize, readTop(request.query) ?? pageSize));
  const value: Json[] = [];
  let next = Math.max(range.first, Number(request.query.get("$skiptoken") ?? 0) || 0);
  for (; next < range.end && value.length < size; next += 1) {
    const type = estate.resources.type[next] ?? 0;
    if (type === subscriptionType || type === groupType) continue;
    const at = next;
    const body = () => wholeOf(runtime, at).body;
    if (!matches(estate, next, clauses, () => member(body(), "tags"))) continue;
    const { properties: _, ...brief } = record(body());
    value.push(brief);
  }
  const path = exchange.target.slice(0, exchange.target.indexOf("?"));
  const filter = given === "" ? "" : `&$filter=${encodeURIComponent(given)}`;
  const link = `${exchange.base}${path}?api-version=${request.apiVersion}&$top=${size}${filter}&$skiptoken=${next}`;
  return answerArm(exchange, {
    value,
    ...(next < range.end && request.query.get("$top") === undefined ? { nextLink: link } : {}),
  });
}

function matches(
  { resources, types, groups, locations }: Estate,
  code: number,
  filter: ListFilter,
  tags: () => Json,
): boolean {
  const own = {
    resourceType: types[resources.type[code] ?? 0]?.type,
    resourceGroup: groups[resources.group[code] ?? 0]?.name,
    location: locations[resources.location[code] ?? 0],
  };
  for (const [name, value] of Object.entries(own)) {
    const wanted = filter.valueOf(name);
    if (wanted !== undefined && value?.toLowerCase() !== wanted) return false;
  }
  return hasTag(filter, tags);
}

/** `tagName eq '...'`, which `tagValue eq '...'` may follow. */
export function hasTag(filter: ListFilter, tags: () => Json): boolean {
  const name = filter.valueOf("tagName");
  if (name === undefined) return true;
  const found = member(tags(), name);
  const value = filter.valueOf("tagValue");
  return found !== undefined && (value === undefined || String(found).toLowerCase() === value);
}

function asked(c: Context<KernelEnv>, runtime: Runtime<AzureState>) {
  const request = readRequest(c.env.exchange, runtime, armVersions);
  subscriptionOf(request, runtime.state);
  return { request, id: idOf(request.segments), code: runtime.state.readings().resourceCode(idOf(request.segments)) };
}

function readResource(c: Context<KernelEnv>, runtime: Runtime<AzureState>): Response {
  const { id, code } = asked(c, runtime);
  if (code === undefined) return reject("ResourceNotFound", id);
  // Whoever asks only whether it is there is told so without a body: clients take no 200.
  if (c.env.exchange.method === "HEAD") return answerArm(c.env.exchange, undefined, 204);
  return answerArm(c.env.exchange, wholeOf(runtime, code).body);
}

function writeResource(c: Context<KernelEnv>, runtime: Runtime<AzureState>, patch: boolean): Response {
  const { exchange } = c.env;
  const { state, store, clock } = runtime;
  const { id, code, request } = asked(c, runtime);
  const given = bodyOf(exchange);
  const { estate } = state.readings();
  const groupCode = state.readings().resourceCode(idOf(request.segments.slice(0, 4)));
  if (groupCode === undefined) return reject("ResourceGroupNotFound", request.segments[3] ?? "");
  if (patch && code === undefined) return reject("ResourceNotFound", id);
  const parent = parentOf(request.segments);
  if (parent?.extension) {
    const owner = state.readings().resourceCode(parent.id);
    if (owner === undefined) return reject("ResourceNotFound", parent.id);
    store.write(() => relate(runtime, owner, parent.type, 1));
    return answerArm(exchange, { ...given, id, name: request.segments.at(-1), type: parent.type }, 201);
  }
  const before = code === undefined ? undefined : wholeOf(runtime, code);
  const type = typeOf(request.segments);
  const own = { id: code === undefined ? id : armId(estate, code), name: request.segments.at(-1) ?? "", type };
  const body: Json = patch
    ? merged(before?.body, given)
    : {
        ...given,
        ...own,
        location: text(given, "location") || text(before?.body, "location"),
        properties: given.properties ?? {},
      };
  if (!patch && text(body, "location") === "") reject("InvalidRequestContent", "'location' is missing");
  refuseMove(estate, code, placeIn(body), { name: own.name, group: request.segments[3] ?? "" });
  const related = before?.related ?? {};
  const group = estate.resources.group[groupCode] ?? 0;
  const admitted = admit(
    runtime,
    { subscription: estate.resources.subscription[groupCode] ?? 0, group, key: typeKey(type, body) },
    {
      ...own,
      location: placeIn(body),
      body,
      related,
      groupLocation: estate.locations[estate.groups[group]?.location ?? 0] ?? "",
      groupName: estate.groups[group]?.name ?? "",
    },
  );
  store.write(() => {
    keep(runtime, own.id, code, { body: admitted, related });
    if (parent) {
      const owner = state.readings().resourceCode(parent.id);
      if (owner !== undefined && code === undefined) relate(runtime, owner, type, 1);
    }
    evaluateResource(runtime, own.id);
  });
  runtime.journal.append("change", own.id, { at: clock.now() });
  return answerArm(exchange, admitted, code === undefined ? 201 : 200);
}

/** A resource stays where it was made. @throws ArmError 409 */
function refuseMove(
  { resources, locations }: Estate,
  code: number | undefined,
  wanted: string,
  { name, group }: { readonly name: string; readonly group: string },
): void {
  const there = code === undefined ? "" : (locations[resources.location[code] ?? 0] ?? "");
  if (there !== "" && wanted !== there) reject("InvalidResourceLocation", name, there, group, wanted);
}

/** As the estate knows locations: `West Europe` is `westeurope`. */
export function placeIn(body: Json): string {
  return text(body, "location").toLowerCase().replaceAll(" ", "");
}

/** Runs inside a write. A seeded resource stays one; another is the client's own. */
export function keep(
  { state, clock }: Runtime<AzureState>,
  id: string,
  code: number | undefined,
  { body, related }: Written,
): void {
  const { estate } = state.readings();
  const made = code === undefined || estate.named.has(code);
  const document = JSON.stringify({ ...record(body), related });
  state.documents.put("resource", { id: id.toLowerCase(), body: document, made, at: clock.now() });
}

/** Runs inside a write. */
export function evaluateResource(runtime: Runtime<AzureState>, id: string): void {
  const readings = runtime.state.readings();
  const code = readings.resourceCode(id);
  if (code === undefined) return;
  evaluateRows(runtime, rowsBetween(readings.estate, code, code + 1));
}

/** Counts a resource of a type that belongs to another one. */
function relate(runtime: Runtime<AzureState>, owner: number, type: string, by: number): void {
  const { estate } = runtime.state.readings();
  const whole = wholeOf(runtime, owner);
  const related = { ...whole.related };
  related[type] = Math.max(0, (related[type] ?? 0) + by);
  keep(runtime, resourceId(estate, owner), owner, { body: whole.body, related });
  evaluateResource(runtime, resourceId(estate, owner));
}

function removeResource(c: Context<KernelEnv>, runtime: Runtime<AzureState>): Response {
  const { exchange } = c.env;
  const { state, store, clock } = runtime;
  const { id, code, request } = asked(c, runtime);
  const parent = parentOf(request.segments);
  if (parent?.extension) {
    const owner = state.readings().resourceCode(parent.id);
    if (owner === undefined || (wholeOf(runtime, owner).related[parent.type] ?? 0) === 0)
      return answerArm(exchange, undefined, 204);
    store.write(() => relate(runtime, owner, parent.type, -1));
    return answerArm(exchange, undefined, 200);
  }
  if (code === undefined) return answerArm(exchange, undefined, 204);
  const before = state.readings();
  const { estate } = before;
  admitDeletion(
    runtime,
    {
      subscription: estate.resources.subscription[code] ?? 0,
      group: estate.resources.group[code],
      key: estate.types[estate.resources.type[code] ?? 0]?.key ?? "",
    },
    subjectOf(estate, code, clock.now(), wholeOf(runtime, code)),
  );
  const made = estate.named.has(code);
  store.write(() => {
    state.documents.put("resource", { id: id.toLowerCase(), body: null, made, at: clock.now() });
    announceGone(runtime, before, rowsBetween(estate, code, code + 1));
  });
  return answerArm(exchange, undefined, 200);
}

/** The type that a path names: `Microsoft.Sql/servers/databases`. */
function typeOf(segments: readonly string[]): string {
  const last = segments.map((each) => each.toLowerCase()).lastIndexOf("providers");
  const [namespace = "", ...rest] = segments.slice(last + 1);
  return [namespace, ...rest.filter((_, index) => index % 2 === 0)].join("/");
}

/** What a nested resource belongs to, or what an extension resource is attached to. */
function parentOf(segments: readonly string[]): { id: string; type: string; extension: boolean } | undefined {
  const lower = segments.map((each) => each.toLowerCase());
  const last = lower.lastIndexOf("providers");
  const type = typeOf(segments);
  if (last > 4) return { id: idOf(segments.slice(0, last)), type, extension: true };
  return segments.length > 8 ? { id: idOf(segments.slice(0, -2)), type, extension: false } : undefined;
}

/** As PATCH merges: objects member by member, everything else replaced, null removes. */
export function merged(before: Json, change: Json): Json {
  if (!isRecord(before) || !isRecord(change)) return change;
  const result: { [name: string]: Json } = { ...before };
  for (const [name, value] of Object.entries(change)) {
    const own = Object.keys(before).find((each) => each.toLowerCase() === name.toLowerCase()) ?? name;
    if (value === null) delete result[own];
    else result[own] = merged(before[own], value);
  }
  return result;
}

/** Rows of the resources [first, end). */
export function rowsBetween({ resources }: Estate, first: number, end: number): readonly number[] {
  const start = resources.firstRow[first] ?? 0;
  return Array.from({ length: (resources.firstRow[end] ?? start) - start }, (_, index) => start + index);
}
