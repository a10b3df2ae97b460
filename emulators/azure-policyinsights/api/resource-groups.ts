/** Resource groups, which are resources themselves: policies look at their names, locations and tags. */
import type { Context, Hono } from "hono";
import type { KernelEnv, Runtime } from "../../kernel/emulator.ts";
import { answerArm } from "../arm.ts";
import { record } from "../domain/json.ts";
import { reject } from "../errors.ts";
import { readListFilter } from "../odata/list-filter.ts";
import { readTop } from "../odata/options.ts";
import type { AzureState } from "../store.ts";
import { renderResourceGroup } from "../wire/directory.ts";
import { bodyOf } from "./body.ts";
import { announceGone } from "./evaluating.ts";
import { admit } from "./policy-gate.ts";
import { armVersions, readRequest, subscriptionOf } from "./request.ts";
import { evaluateResource, hasTag, merged, placeIn, rowsBetween, wholeOf } from "./resources.ts";
import { idOf } from "./scopes.ts";

const groups = "/subscriptions/:subscription/resourcegroups";
/** As policies name it; the group itself says `Microsoft.Resources/resourceGroups`. */
const typeName = "Microsoft.Resources/subscriptions/resourceGroups";

export function resourceGroups(app: Hono<KernelEnv>, runtime: Runtime<AzureState>): void {
  app.get(groups, (c) => listAll(c, runtime));
  app.get(`${groups}/:group`, (c) => read(c, runtime));
  app.put(`${groups}/:group`, (c) => write(c, runtime, false));
  app.patch(`${groups}/:group`, (c) => write(c, runtime, true));
  app.delete(`${groups}/:group`, (c) => remove(c, runtime));
}

function listAll(c: Context<KernelEnv>, runtime: Runtime<AzureState>): Response {
  const request = readRequest(c.env.exchange, runtime, armVersions);
  const { estate } = runtime.state.readings();
  const subscription = estate.subscriptions[subscriptionOf(request, runtime.state)];
  const filter = readListFilter(request.query, { names: ["tagName", "tagValue"] });
  const value = estate.groups.slice(subscription?.groups.first, subscription?.groups.end).flatMap((group) => {
    // A group that was deleted keeps its place in the columns, without itself in it.
    if (group.resources.first === group.resources.end) return [];
    const { body } = wholeOf(runtime, group.resources.first);
    const shown = renderResourceGroup(group.name, subscription?.id ?? "", body);
    return hasTag(filter, () => shown.tags) ? [shown] : [];
  });
  return answerArm(c.env.exchange, { value: value.slice(0, readTop(request.query)) });
}

/** The group that a path names, as far as there is one. */
function asked(c: Context<KernelEnv>, runtime: Runtime<AzureState>) {
  const request = readRequest(c.env.exchange, runtime, armVersions);
  const subscription = subscriptionOf(request, runtime.state);
  const readings = runtime.state.readings();
  const { estate } = readings;
  const id = idOf(request.segments).toLowerCase();
  const code = readings.resourceCode(id);
  const name = request.segments[3] ?? "";
  const subscriptionId = estate.subscriptions[subscription]?.id ?? "";
  const group = code === undefined ? undefined : estate.resources.group[code];
  const known =
    code === undefined
      ? undefined
      : renderResourceGroup(estate.groups[group ?? 0]?.name ?? name, subscriptionId, wholeOf(runtime, code).body);
  return { id, code, name, subscription, subscriptionId, group, known };
}

function read(c: Context<KernelEnv>, runtime: Runtime<AzureState>): Response {
  const { name, known } = asked(c, runtime);
  if (!known) return reject("ResourceGroupNotFound", name);
  // Whoever asks only whether it is there is told so without a body: clients take no 200.
  return c.env.exchange.method === "HEAD"
    ? answerArm(c.env.exchange, undefined, 204)
    : answerArm(c.env.exchange, known);
}

function write(c: Context<KernelEnv>, runtime: Runtime<AzureState>, patch: boolean): Response {
  const { state, store, clock } = runtime;
  const { id, code, name, subscription, subscriptionId, group, known } = asked(c, runtime);
  if (patch && !known) return reject("ResourceGroupNotFound", name);
  const given = patch ? merged(known, bodyOf(c.env.exchange)) : bodyOf(c.env.exchange);
  const location = placeIn(given);
  if (location === "") reject("InvalidRequestContent", "'location' is missing");
  if (known && known.location !== location) reject("InvalidResourceGroupLocation", location, known.location);
  const shown = renderResourceGroup(known?.name ?? name, subscriptionId, { ...record(given), location });
  const admitted = admit(
    runtime,
    { subscription, group, key: "group" },
    {
      id: shown.id,
      name: shown.name,
      type: typeName,
      location,
      body: shown,
      related: {},
      groupLocation: location,
      groupName: shown.name,
    },
  );
  const seeded = code !== undefined && !state.readings().estate.named.has(code);
  store.write(() => {
    const at = clock.now();
    const own = { name: shown.name, location };
    if (!seeded) state.documents.put("group", { id, body: JSON.stringify(own), made: true, at });
    // The group is itself a resource, but not one that adds to the estate.
    const body = JSON.stringify({ ...record(admitted), related: {} });
    state.documents.put("resource", { id, body, made: false, at });
    evaluateResource(runtime, id);
  });
  return answerArm(c.env.exchange, admitted, known ? 200 : 201);
}

function remove(c: Context<KernelEnv>, runtime: Runtime<AzureState>): Response {
  const { state, store, clock } = runtime;
  const { id, name, group, known } = asked(c, runtime);
  if (!known) return reject("ResourceGroupNotFound", name);
  const before = state.readings();
  const { first, end } = before.estate.groups[group ?? 0]?.resources ?? { first: 0, end: 0 };
  store.write(() => {
    state.documents.put("group", { id, body: null, made: false, at: clock.now() });
    announceGone(runtime, before, rowsBetween(before.estate, first, end));
  });
  return answerArm(c.env.exchange, undefined, 200);
}
