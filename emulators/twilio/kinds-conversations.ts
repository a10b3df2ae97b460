/** The kinds of resources of Conversations. */
import type { ConversationData, MessageSent, ParticipantSent, UserSent, WebhookSent } from "./domain/conversation.ts";
import { kind } from "./store-resources.ts";

export interface ConversationServiceData {
  readonly FriendlyName: string;
}
export const conversationService = kind<ConversationServiceData>("conversation-service", "IS");

/** Its parent is the service, its key the service and the unique name. */
export const conversation = kind<ConversationData>("conversation", "CH");

/** Parent of the following is the conversation. */
export interface ConversationParticipantData extends ParticipantSent {
  readonly serviceSid: string;
}
export const conversationParticipant = kind<ConversationParticipantData>("conversation-participant", "MB");

export interface ConversationMessageData extends MessageSent {
  readonly serviceSid: string;
  readonly index: number;
  readonly participantSid: string | null;
}
export const conversationMessage = kind<ConversationMessageData>("conversation-message", "IM");

export const conversationWebhook = kind<WebhookSent>("conversation-webhook", "WH");

/** Of one message to one participant with a number; the parent is the conversation message. */
export interface ReceiptData {
  readonly conversationSid: string;
  readonly participantSid: string;
  /** The SMS it went out with. */
  readonly messageSid: string;
}
export const receipt = kind<ReceiptData>("delivery-receipt", "DY");

/** Parent is the service, key the service and the identity. */
export const conversationUser = kind<UserSent>("conversation-user", "US");

/** What a user set for one conversation; the key is both. */
export interface UserConversationData {
  readonly NotificationLevel: "default" | "muted";
  readonly LastReadMessageIndex: number | null;
}
export const userConversation = kind<UserConversationData>("user-conversation", "UC");
