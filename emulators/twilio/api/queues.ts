/** Queues and the calls that wait in them. */
import type { Hono } from "hono";
import type { KernelEnv } from "../../kernel/emulator.ts";
import { isWebhookUrl } from "../domain/message-draft.ts";
import { type Parameters, required, text, whole } from "../domain/parameters.ts";
import { reject, resourcePath } from "../errors.ts";
import { call as callKind, type MemberData, member, type QueueData, queue } from "../kinds.ts";
import type { Resource } from "../store-resources.ts";
import { rfc2822 } from "../wire/dates.ts";
import { wantsXml } from "../wire/headers.ts";
import type { Shown } from "../wire/resource.ts";
import type { Call, TwilioRuntime } from "./call.ts";
import { letGo } from "./call-last-action.ts";
import { askNext } from "./call-script.ts";
import { callOf, findOne, mountResource, type ResourceSpec, respondShown } from "./resource.ts";

const base = "/2010-04-01/Accounts/:account/Queues";

const queueParameters: Parameters<QueueData> = {
  FriendlyName: required(text("", 64)),
  MaxSize: whole(100, 1, 5_000),
};

const queueSpec: ResourceSpec<QueueData> = {
  kind: queue,
  name: "Queue",
  path: base,
  list: "queues",
  operations: ["create", "list", "fetch", "update", "remove"],
  parameters: queueParameters,
  shows: [
    ...["date_updated", "current_size", "friendly_name", "uri", "account_sid", "average_wait_time", "sid"],
    ...["date_created", "max_size"],
  ],
  prepare: (call, data) => ({ data, key: freeKey(call, data) }),
  revise: (call, { sid }, data) => ({ data, key: freeKey(call, data, sid) }),
  removing({ runtime }, { sid }) {
    if (runtime.state.countResources(member, sid) > 0) reject("queueNotEmpty");
  },
  view({ sid }, { runtime, exchange }) {
    const waits = runtime.state.resourcesOf(member, sid).map(({ createdAt }) => (exchange.at - createdAt) / 1_000);
    const total = waits.reduce((sum, wait) => sum + wait, 0);
    return { current_size: waits.length, average_wait_time: waits.length === 0 ? 0 : Math.round(total / waits.length) };
  },
};

/** Calls find a queue by its name, so no two of an account share one. */
function freeKey({ runtime, account }: Call, { FriendlyName }: QueueData, own?: string): string {
  const key = `${account.sid}/${FriendlyName}`;
  const known = runtime.state.resourceByKey(queue, key);
  if (known && known.sid !== own) reject("queueExists", FriendlyName);
  return key;
}

const memberSpec: ResourceSpec<MemberData, object> = {
  kind: member,
  name: "QueueMember",
  path: `${base}/:queue/Members`,
  list: "queue_members",
  operations: ["list", "fetch"],
  parameters: {},
  shows: ["call_sid", "date_enqueued", "position", "uri", "wait_time", "queue_sid"],
  parent: ({ runtime, exchange, account, param }) => {
    const found = runtime.state.resource(queue, param("queue"));
    return found?.accountSid === account.sid ? found.sid : reject("notFound", resourcePath(exchange));
  },
  prepare: () => reject("forbidden"),
  view: (waiting, call) => memberView(waiting, call),
  find: ({ runtime, param }, name) =>
    name === "Front" ? runtime.state.firstResource(member, param("queue")) : runtime.state.resourceByKey(member, name),
};

function memberView({ parent, createdAt, data }: Resource<MemberData>, { runtime, exchange, account }: Call): Shown {
  const all = runtime.state.resourcesOf(member, parent);
  const position = all.length - all.findIndex((one) => one.data.callSid === data.callSid);
  const end = wantsXml(exchange) ? "" : ".json";
  return {
    call_sid: data.callSid,
    date_enqueued: rfc2822(createdAt),
    position,
    uri: `/2010-04-01/Accounts/${account.sid}/Queues/${parent}/Members/${data.callSid}${end}`,
    wait_time: Math.round((exchange.at - createdAt) / 1_000),
    queue_sid: parent,
  };
}

export function mountQueues(app: Hono<KernelEnv>, runtime: TwilioRuntime): void {
  app.post(`${memberSpec.path}/:sid`, (c) => dequeue(callOf(runtime, c)));
  mountResource(app, runtime, memberSpec);
  mountResource(app, runtime, queueSpec);
}

/** Takes a call out of its queue and sends it to another document. */
function dequeue(call: Call): Response {
  const { runtime, exchange, form } = call;
  const { at } = exchange;
  exchange.note("operation", "UpdateQueueMember");
  const waiting = findOne(call, memberSpec);
  const url = form.get("Url") || reject("missingParameter", "Url");
  if (!isWebhookUrl(url)) reject("callUrlInvalid", url);
  const method = form.get("Method") === "GET" ? "GET" : "POST";
  const body = memberView(waiting, call);
  runtime.store.write(() => {
    const phoneCall = runtime.state.resource(callKind, waiting.data.callSid);
    if (phoneCall) askNext(runtime, letGo(runtime, phoneCall, at), { url, method, parameters: [], hops: 0 }, at);
  });
  return respondShown(call, memberSpec, body, 200);
}
