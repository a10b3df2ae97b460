/** Webhooks of one conversation, and what they are told. */
import type { Hono } from "hono";
import type { KernelEnv } from "../../kernel/emulator.ts";
import { type ConversationData, type WebhookSent, webhookParameters } from "../domain/conversation.ts";
import { type ConversationMessageData, conversationWebhook } from "../kinds-conversations.ts";
import type { Resource } from "../store-resources.ts";
import { twilioCallback } from "../wire/callback.ts";
import { iso } from "../wire/dates.ts";
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

/** Inside a write. Writes through the API tell webhooks only when their header asks for it. */
export function tellWebhooks(
  call: Call,
  held: Resource<ConversationData>,
  message: Resource<ConversationMessageData>,
): void {
  const { runtime, exchange } = call;
  if (exchange.header("x-twilio-webhook-enabled")?.toLowerCase() !== "true") return;
  for (const { data } of runtime.state.resourcesOf(conversationWebhook, held.sid)) {
    const wanted =
      data.Target === "trigger"
        ? data["Configuration.Triggers"].some((word) => message.data.Body?.includes(word))
        : data.Target === "webhook" && data["Configuration.Filters"].includes("onMessageAdded");
    const url = data["Configuration.Url"];
    if (!wanted || url === null) continue;
    runtime.outbox.callback(
      twilioCallback({
        type: "conversation.onMessageAdded",
        subject: message.sid,
        accountSid: message.accountSid,
        occurredAt: exchange.at,
        method: data["Configuration.Method"] === "GET" ? "GET" : "POST",
        url,
        parameters: [
          ["AccountSid", message.accountSid],
          ["EventType", "onMessageAdded"],
          ["Source", "API"],
          ["ConversationSid", held.sid],
          ["ChatServiceSid", held.parent],
          ["MessageSid", message.sid],
          ["Index", String(message.data.index)],
          ["DateCreated", iso(exchange.at)],
          ["Body", message.data.Body ?? ""],
          ["Author", message.data.Author],
          ["ParticipantSid", message.data.participantSid ?? ""],
          ["Attributes", message.data.Attributes],
        ],
      }),
    );
  }
}
