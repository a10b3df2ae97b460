/**
 * Creates, lists, fetches, changes and removes the resources that Twilio treats alike. A spec says what a resource carries,
 * how it is shown and what its own rules are; everything else is the same for all of them.
 */
import type { Context, Hono } from "hono";
import type { KernelEnv } from "../../kernel/emulator.ts";
import type { Exchange } from "../../kernel/exchange.ts";
import { type Parameters, readParameters } from "../domain/parameters.ts";
import { failure, type Problem, reject, resourcePath } from "../errors.ts";
import type { Kind, Resource } from "../store-resources.ts";
import { iso, rfc2822 } from "../wire/dates.ts";
import { wantsXml } from "../wire/headers.ts";
import { spacedJson } from "../wire/json.ts";
import { type PageFrame, page2010, page2010Xml, productPage } from "../wire/page.ts";
import { type Shown, shown } from "../wire/resource.ts";
import { xmlDocument } from "../wire/xml.ts";
import {
  apiDomain,
  type Call,
  formOf,
  queryOf,
  respond,
  respondEmpty,
  respondJson,
  sidOf,
  type TwilioRuntime,
} from "./call.ts";
import { eachOf, readPage } from "./page.ts";
import { actFor, authenticate } from "./sign-in.ts";

export type Operation = "create" | "list" | "fetch" | "update" | "remove";

export interface ResourceSpec<Data extends object, Sent extends object = Data> {
  readonly kind: Kind<Data>;
  /** In the singular and Pascal case: operations are `CreateApplication`; also the XML element. */
  readonly name: string;
  /** With Hono's parameters. The 2010 API's paths begin with the version and answer JSON with `.json`. */
  readonly path: string;
  /** Where the product answers, `verify.twilio.com`; absent for the 2010 API. */
  readonly domain?: string;
  /** The member that holds the records of a list. */
  readonly list: string;
  readonly operations: readonly Operation[];
  /** Test credentials may create it. */
  readonly test?: boolean;
  readonly parameters: Parameters<Sent>;
  /** Members in the order of the wire. */
  readonly shows: readonly string[];
  /** What is not simply a parameter. `created` holds in the answer to the create. */
  view?(resource: Resource<Data>, call: Call, created: boolean): Shown;
  /** What lists belong to; throws where the path names something that is not there. Default: the account. */
  parent?(call: Call): string;
  /** Checks what was sent and makes of it what is kept, with its key. Inside no write. */
  prepare(call: Call, sent: Sent): { readonly data: Data; readonly key?: string | null; readonly sid?: string };
  /** The same for an update, which may also move it elsewhere. */
  revise?(call: Call, resource: Resource<Data>, sent: Sent): Revision<Data>;
  /** What is answered instead of the general words about a parameter. */
  refused?(problem: Problem): Problem;
  /** Inside the write that stored, changed or is about to remove it. */
  stored?(call: Call, resource: Resource<Data>): void;
  changed?(call: Call, resource: Resource<Data>, before: Resource<Data>): void;
  removing?(call: Call, resource: Resource<Data>): void;
  readonly createStatus?: number;
  /** Whether this list begins with the oldest. Default: the newest, as nearly every list of the service does. */
  oldestFirst?(call: Call): boolean;
  /** Filters of the list; a resource is kept when all that were sent agree. */
  readonly filters?: Readonly<Record<string, (resource: Resource<Data>, value: string, call: Call) => boolean>>;
  /** Finds one by what stands in the path; default: its sid. */
  find?(call: Call, name: string): Resource<Data> | undefined;
  /** Of all resources of the kind, those that this path is about. */
  belongs?(resource: Resource<Data>, call: Call): boolean;
}

/** What an update makes of a resource; what is not named stays as it was. */
export interface Revision<Data> {
  readonly data: Data;
  readonly key?: string | null;
  readonly parent?: string;
  readonly accountSid?: string;
}

/** The call behind a request: who calls, for which account, with what. */
export function callOf(runtime: TwilioRuntime, c: Context<KernelEnv>, options: { readonly test?: boolean } = {}): Call {
  const { exchange } = c.env;
  const caller = authenticate(runtime, exchange);
  const account = actFor(runtime, exchange, caller, c.req.param("account") ?? caller.sid, options);
  return {
    runtime,
    exchange,
    account,
    caller,
    form: formOf(exchange),
    query: queryOf(exchange),
    param: (name) => sidOf(c.req.param(name) ?? ""),
  };
}

/** Mounts a path of the 2010 API with and without `.json`, any other path as it is. */
export function pathsOf(path: string): readonly string[] {
  return path.startsWith("/2010-04-01") ? [`${path}.json`, path] : [path];
}

export function mountResource<Data extends object, Sent extends object>(
  app: Hono<KernelEnv>,
  runtime: TwilioRuntime,
  spec: ResourceSpec<Data, Sent>,
): void {
  const does = new Set(spec.operations);
  const one = `${spec.path}/:sid`;
  const handle = (operation: Operation, action: (call: Call) => Response) => (c: Context<KernelEnv>) => {
    const verb = operation === "remove" ? "Delete" : operation.charAt(0).toUpperCase() + operation.slice(1);
    c.env.exchange.note("operation", `${verb}${spec.name}`);
    return action(callOf(runtime, c, { test: spec.test === true && operation === "create" }));
  };
  for (const path of pathsOf(spec.path)) {
    if (does.has("create"))
      app.post(
        path,
        handle("create", (call) => create(call, spec)),
      );
    if (does.has("list"))
      app.get(
        path,
        handle("list", (call) => list(call, spec)),
      );
  }
  if (does.has("fetch"))
    app.get(
      one,
      handle("fetch", (call) => respondOne(call, spec, findOne(call, spec), 200)),
    );
  if (does.has("update"))
    app.post(
      one,
      handle("update", (call) => update(call, spec)),
    );
  if (does.has("remove"))
    app.delete(
      one,
      handle("remove", (call) => remove(call, spec)),
    );
}

function create<Data extends object, Sent extends object>(call: Call, spec: ResourceSpec<Data, Sent>): Response {
  const parent = spec.parent?.(call) ?? call.account.sid;
  const reading = readParameters(spec.parameters, call.form);
  if (!reading.ok) throw failure(spec.refused?.(reading.problem) ?? reading.problem);
  const { data, key = null, sid: given } = spec.prepare(call, reading.value);
  const resource = call.runtime.store.write(() =>
    makeResource(call, spec.kind, { parent, key, data, sid: given }, (made) => spec.stored?.(call, made)),
  );
  call.exchange.note("resource", resource.sid);
  return respondOne(call, spec, resource, spec.createStatus ?? 201, true);
}

/** Inside a write: keeps a new resource, unless test credentials asked for it. */
export function makeResource<Data>(
  { runtime, exchange, account }: Pick<Call, "runtime" | "account"> & { readonly exchange: Pick<Exchange, "at"> },
  kind: Kind<Data>,
  from: {
    readonly parent: string;
    readonly key?: string | null;
    readonly data: Data;
    readonly sid?: string | undefined;
  },
  stored?: (resource: Resource<Data>) => void,
): Resource<Data> {
  const { parent, key = null, data } = from;
  const sid =
    from.sid ??
    `${kind.prefix}${runtime.ids.derive(`twilio.${kind.name}`, [account.sid, parent, JSON.stringify(data)]).hex(32)}`;
  const at = exchange.at;
  const resource: Resource<Data> = { sid, accountSid: account.sid, parent, key, createdAt: at, updatedAt: at, data };
  if (account.test === 1) return resource;
  runtime.state.addResource(kind, resource);
  runtime.journal.append("change", sid, { resource: kind.name, change: "created" });
  stored?.(resource);
  return resource;
}

function list<Data extends object, Sent extends object>(call: Call, spec: ResourceSpec<Data, Sent>): Response {
  const parent = spec.parent?.(call) ?? call.account.sid;
  const filters = Object.entries(spec.filters ?? {});
  const path = pathIn(call, spec.path);
  const suffix = spec.domain === undefined && !wantsXml(call.exchange) ? ".json" : "";
  const { records, frame } = readPage<Resource<Data>>(call, `${path}${suffix}`, {
    filters: filters.map(([name]) => name),
    each: eachOf(call, spec.kind, { parent }, spec.oldestFirst?.(call) ?? false),
    keep: (resource) =>
      (spec.belongs?.(resource, call) ?? true) &&
      filters.every(([name, agrees]) => {
        const value = call.query.get(name);
        return value === null || value === "" || agrees(resource, value, call);
      }),
    sid: ({ sid }) => sid,
  });
  return respondList(
    call,
    spec,
    frame,
    records.map((resource) => renderOne(call, spec, resource, false)),
  );
}

/** Answers a page of any records in the envelope of the API. */
export function respondList(
  call: Call,
  spec: { readonly domain?: string; readonly list: string; readonly name: string },
  frame: PageFrame,
  records: readonly Shown[],
): Response {
  const { exchange } = call;
  if (spec.domain !== undefined)
    return respondJson(exchange, spec.domain, 200, productPage(frame, exchange.base, spec.list, records));
  return respond(exchange, 200, {
    json: () => page2010(frame, spec.list, records),
    xml: () => page2010Xml(frame, spec.list, spec.name, records),
  });
}

export function findOne<Data extends object, Sent extends object>(
  call: Call,
  spec: ResourceSpec<Data, Sent>,
): Resource<Data> {
  const parent = spec.parent?.(call) ?? call.account.sid;
  const name = call.param("sid");
  call.exchange.note("resource", name);
  const found = spec.find?.(call, name) ?? call.runtime.state.resource(spec.kind, name);
  if (found?.parent !== parent || !(spec.belongs?.(found, call) ?? true))
    reject("notFound", resourcePath(call.exchange));
  return found;
}

function update<Data extends object, Sent extends object>(call: Call, spec: ResourceSpec<Data, Sent>): Response {
  const before = findOne(call, spec);
  // Everything that a spec accepts by name is kept under that name, so what is kept is what an update starts from.
  const reading = readParameters(spec.parameters, call.form, before.data as object as Sent);
  if (!reading.ok) throw failure(spec.refused?.(reading.problem) ?? reading.problem);
  const revised = spec.revise?.(call, before, reading.value) ?? { data: { ...before.data, ...reading.value } };
  const after = changeResource(call, spec.kind, before, revised, (changed) => spec.changed?.(call, changed, before));
  return respondOne(call, spec, after, 200);
}

/** Writes a resource's new data. */
export function changeResource<Data>(
  { runtime, exchange }: Pick<Call, "runtime" | "exchange">,
  kind: Kind<Data>,
  before: Resource<Data>,
  { data, key = before.key, parent = before.parent, accountSid = before.accountSid }: Revision<Data>,
  changed?: (resource: Resource<Data>) => void,
): Resource<Data> {
  const after = { ...before, data, key, parent, accountSid, updatedAt: exchange.at };
  runtime.store.write(() => {
    runtime.state.changeResource(kind, after);
    runtime.journal.append("change", after.sid, { resource: kind.name, change: "updated" });
    changed?.(after);
  });
  return after;
}

function remove<Data extends object, Sent extends object>(call: Call, spec: ResourceSpec<Data, Sent>): Response {
  const resource = findOne(call, spec);
  const { runtime } = call;
  runtime.store.write(() => {
    spec.removing?.(call, resource);
    runtime.state.removeResource(spec.kind, resource.sid);
    runtime.journal.append("change", resource.sid, { resource: spec.kind.name, change: "deleted" });
  });
  return respondEmpty(call.exchange, spec.domain ?? apiDomain);
}

export function respondOne<Data extends object, Sent extends object>(
  call: Call,
  spec: ResourceSpec<Data, Sent>,
  resource: Resource<Data>,
  status: number,
  created = false,
): Response {
  return respondShown(call, spec, renderOne(call, spec, resource, created), status, created ? resource.sid : undefined);
}

export function respondShown(
  { exchange }: Pick<Call, "exchange">,
  spec: { readonly domain?: string; readonly name: string },
  body: Shown,
  status: number,
  createdSid?: string,
): Response {
  if (spec.domain !== undefined) return respondJson(exchange, spec.domain, status, JSON.stringify(body), createdSid);
  return respond(
    exchange,
    status,
    { json: () => spacedJson(body), xml: () => xmlDocument({ [spec.name]: body }) },
    createdSid,
  );
}

export function renderOne<Data extends object, Sent extends object>(
  call: Call,
  spec: ResourceSpec<Data, Sent>,
  resource: Resource<Data>,
  created: boolean,
): Shown {
  const is2010 = spec.domain === undefined;
  const date = is2010 ? rfc2822 : iso;
  const path = `${pathIn(call, spec.path)}/${resource.sid}`;
  const common: Shown = {
    sid: resource.sid,
    account_sid: resource.accountSid,
    date_created: date(resource.createdAt),
    date_updated: date(resource.updatedAt),
    ...(is2010 ? { uri: `${path}${wantsXml(call.exchange) ? "" : ".json"}` } : { url: `${call.exchange.base}${path}` }),
  };
  return shown(spec.shows, resource.data, { ...common, ...spec.view?.(resource, call, created) });
}

/** A path with this call's parameters filled in. */
export function pathIn(call: Call, path: string): string {
  return path.replace(/:([a-zA-Z]+)/g, (_, name: string) =>
    encodeURIComponent(name === "account" ? call.account.sid : call.param(name)),
  );
}
