/** Who takes part in a conversation: by identity, or by a number behind one of the account's. */
import type { Hono } from "hono";
import type { KernelEnv } from "../../kernel/emulator.ts";
import { type ConversationData, type ParticipantSent, participantParameters } from "../domain/conversation.ts";
import { reject } from "../errors.ts";
import { type ConversationParticipantData, conversation, conversationParticipant } from "../kinds-conversations.ts";
import type { Resource } from "../store-resources.ts";
import { iso } from "../wire/dates.ts";
import type { Call, TwilioRuntime } from "./call.ts";
import { conversationOf, conversationsDomain } from "./conversation-services.ts";
import { userNamed } from "./conversation-users.ts";
import { type Happening, tellWebhooks } from "./conversation-webhooks.ts";
import { mountResource } from "./resource.ts";

export function mountConversationParticipants(app: Hono<KernelEnv>, runtime: TwilioRuntime, tree: string): void {
  const ofService = tree !== "/v1";
  mountResource<ConversationParticipantData, ParticipantSent>(app, runtime, {
    kind: conversationParticipant,
    name: "ConversationParticipant",
    path: `${tree}/Conversations/:conversation/Participants`,
    domain: conversationsDomain,
    list: "participants",
    operations: ["create", "list", "fetch", "update", "remove"],
    parameters: participantParameters,
    shows: [
      ...[
        "account_sid",
        ...(ofService ? ["chat_service_sid"] : []),
        "conversation_sid",
        "sid",
        "identity",
        "attributes",
      ],
      ...["messaging_binding", "role_sid", "date_created", "date_updated", "url", "last_read_message_index"],
      "last_read_timestamp",
    ],
    parent: (call) => conversationOf(call).sid,
    prepare,
    revise(call, before, sent) {
      const data = { ...before.data, ...sent };
      return { data, key: freeBinding(call, data, before.sid) };
    },
    find: ({ runtime: { state } }, name) => state.resource(conversationParticipant, name),
    stored: (call, one) => tellOf(call, "onParticipantAdded", one),
    changed: (call, one) => tellOf(call, "onParticipantUpdated", one),
    removing: (call, one) => tellOf(call, "onParticipantRemoved", one),
    view: ({ sid, parent, data }, { runtime: { ids }, exchange, account }) => ({
      chat_service_sid: data.serviceSid,
      conversation_sid: parent,
      messaging_binding: bindingOf(data),
      role_sid: data.RoleSid ?? `RL${ids.fixed("twilio.role", [account.sid, "channel user"]).hex(32)}`,
      url: `${exchange.base}${tree.replace(":service", data.serviceSid)}/Conversations/${parent}/Participants/${sid}`,
    }),
  });
}

function prepare(call: Call, sent: ParticipantSent) {
  const held = conversationOf(call);
  const { Identity: identity, "MessagingBinding.Address": address } = sent;
  if (identity === null && address === null && sent["MessagingBinding.ProjectedAddress"] === null)
    reject("missingParameter", "Identity or MessagingBinding.Address");
  const others = participantsOf(call.runtime, held.sid);
  if (identity !== null && others.some(({ data }) => data.Identity === identity)) reject("participantExists");
  const key = freeBinding(call, sent);
  // Whoever takes part by identity is a user of the service from then on.
  if (identity !== null) userNamed(call, held.parent, identity);
  return { data: { ...sent, serviceSid: held.parent }, key };
}

/**
 * A telephone and the number it writes to: together they belong to one open conversation, where its messages go.
 * https://www.twilio.com/docs/api/errors/50416
 */
function bindingKey(accountSid: string, address: string, proxy: string): string {
  return `${accountSid}/${address}/${proxy}`;
}

function freeBinding(
  { runtime, account }: Call,
  { "MessagingBinding.Address": address, "MessagingBinding.ProxyAddress": proxy }: ParticipantSent,
  own?: string,
): string | null {
  if (address === null || proxy === null) return null;
  const bound = boundParticipant(runtime, account.sid, address, proxy);
  if (bound && bound.participant.sid !== own) reject("bindingExists", bound.held.sid);
  return bindingKey(account.sid, address, proxy);
}

/** Who writes from this telephone to this number, and in which conversation; undefined when none that is open. */
export function boundParticipant({ state }: TwilioRuntime, accountSid: string, address: string, proxy: string) {
  const participant = state.resourceByKey(conversationParticipant, bindingKey(accountSid, address, proxy));
  const held: Resource<ConversationData> | undefined = participant && state.resource(conversation, participant.parent);
  return participant && held && held.data.State !== "closed" ? { participant, held } : undefined;
}

/** Inside a write. */
export function tellOf(
  call: Call,
  event: Happening["event"],
  { sid, createdAt, data }: Resource<ConversationParticipantData>,
): void {
  const given = (name: string, value: string | null) => (value === null ? [] : [[name, value] as const]);
  tellWebhooks(call, conversationOf(call), {
    event,
    subject: sid,
    parameters: [
      ["ParticipantSid", sid],
      ["DateCreated", iso(createdAt)],
      ...given("Identity", data.Identity),
      ...given("RoleSid", data.RoleSid),
      ...given("MessagingBinding.Address", data["MessagingBinding.Address"]),
      ...given("MessagingBinding.ProxyAddress", data["MessagingBinding.ProxyAddress"]),
      ["Attributes", data.Attributes],
    ],
  });
}

export function participantsOf(
  { state }: TwilioRuntime,
  conversationSid: string,
): readonly Resource<ConversationParticipantData>[] {
  return state.resourcesOf(conversationParticipant, conversationSid);
}

function bindingOf(data: ConversationParticipantData): Record<string, unknown> | null {
  const address = data["MessagingBinding.Address"];
  const projected = data["MessagingBinding.ProjectedAddress"];
  if (address === null && projected === null) return null;
  return {
    type: address?.startsWith("whatsapp:") ? "whatsapp" : "sms",
    address,
    proxy_address: data["MessagingBinding.ProxyAddress"],
    ...(projected === null ? {} : { projected_address: projected }),
  };
}
