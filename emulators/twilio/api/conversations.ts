/** Conversations themselves, in the account's tree and in each service's. */
import type { Hono } from "hono";
import type { KernelEnv } from "../../kernel/emulator.ts";
import type { Timer } from "../../kernel/timers.ts";
import {
  type ConversationData,
  type ConversationSent,
  conversationParameters,
  deadlines,
} from "../domain/conversation.ts";
import { reject } from "../errors.ts";
import { conversation, conversationMessage, conversationParticipant } from "../kinds-conversations.ts";
import type { Resource } from "../store-resources.ts";
import { iso } from "../wire/dates.ts";
import type { Call, TwilioRuntime } from "./call.ts";
import { mountConversationMessages } from "./conversation-messages.ts";
import { mountConversationParticipants } from "./conversation-participants.ts";
import { conversationNamed, conversationServiceSpec, conversationsDomain, serviceOf } from "./conversation-services.ts";
import { mountConversationUsers } from "./conversation-users.ts";
import {
  type Happening,
  mountConversationWebhooks,
  sendToWebhooks,
  stateUpdated,
  tellWebhooks,
} from "./conversation-webhooks.ts";
import { mountResource, type ResourceSpec } from "./resource.ts";

export const conversationTimer = "twilio.conversation";

export function mountConversations(app: Hono<KernelEnv>, runtime: TwilioRuntime): void {
  mountResource(app, runtime, conversationServiceSpec);
  for (const tree of ["/v1", "/v1/Services/:service"]) {
    mountResource(app, runtime, specIn(tree));
    mountConversationParticipants(app, runtime, tree);
    mountConversationMessages(app, runtime, tree);
    mountConversationWebhooks(app, runtime, tree);
    mountConversationUsers(app, runtime, tree);
  }
}

function specIn(tree: string): ResourceSpec<ConversationData, ConversationSent> {
  return {
    kind: conversation,
    name: "Conversation",
    path: `${tree}/Conversations`,
    domain: conversationsDomain,
    list: "conversations",
    operations: ["create", "list", "fetch", "update", "remove"],
    parameters: conversationParameters,
    shows: [
      ...[
        "account_sid",
        "chat_service_sid",
        "messaging_service_sid",
        "sid",
        "friendly_name",
        "unique_name",
        "attributes",
      ],
      ...["state", "date_created", "date_updated", "timers", "url", "links", "bindings"],
    ],
    parent: serviceOf,
    find: (call, name) => conversationNamed(call, serviceOf(call), name),
    prepare(call, sent) {
      const key = keyOf(call, sent);
      return { data: { ...sent, ...deadlines(sent, call.exchange.at), nextIndex: 0 }, key };
    },
    revise(call, before, sent) {
      const key = keyOf(call, sent, before.sid);
      return { data: { ...before.data, ...sent, ...deadlines(sent, call.exchange.at) }, key };
    },
    stored: ({ runtime }, made) => schedule(runtime, made),
    changed(call, changed, before) {
      schedule(call.runtime, changed);
      tellWebhooks(call, changed, happened("onConversationUpdated", changed));
      if (changed.data.State !== before.data.State) tellWebhooks(call, changed, stateUpdated(before, changed, "API"));
    },
    removing(call, held) {
      const { runtime } = call;
      const { sid } = held;
      tellWebhooks(call, held, happened("onConversationRemoved", held));
      runtime.timers.cancel(conversationTimer, sid);
      for (const kind of [conversationParticipant, conversationMessage])
        for (const one of runtime.state.resourcesOf<object>(kind, sid)) runtime.state.removeResource(kind, one.sid);
    },
    view: (one, call) => conversationView(one, `${call.exchange.base}${tree.replace(":service", one.parent)}`),
    filters: {
      State: ({ data }, value) => data.State === value,
      StartDate: ({ createdAt }, value) => createdAt >= Date.parse(value),
      EndDate: ({ createdAt }, value) => createdAt <= Date.parse(value.length === 10 ? `${value}T23:59:59Z` : value),
    },
  };
}

function happened(event: Happening["event"], { sid, updatedAt, data }: Resource<ConversationData>): Happening {
  return {
    event,
    subject: sid,
    parameters: [
      ["DateUpdated", iso(updatedAt)],
      ["FriendlyName", data.FriendlyName ?? ""],
      ["UniqueName", data.UniqueName ?? ""],
      ["Attributes", data.Attributes],
      ["State", data.State],
    ],
  };
}

function conversationView({ sid, parent, data }: Resource<ConversationData>, base: string) {
  const url = `${base}/Conversations/${sid}`;
  return {
    chat_service_sid: parent,
    unique_name: data.UniqueName,
    timers: {
      ...(data.inactiveAt === null ? {} : { date_inactive: iso(data.inactiveAt) }),
      ...(data.closedAt === null ? {} : { date_closed: iso(data.closedAt) }),
    },
    url,
    links: {
      participants: `${url}/Participants`,
      messages: `${url}/Messages`,
      webhooks: `${url}/Webhooks`,
      export: `${url}/Export`,
    },
    bindings:
      data["Bindings.Email.Address"] === null
        ? {}
        : { email: { address: data["Bindings.Email.Address"], name: data["Bindings.Email.Name"] } },
  };
}

function keyOf(call: Call, { UniqueName }: ConversationSent, own?: string): string | null {
  if (UniqueName === null || UniqueName === "") return null;
  const key = `${serviceOf(call)}/${UniqueName}`;
  const known = call.runtime.state.resourceByKey(conversation, key);
  if (known && known.sid !== own) reject("uniqueName");
  return key;
}

function schedule(runtime: TwilioRuntime, { sid, data }: Resource<ConversationData>): void {
  const due = Math.min(data.inactiveAt ?? Number.POSITIVE_INFINITY, data.closedAt ?? Number.POSITIVE_INFINITY);
  if (Number.isFinite(due)) runtime.timers.schedule({ kind: conversationTimer, subject: sid, due });
  else runtime.timers.cancel(conversationTimer, sid);
}

/** A timer of kind `twilio.conversation` fell due: it falls silent, or closes. */
export function ageConversation(runtime: TwilioRuntime, { subject, due }: Timer): void {
  const found = runtime.state.resource(conversation, subject);
  if (!found) return;
  const closes = found.data.closedAt !== null && found.data.closedAt <= due;
  const data: ConversationData = closes
    ? { ...found.data, State: "closed", inactiveAt: null, closedAt: null }
    : { ...found.data, State: "inactive", inactiveAt: null };
  const after = { ...found, updatedAt: due, data };
  runtime.state.changeResource(conversation, after);
  runtime.journal.append("change", subject, { resource: "conversation", status: data.State });
  sendToWebhooks(runtime, after, stateUpdated(found, after, "TIMER"), due);
  schedule(runtime, after);
}
