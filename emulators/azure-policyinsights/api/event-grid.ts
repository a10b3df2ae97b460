/** Event Grid: system topics of policy states, and event subscriptions at a topic or straight at a scope. */
import type { Context, Hono } from "hono";
import type { KernelEnv, Runtime } from "../../kernel/emulator.ts";
import { answer } from "../../kernel/exchange.ts";
import { answerArm } from "../arm.ts";
import { isKnownOperator } from "../domain/event-filter.ts";
import { type EventSubscription, endpointOf } from "../domain/event-subscription.ts";
import { type Json, list, member, record, text } from "../domain/json.ts";
import { reject } from "../errors.ts";
import {
  beginHandshake,
  eventSubscriptionOf,
  eventSubscriptions,
  finishHandshake,
  keepEventSubscription,
  sayGoodbye,
} from "../event-grid.ts";
import type { AzureState } from "../store.ts";
import { renderEventSubscription, renderSystemTopic } from "../wire/event-grid.ts";
import { bodyOf } from "./body.ts";
import { type ArmRequest, eventGridVersions, readRequest, subscriptionOf } from "./request.ts";
import { idOf } from "./scopes.ts";

const provider = "providers/microsoft.eventgrid";
const subscription = "/subscriptions/:subscription";
const group = `${subscription}/resourcegroups/:group`;
const managementGroup = "/providers/microsoft.management/managementgroups/:managementGroup";
const topicType = "microsoft.policyinsights.policystates";

export function eventGrid(app: Hono<KernelEnv>, runtime: Runtime<AzureState>): void {
  const topics = `${group}/${provider}/systemtopics`;
  app.get(topics, (c) => listTopics(c, runtime));
  app.get(`${subscription}/${provider}/systemtopics`, (c) => listTopics(c, runtime));
  app.get(`${topics}/:topic`, (c) => readTopic(c, runtime));
  app.put(`${topics}/:topic`, (c) => writeTopic(c, runtime));
  app.patch(`${topics}/:topic`, (c) => patchTopic(c, runtime));
  app.delete(`${topics}/:topic`, (c) => removeTopic(c, runtime));
  for (const owner of [`${topics}/:topic`, `${subscription}/${provider}`, `${managementGroup}/${provider}`]) {
    const path = `${owner}/eventsubscriptions`;
    app.get(path, (c) => listAll(c, runtime));
    app.get(`${path}/:name`, (c) => answerArm(c.env.exchange, renderEventSubscription(found(c, runtime).subscription)));
    app.put(`${path}/:name`, (c) => write(c, runtime));
    app.patch(`${path}/:name`, (c) => patch(c, runtime));
    app.delete(`${path}/:name`, (c) => remove(c, runtime));
    app.post(`${path}/:name/getfullurl`, (c) =>
      answerArm(c.env.exchange, { endpointUrl: endpointOf(found(c, runtime, 1).subscription) }),
    );
    app.post(`${path}/:name/getdeliveryattributes`, (c) => {
      const destination = member(member(found(c, runtime, 1).subscription.properties, "destination"), "properties");
      return answerArm(c.env.exchange, { value: list(member(destination, "deliveryAttributeMappings")) });
    });
  }
  app.get(`${subscription}/${provider}/topictypes/:type/eventsubscriptions`, (c) => listAll(c, runtime));
  app.get("/eventsubscriptions/:name/validate", (c) => follow(c, runtime));
}

function asked(c: Context<KernelEnv>, runtime: Runtime<AzureState>): ArmRequest {
  const request = readRequest(c.env.exchange, runtime, eventGridVersions);
  if (request.segments[0]?.toLowerCase() === "subscriptions") subscriptionOf(request, runtime.state);
  c.env.exchange.note("operation", "eventGrid");
  return request;
}

function topicOf(state: AzureState, id: string): Json {
  const body = state.documents.find("systemTopic", id)?.body;
  return body === undefined || body === null ? undefined : JSON.parse(body);
}

function listTopics(c: Context<KernelEnv>, runtime: Runtime<AzureState>): Response {
  const { segments } = asked(c, runtime);
  const scope = `${idOf(segments.slice(0, -3)).toLowerCase()}/`;
  const value = runtime.state.documents
    .list("systemTopic")
    .flatMap(({ id, body }) => (body !== null && id.startsWith(scope) ? [JSON.parse(body)] : []));
  return answerArm(c.env.exchange, { value });
}

function readTopic(c: Context<KernelEnv>, runtime: Runtime<AzureState>): Response {
  const { segments } = asked(c, runtime);
  const topic = topicOf(runtime.state, idOf(segments));
  return topic === undefined ? missing(segments) : answerArm(c.env.exchange, topic);
}

function missing(segments: readonly string[]): never {
  return reject("ResourceNotFound", segments.slice(-3).join("/"));
}

function writeTopic(c: Context<KernelEnv>, runtime: Runtime<AzureState>): Response {
  const { segments } = asked(c, runtime);
  const { state, store, clock } = runtime;
  if (state.readings().resourceCode(idOf(segments.slice(0, 4))) === undefined)
    return reject("ResourceGroupNotFound", segments[3] ?? "");
  const id = idOf(segments);
  const topic = renderSystemTopic(id, bodyOf(c.env.exchange));
  if (topic.properties.topicType.toLowerCase() !== topicType)
    return reject(
      "InvalidRequest",
      `topicType '${topic.properties.topicType}' is not Microsoft.PolicyInsights.PolicyStates`,
    );
  scopeNamed(state, topic.properties.source);
  const known = topicOf(state, id) !== undefined;
  const at = clock.now();
  store.write(() =>
    state.documents.put("systemTopic", { id: id.toLowerCase(), body: JSON.stringify(topic), made: true, at }),
  );
  return answerArm(c.env.exchange, topic, known ? 200 : 201);
}

/** Tags are what may be changed of a topic. */
function patchTopic(c: Context<KernelEnv>, runtime: Runtime<AzureState>): Response {
  const { segments } = asked(c, runtime);
  const id = idOf(segments);
  const topic = topicOf(runtime.state, id);
  if (topic === undefined) return missing(segments);
  const changed = { ...record(topic), tags: record(bodyOf(c.env.exchange).tags) };
  const at = runtime.clock.now();
  runtime.store.write(() =>
    runtime.state.documents.put("systemTopic", { id: id.toLowerCase(), body: JSON.stringify(changed), made: true, at }),
  );
  return answerArm(c.env.exchange, changed);
}

function removeTopic(c: Context<KernelEnv>, runtime: Runtime<AzureState>): Response {
  const { segments } = asked(c, runtime);
  const { state, store, clock } = runtime;
  const id = idOf(segments).toLowerCase();
  if (topicOf(state, id) === undefined) return answerArm(c.env.exchange, undefined, 204);
  store.write(() => {
    state.documents.put("systemTopic", { id, body: null, made: true, at: clock.now() });
    for (const each of eventSubscriptions(state)) if (each.id.toLowerCase().startsWith(`${id}/`)) drop(runtime, each);
  });
  return answerArm(c.env.exchange, undefined);
}

/** As events name a source that is a subscription or a management group. @throws ArmError 400 */
function scopeNamed({ tenant, readings }: AzureState, source: string): string {
  const { subscriptions } = readings().estate;
  const id = /^\/subscriptions\/([0-9a-f-]{36})$/i.exec(source)?.[1]?.toLowerCase();
  if (id !== undefined && subscriptions.some((each) => each.id === id)) return `/subscriptions/${id}`;
  const name = /\/providers\/microsoft\.management\/managementgroups\/([^/]+)$/i.exec(source)?.[1]?.toLowerCase();
  const known = subscriptions
    .flatMap(({ managementGroups }) => managementGroups)
    .find((each) => each.toLowerCase() === name);
  if (known !== undefined)
    return `/tenants/${tenant().tenantId}/providers/Microsoft.Management/managementGroups/${known}`;
  return reject(
    "InvalidRequest",
    `'${source}' is neither a subscription nor a management group that sends policy events`,
  );
}

/** `tail`: segments behind the name. */
function found(c: Context<KernelEnv>, runtime: Runtime<AzureState>, tail = 0) {
  const { segments } = asked(c, runtime);
  const own = tail === 0 ? segments : segments.slice(0, -tail);
  const known = eventSubscriptionOf(runtime.state, idOf(own));
  return { segments: own, subscription: known ?? missing(own) };
}

function listAll(c: Context<KernelEnv>, runtime: Runtime<AzureState>): Response {
  const { segments } = asked(c, runtime);
  const byType = segments.at(-3)?.toLowerCase() === "topictypes";
  const prefix = `${idOf(byType ? segments.slice(0, 2) : segments).toLowerCase()}/`;
  const wanted = !byType || segments.at(-2)?.toLowerCase() === topicType;
  const value = eventSubscriptions(runtime.state).filter((each) => wanted && each.id.toLowerCase().startsWith(prefix));
  return answerArm(c.env.exchange, { value: value.map(renderEventSubscription) });
}

function write(c: Context<KernelEnv>, runtime: Runtime<AzureState>): Response {
  const { segments } = asked(c, runtime);
  const { exchange } = c.env;
  const { state } = runtime;
  const id = idOf(segments);
  const topic = idOf(segments.slice(0, -2));
  const isOfTopic = segments.at(-4)?.toLowerCase() === "systemtopics";
  const source = isOfTopic
    ? text(member(topicOf(state, topic) ?? missing(segments.slice(0, -2)), "properties"), "source")
    : idOf(segments.slice(0, -4));
  const properties = checked({ ...defaults, ...record(bodyOf(exchange).properties) }, state.strict());
  const known = eventSubscriptionOf(state, id);
  const made = settle(runtime, exchange.base, known, {
    id,
    name: segments.at(-1) ?? "",
    type: isOfTopic ? "Microsoft.EventGrid/systemTopics/eventSubscriptions" : "Microsoft.EventGrid/eventSubscriptions",
    topic: scopeNamed(state, source),
    properties,
  });
  return answerArm(exchange, renderEventSubscription(made), 201, state.strict() ? {} : { "retry-after": "1" });
}

function patch(c: Context<KernelEnv>, runtime: Runtime<AzureState>): Response {
  const { exchange } = c.env;
  const { subscription: known } = found(c, runtime);
  // Unlike PUT, its members stand without `properties`.
  const properties = checked({ ...known.properties, ...bodyOf(exchange) }, runtime.state.strict());
  const made = settle(runtime, exchange.base, known, { ...known, properties });
  return answerArm(exchange, renderEventSubscription(made), 201, runtime.state.strict() ? {} : { "retry-after": "1" });
}

const defaults: { readonly [name: string]: Json } = {
  eventDeliverySchema: "EventGridSchema",
  labels: [],
  filter: { subjectBeginsWith: "", subjectEndsWith: "" },
  retryPolicy: { maxDeliveryAttempts: 30, eventTimeToLiveInMinutes: 1440 },
};

/** @throws ArmError 400 */
function checked(properties: { readonly [name: string]: Json }, strict: boolean): { readonly [name: string]: Json } {
  const destination = member(properties, "destination");
  if (text(destination, "endpointType").toLowerCase() !== "webhook")
    reject(
      "InvalidRequest",
      `endpointType '${text(destination, "endpointType")}' is not WebHook, the one that is emulated`,
    );
  const url = URL.parse(text(member(destination, "properties"), "endpointUrl"));
  if (!url || !["https:", "http:"].includes(url.protocol))
    return reject("InvalidRequest", "the destination's endpointUrl is missing or is no address");
  if (strict && url.protocol !== "https:")
    reject("InvalidRequest", "the destination's endpointUrl must be an https address");
  const schema = text(properties, "eventDeliverySchema");
  if (!["eventgridschema", "cloudeventschemav1_0"].includes(schema.toLowerCase()))
    reject("InvalidRequest", `eventDeliverySchema '${schema}' is neither EventGridSchema nor CloudEventSchemaV1_0`);
  for (const each of list(member(member(properties, "filter"), "advancedFilters")))
    if (!isKnownOperator(text(each, "operatorType")))
      reject("InvalidRequest", `'${text(each, "operatorType")}' is no operator of advanced filters`);
  return properties;
}

/** Keeps it; an address that has not said yes yet is asked. */
function settle(
  runtime: Runtime<AzureState>,
  base: string,
  known: EventSubscription | undefined,
  wanted: Pick<EventSubscription, "id" | "name" | "type" | "topic" | "properties">,
): EventSubscription {
  const same =
    known?.provisioningState === "Succeeded" &&
    endpointOf(known) === endpointOf({ ...known, ...wanted }) &&
    text(known.properties, "eventDeliverySchema") === text(wanted.properties, "eventDeliverySchema");
  const { store, ids, clock } = runtime;
  return store.write(() => {
    const validationCode = ids.derive("azure.event-validation", [wanted.id.toLowerCase(), clock.now()]).uuid();
    const query = `id=${validationCode}&subscription=${encodeURIComponent(wanted.id)}`;
    const made: EventSubscription = {
      ...wanted,
      provisioningState: same ? "Succeeded" : "Creating",
      validationCode: same ? known.validationCode : validationCode,
      validationUrl: same ? known.validationUrl : `${base}/eventsubscriptions/${wanted.name}/validate?${query}`,
    };
    keepEventSubscription(runtime, made);
    if (!same) beginHandshake(runtime, made);
    return made;
  });
}

function remove(c: Context<KernelEnv>, runtime: Runtime<AzureState>): Response {
  const { segments } = asked(c, runtime);
  const known = eventSubscriptionOf(runtime.state, idOf(segments));
  if (!known) return answerArm(c.env.exchange, undefined, 204);
  runtime.store.write(() => drop(runtime, known));
  return answerArm(c.env.exchange, undefined);
}

function drop(runtime: Runtime<AzureState>, subscription: EventSubscription): void {
  const id = subscription.id.toLowerCase();
  sayGoodbye(runtime, subscription);
  runtime.state.documents.put("eventSubscription", { id, body: null, made: true, at: runtime.clock.now() });
}

/** The address of a handshake, for receivers that cannot echo the code: whoever follows it in time consents. */
function follow(c: Context<KernelEnv>, runtime: Runtime<AzureState>): Response {
  const { exchange } = c.env;
  exchange.note("operation", "eventGrid.validate");
  const query = new URL(c.req.url).searchParams;
  const subscription = eventSubscriptionOf(runtime.state, query.get("subscription") ?? "");
  if (!subscription || subscription.validationCode !== query.get("id")) return reject("ResourceNotFound", c.req.path);
  if (subscription.provisioningState === "Failed")
    return reject("InvalidRequest", "the validation address has expired");
  if (subscription.provisioningState !== "Succeeded")
    runtime.store.write(() => finishHandshake(runtime, subscription, "Succeeded"));
  return answer(exchange, 200, '"Webhook successfully validated as a subscription endpoint."', {
    "content-type": "application/json; charset=utf-8",
    // CloudEvents receivers call back to give their consent, and some ask for the rate that was granted.
    "webhook-allowed-origin": "eventgrid.azure.net",
    "webhook-allowed-rate": "*",
  });
}
