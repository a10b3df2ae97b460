/** Webhooks of one conversation, and what they are told. */
import type { Hono } from "hono";
import type { KernelEnv } from "../../kernel/emulator.ts";
import {
  type ConversationData,
  type WebhookEvent,
  type WebhookSent,
  webhookParameters,
} from "../domain/conversation.ts";
import { conversationWebhook } from "../kinds-conversations.ts";
import type { Resource } from "../store-resources.ts";
import { twilioCallback } from "../wire/callback.ts";
import type { Call, TwilioRuntime } from "./call.ts";
import { conversationOf, conversationsDomain } from "./conversation-services.ts";
import { mountResource } from "./resource.ts";

export function mountConversationWebhooks(app: Hono<KernelEnv>, runtime: TwilioRuntime, tree: string): void {
  mountResource<WebhookSent, WebhookSent>(app, runtime, {
    kind: conversationWebhook,
    name: "ConversationScopedWebhook",
    path: `${tree}/Conversations/:conversation/Webhooks`,
    domain: conversationsDomain,
    list: "webhooks",
    operations: ["create", "list", "fetch", "update", "remove"],
    parameters: webhookParameters,
    shows: [
      ...["sid", "account_sid", ...(tree === "/v1" ? [] : ["chat_service_sid"]), "conversation_sid", "target", "url"],
      ...["configuration", "date_created", "date_updated"],
    ],
    parent: (call) => conversationOf(call).sid,
    prepare: (_call, data) => ({ data }),
    view(one, call) {
      const { parent: serviceSid } = conversationOf(call);
      const base = `${call.exchange.base}${tree.replace(":service", serviceSid)}`;
      return {
        chat_service_sid: serviceSid,
        conversation_sid: one.parent,
        url: `${base}/Conversations/${one.parent}/Webhooks/${one.sid}`,
        configuration: {
          url: one.data["Configuration.Url"],
          method: one.data["Configuration.Method"],
          ...(one.data.Target === "studio"
            ? { flow_sid: one.data["Configuration.FlowSid"] }
            : { filters: one.data["Configuration.Filters"], triggers: one.data["Configuration.Triggers"] }),
        },
      };
    },
  });
}

/** What has happened in a conversation, as its webhooks are told of it. */
export interface Happening {
  readonly event: WebhookEvent;
  /** The message, participant or conversation it happened to. */
  readonly subject: string;
  /** What somebody said just now: triggers listen for words in it. */
  readonly said?: string | null;
  readonly parameters: readonly (readonly [string, string])[];
}

/** Inside a write. Writes through the API tell webhooks only when their header asks for it. */
export function tellWebhooks(call: Call, held: Resource<ConversationData>, happening: Happening): void {
  const { runtime, exchange } = call;
  if (exchange.header("x-twilio-webhook-enabled")?.toLowerCase() !== "true") return;
  const parameters = [["Source", "API"] as const, ...happening.parameters];
  sendToWebhooks(runtime, held, { ...happening, parameters }, exchange.at);
}

/** Inside a write. */
export function sendToWebhooks(
  runtime: TwilioRuntime,
  held: Resource<ConversationData>,
  { event, subject, said, parameters }: Happening,
  at: number,
): void {
  for (const { data } of runtime.state.resourcesOf(conversationWebhook, held.sid)) {
    const wanted =
      data.Target === "trigger"
        ? event === "onMessageAdded" && data["Configuration.Triggers"].some((word) => said?.includes(word))
        : data.Target === "webhook" && data["Configuration.Filters"].includes(event);
    const url = data["Configuration.Url"];
    if (!wanted || url === null) continue;
    runtime.outbox.callback(
      twilioCallback({
        type: `conversation.${event}`,
        subject,
        accountSid: held.accountSid,
        occurredAt: at,
        method: data["Configuration.Method"] === "GET" ? "GET" : "POST",
        url,
        parameters: [
          ["AccountSid", held.accountSid],
          ["EventType", event],
          ["ConversationSid", held.sid],
          ["ChatServiceSid", held.parent],
          ...parameters,
        ],
      }),
    );
  }
}

/** Of a state that changed, and why: the API, a message, or a timer. */
export function stateUpdated(
  before: Resource<ConversationData>,
  after: Resource<ConversationData>,
  reason: "API" | "EVENT" | "TIMER",
): Happening {
  return {
    event: "onConversationStateUpdated",
    subject: after.sid,
    parameters: [
      ["StateFrom", before.data.State],
      ["StateTo", after.data.State],
      ["Reason", reason],
    ],
  };
}
