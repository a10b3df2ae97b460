/** Calls: making, listing, changing and removing them. */
import type { Hono } from "hono";
import type { KernelEnv } from "../../kernel/emulator.ts";
import { type CallData, isOver } from "../domain/call.ts";
import { optionProblem, planCall } from "../domain/call-draft.ts";
import { isWithin } from "../domain/paging.ts";
import { normalisePhone } from "../domain/phone-numbers.ts";
import { failure, reject } from "../errors.ts";
import { call as callKind } from "../kinds.ts";
import type { Resource } from "../store-resources.ts";
import { renderCall } from "../wire/call.ts";
import { wantsXml } from "../wire/headers.ts";
import type { Call, TwilioRuntime } from "./call.ts";
import { letGo } from "./call-last-action.ts";
import { beginCall, keepCall, limitFrom } from "./call-life.ts";
import { askNext, hangUp, runSource } from "./call-script.ts";
import { callingWorld } from "./calling-world.ts";
import { callOf, findOne, makeResource, mountResource, pathsOf, type ResourceSpec, respondShown } from "./resource.ts";
import { rememberCall } from "./usage-sums.ts";

const base = "/2010-04-01/Accounts/:account/Calls";
type CallFilter = (call: Resource<CallData>, value: string, request: Call) => boolean;

const within =
  (name: string, instant: (data: CallData) => number | null): CallFilter =>
  ({ data }, _value, { query }) =>
    isWithin(query, name, instant(data));
const started = within("StartTime", ({ startedAt }) => startedAt);
const ended = within("EndTime", ({ endedAt }) => endedAt);

const spec: ResourceSpec<CallData, object> = {
  kind: callKind,
  name: "Call",
  path: base,
  list: "calls",
  operations: ["list", "fetch", "remove"],
  parameters: {},
  shows: [
    ...["sid", "date_created", "date_updated", "parent_call_sid", "account_sid", "to", "to_formatted", "from"],
    ...["from_formatted", "phone_number_sid", "status", "start_time", "end_time", "duration", "price", "price_unit"],
    ...["direction", "answered_by", "api_version", "forwarded_from", "group_sid", "caller_name"],
    ...["queue_time", "trunk_sid", "uri", "subresource_uris"],
  ],
  prepare: () => reject("forbidden"),
  view: (call, { exchange }) => renderCall(call, wantsXml(exchange) ? "" : ".json"),
  removing({ runtime }, call) {
    if (!isOver(call.data.status)) reject("unfinished");
    rememberCall(runtime, call);
  },
  filters: {
    To: ({ data }, value) => data.to === (normalisePhone(value) ?? value),
    From: ({ data }, value) => data.from === (normalisePhone(value) ?? value),
    ParentCallSid: ({ data }, value) => data.parentCallSid === value,
    Status: ({ data }, value) => data.status === value,
    StartTime: started,
    "StartTime<": started,
    "StartTime>": started,
    EndTime: ended,
    "EndTime<": ended,
    "EndTime>": ended,
  },
};

export function mountCalls(app: Hono<KernelEnv>, runtime: TwilioRuntime): void {
  for (const path of pathsOf(base)) app.post(path, (c) => create(callOf(runtime, c, { test: true })));
  app.post(`${base}/:sid`, (c) => update(callOf(runtime, c)));
  mountResource(app, runtime, spec);
}

function create(request: Call): Response {
  const { runtime, exchange, account, form } = request;
  exchange.note("operation", "CreateCall");
  const planned = planCall(form, callingWorld(request));
  if (planned.tag === "rejected") throw failure(planned.problem);
  const { data } = planned;
  const sid = `CA${runtime.ids.derive("twilio.call", [account.sid, data.to, data.from, data.url ?? data.twiml]).hex(32)}`;
  const made = runtime.store.write(() => {
    if (data.statusCallback !== null) runtime.outbox.expectCallbacks();
    return makeResource(request, callKind, { parent: account.sid, data, sid }, (call) => beginCall(runtime, call));
  });
  exchange.note("resource", sid);
  return respondShown(request, spec, renderCall(made, wantsXml(exchange) ? "" : ".json", true), 201, sid);
}

/** Hangs up a call, or gives it something else to do. */
function update(request: Call): Response {
  const { runtime, exchange, form } = request;
  exchange.note("operation", "UpdateCall");
  const found = findOne(request, spec);
  const status = form.get("Status") || undefined;
  const url = form.get("Url") || undefined;
  const twiml = form.get("Twiml") || undefined;
  if (status !== undefined && status !== "canceled" && status !== "completed")
    reject("invalidParameter", "Status", status);
  const problem = optionProblem(form);
  if (problem) throw failure(problem);
  if (isOver(found.data.status)) reject("callState");
  const waits = found.data.status === "queued" || found.data.status === "ringing";
  if (status === "canceled" && !waits) reject("callState");
  runtime.store.write(() => {
    const call = keepCall(runtime, found, settingsIn(form), exchange.at);
    if (form.get("TimeLimit")) limitFrom(runtime, call, exchange.at);
    if (status !== undefined) hangUp(runtime, call, exchange.at);
    else if (url !== undefined || twiml !== undefined) redirect(request, call, url, twiml, waits);
  });
  return respondShown(
    request,
    spec,
    renderCall(runtime.state.resource(callKind, found.sid) ?? found, wantsXml(exchange) ? "" : ".json"),
    200,
  );
}

function settingsIn(form: URLSearchParams): Partial<CallData> {
  const given = <Name extends keyof CallData>(name: Name, parameter: string): Partial<CallData> => {
    const value = form.get(parameter);
    return value ? { [name]: value } : {};
  };
  return {
    ...given("fallbackUrl", "FallbackUrl"),
    ...given("fallbackMethod", "FallbackMethod"),
    ...given("statusCallback", "StatusCallback"),
    ...given("statusCallbackMethod", "StatusCallbackMethod"),
    ...(form.get("TimeLimit") ? { timeLimit: Number(form.get("TimeLimit")) } : {}),
  };
}

/** A call that is not answered yet will go where it is now told to; one under way goes there at once. */
function redirect(
  { runtime, exchange, form }: Call,
  call: Resource<CallData>,
  url: string | undefined,
  twiml: string | undefined,
  waits: boolean,
): void {
  const method = form.get("Method") === "GET" ? "GET" : "POST";
  const at = exchange.at;
  if (waits)
    keepCall(runtime, call, url === undefined ? { url: null, twiml: twiml ?? null } : { url, method, twiml: null }, at);
  else if (url !== undefined) askNext(runtime, letGo(runtime, call, at), { url, method, parameters: [], hops: 0 }, at);
  else runSource(runtime, letGo(runtime, call, at), twiml ?? "", at);
}
