/** Messages of a conversation; to participants with a number they go out as SMS, with receipts, and theirs come in. */
import type { Hono } from "hono";
import type { KernelEnv } from "../../kernel/emulator.ts";
import { type ConversationData, deadlines, type MessageSent, messageParameters } from "../domain/conversation.ts";
import type { Message } from "../domain/message.ts";
import { segmentsOf } from "../domain/message-draft.ts";
import { parseRecipient } from "../domain/phone-numbers.ts";
import { reject, resourcePath } from "../errors.ts";
import {
  type ConversationMessageData,
  conversation,
  conversationMessage,
  type ReceiptData,
  receipt,
} from "../kinds-conversations.ts";
import type { Resource } from "../store-resources.ts";
import { iso } from "../wire/dates.ts";
import type { Call, TwilioRuntime } from "./call.ts";
import { boundParticipant, participantsOf } from "./conversation-participants.ts";
import { conversationOf, conversationsDomain } from "./conversation-services.ts";
import { type Happening, sendToWebhooks, stateUpdated, tellWebhooks } from "./conversation-webhooks.ts";
import { draftedMessage, keepMessage } from "./message-making.ts";
import { makeResource, mountResource } from "./resource.ts";

type Kept = Resource<ConversationMessageData>;

export function mountConversationMessages(app: Hono<KernelEnv>, runtime: TwilioRuntime, tree: string): void {
  const ofService = tree === "/v1" ? [] : ["chat_service_sid"];
  const base = (call: Call, serviceSid: string, conversationSid: string) =>
    `${call.exchange.base}${tree.replace(":service", serviceSid)}/Conversations/${conversationSid}/Messages`;
  mountResource<ReceiptData, object>(app, runtime, {
    kind: receipt,
    name: "ConversationMessageReceipt",
    path: `${tree}/Conversations/:conversation/Messages/:message/Receipts`,
    domain: conversationsDomain,
    list: "delivery_receipts",
    operations: ["list", "fetch"],
    parameters: {},
    shows: [
      ...["account_sid", ...ofService, "conversation_sid", "sid", "message_sid", "channel_message_sid"],
      ...["participant_sid", "status", "error_code", "date_created", "date_updated", "url"],
    ],
    parent: (call) => messageOf(call).sid,
    prepare: () => reject("forbidden"),
    view(one, call) {
      const { parent: serviceSid } = conversationOf(call);
      const sent = call.runtime.state.message(one.data.messageSid);
      return {
        chat_service_sid: serviceSid,
        conversation_sid: one.data.conversationSid,
        message_sid: one.parent,
        channel_message_sid: one.data.messageSid,
        participant_sid: one.data.participantSid,
        status:
          sent && ["sent", "delivered", "failed", "undelivered", "read"].includes(sent.status) ? sent.status : "sent",
        error_code: sent?.errorCode ?? 0,
        url: `${base(call, serviceSid, one.data.conversationSid)}/${one.parent}/Receipts/${one.sid}`,
      };
    },
  });
  mountResource<ConversationMessageData, MessageSent>(app, runtime, {
    kind: conversationMessage,
    name: "ConversationMessage",
    path: `${tree}/Conversations/:conversation/Messages`,
    domain: conversationsDomain,
    list: "messages",
    operations: ["create", "list", "fetch", "update", "remove"],
    parameters: messageParameters,
    shows: [
      ...["account_sid", ...ofService, "conversation_sid", "sid", "index", "author", "body", "media", "attributes"],
      ...["participant_sid", "date_created", "date_updated", "url", "delivery", "links", "content_sid"],
    ],
    parent: (call) => conversationOf(call).sid,
    // https://www.twilio.com/docs/conversations/api/conversation-message-resource: in the order they were said.
    oldestFirst: ({ query }) => orderOf(query) === "asc",
    filters: { Order: () => true },
    prepare,
    stored,
    changed: (call, message) => tellWebhooks(call, conversationOf(call), happened("onMessageUpdated", message)),
    removing: (call, message) => tellWebhooks(call, conversationOf(call), happened("onMessageRemoved", message)),
    view({ sid, parent, data }, call) {
      const url = `${base(call, data.serviceSid, parent)}/${sid}`;
      return {
        chat_service_sid: data.serviceSid,
        conversation_sid: parent,
        index: data.index,
        media: null,
        participant_sid: data.participantSid,
        url,
        delivery: deliveryOf(call.runtime, sid),
        links: { delivery_receipts: `${url}/Receipts`, channel_metadata: `${url}/ChannelMetadata` },
      };
    },
  });
}

function orderOf(query: URLSearchParams): "asc" | "desc" {
  const asked = query.get("Order") || "asc";
  return asked === "asc" || asked === "desc" ? asked : reject("invalidParameter", "Order", asked);
}

function messageOf(call: Call): Kept {
  const found = call.runtime.state.resource(conversationMessage, call.param("message"));
  return found?.parent === conversationOf(call).sid ? found : reject("notFound", resourcePath(call.exchange));
}

function prepare(call: Call, sent: MessageSent) {
  const held = conversationOf(call);
  if (held.data.State === "closed") reject("conversationClosed");
  const author = participantsOf(call.runtime, held.sid).find(
    ({ data }) => data.Identity === sent.Author || data["MessagingBinding.Address"] === sent.Author,
  );
  const data = { ...sent, serviceSid: held.parent, index: held.data.nextIndex, participantSid: author?.sid ?? null };
  return { data };
}

function stored(call: Call, message: Kept): void {
  const held = conversationOf(call);
  spread(call.runtime, held, message, call.exchange.at);
  tellWebhooks(call, held, { ...happened("onMessageAdded", message), said: message.data.Body });
}

/**
 * Inside a write: what somebody sends to the number behind which their telephone takes part is said in the conversation, and
 * webhooks always hear of it. False when it takes part in none that is open.
 */
export function sayFromTelephone(runtime: TwilioRuntime, { accountSid, from, to, body, createdAt }: Message): boolean {
  if (from === null) return false;
  const account = runtime.state.account(accountSid);
  const bound = boundParticipant(runtime, accountSid, from, to);
  if (!account || !bound) return false;
  const { participant, held } = bound;
  const sent: MessageSent = { Author: from, Body: body, Attributes: "{}", MediaSid: null, ContentSid: null };
  const data = { ...sent, serviceSid: held.parent, index: held.data.nextIndex, participantSid: participant.sid };
  const by = { runtime, account, exchange: { at: createdAt } };
  const message = makeResource(by, conversationMessage, { parent: held.sid, data });
  spread(runtime, held, message, createdAt);
  const happening = happened("onMessageAdded", message);
  const source = ["Source", from.startsWith("whatsapp:") ? "WHATSAPP" : "SMS"] as const;
  const parameters = [source, ...happening.parameters];
  sendToWebhooks(runtime, held, { ...happening, parameters, said: body }, createdAt);
  return true;
}

/** The conversation wakes up and counts on; everybody but the author gets the message. */
function spread(runtime: TwilioRuntime, held: Resource<ConversationData>, message: Kept, at: number): void {
  const State = held.data.State === "inactive" ? "active" : held.data.State;
  const data: ConversationData = { ...held.data, State, nextIndex: held.data.nextIndex + 1 };
  const awake = { ...held, data: { ...data, ...deadlines(data, at) } };
  runtime.state.changeResource(conversation, awake);
  if (State !== held.data.State) sendToWebhooks(runtime, awake, stateUpdated(held, awake, "EVENT"), at);
  for (const one of participantsOf(runtime, held.sid)) {
    const to = parseRecipient(one.data["MessagingBinding.Address"] ?? "");
    const from = one.data["MessagingBinding.ProxyAddress"];
    if (to === undefined || from === null || one.sid === message.data.participantSid) continue;
    sendOn(runtime, message, { to, from, participantSid: one.sid }, at);
  }
}

function happened(event: Happening["event"], { sid, createdAt, updatedAt, data }: Kept): Happening {
  return {
    event,
    subject: sid,
    parameters: [
      ["MessageSid", sid],
      ["Index", String(data.index)],
      ["DateCreated", iso(createdAt)],
      ...(event === "onMessageAdded" ? [] : [["DateUpdated", iso(updatedAt)] as const]),
      ["Body", data.Body ?? ""],
      ["Author", data.Author],
      ["ParticipantSid", data.participantSid ?? ""],
      ["Attributes", data.Attributes],
    ],
  };
}

function sendOn(
  runtime: TwilioRuntime,
  message: Kept,
  { to, from, participantSid }: { readonly to: string; readonly from: string; readonly participantSid: string },
  at: number,
): void {
  const body = message.data.Body ?? "";
  const sms = draftedMessage(
    runtime,
    { accountSid: message.accountSid, direction: "outbound-api", at },
    {
      to,
      from,
      messagingServiceSid: null,
      body,
      mediaUrls: [],
      statusCallback: null,
      status: "queued",
      numSegments: segmentsOf(body, 0),
      sendAt: null,
      validityPeriod: null,
      smartEncoded: false,
    },
  );
  keepMessage(runtime, sms);
  runtime.state.addResource(receipt, {
    sid: `DY${runtime.ids.derive("twilio.receipt", [message.sid, participantSid]).hex(32)}`,
    accountSid: message.accountSid,
    parent: message.sid,
    key: null,
    createdAt: at,
    updatedAt: at,
    data: { conversationSid: message.parent, participantSid, messageSid: sms.sid },
  });
}

/** How many of the receipts say what; null while the message went to nobody's telephone. */
function deliveryOf({ state }: TwilioRuntime, sid: string): Record<string, unknown> | null {
  const all = state.resourcesOf(receipt, sid).map(({ data }) => state.message(data.messageSid)?.status);
  if (all.length === 0) return null;
  const share = (...statuses: readonly string[]) => {
    const count = all.filter((status) => status !== undefined && statuses.includes(status)).length;
    return count === 0 ? "none" : count === all.length ? "all" : "some";
  };
  return {
    total: all.length,
    sent: share("sent", "delivered", "undelivered", "read"),
    delivered: share("delivered", "read"),
    read: share("read"),
    failed: share("failed"),
    undelivered: share("undelivered"),
  };
}
