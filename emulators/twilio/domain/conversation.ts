/** What a conversation, its participants, messages and users carry. https://www.twilio.com/docs/conversations/api */
import { choice, jsonText, list, matching, type Parameters, required, sid, text, url, whole } from "./parameters.ts";

export type ConversationState = "initializing" | "inactive" | "active" | "closed";

export interface ConversationData {
  readonly FriendlyName: string | null;
  readonly UniqueName: string | null;
  readonly Attributes: string;
  readonly MessagingServiceSid: string | null;
  readonly State: ConversationState;
  /** ISO 8601 durations. */
  readonly "Timers.Inactive": string;
  readonly "Timers.Closed": string;
  readonly "Bindings.Email.Address": string | null;
  readonly "Bindings.Email.Name": string | null;
  readonly inactiveAt: number | null;
  readonly closedAt: number | null;
  /** Of the next message. */
  readonly nextIndex: number;
}
export type ConversationSent = Omit<ConversationData, "inactiveAt" | "closedAt" | "nextIndex">;

const duration = matching(/^(P(?=.)(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+S)?)?)?$/, "");

export const conversationParameters: Parameters<ConversationSent> = {
  FriendlyName: text(null, 256),
  UniqueName: text(null, 256),
  Attributes: jsonText("{}"),
  MessagingServiceSid: sid("MG", null),
  State: choice(["initializing", "inactive", "active", "closed"], "active"),
  "Timers.Inactive": duration,
  "Timers.Closed": duration,
  "Bindings.Email.Address": text(null),
  "Bindings.Email.Name": text(null),
};

/** Milliseconds of an ISO 8601 duration of days, hours, minutes and seconds; null when none is set. */
export function durationMs(text: string): number | null {
  const match = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/.exec(text);
  if (!match || text === "P0D" || text === "PT0S") return null;
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = match.slice(1).map((part) => Number(part ?? 0));
  return (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1_000;
}

/** When an active conversation falls silent and when it closes, counted from `at`. */
export function deadlines(data: ConversationSent, at: number): Pick<ConversationData, "inactiveAt" | "closedAt"> {
  const [inactive, closed] = [durationMs(data["Timers.Inactive"]), durationMs(data["Timers.Closed"])];
  if (data.State === "closed") return { inactiveAt: null, closedAt: null };
  return {
    inactiveAt: inactive === null || data.State === "inactive" ? null : at + inactive,
    closedAt: closed === null ? null : at + closed,
  };
}

export interface ParticipantSent {
  readonly Identity: string | null;
  readonly Attributes: string;
  readonly RoleSid: string | null;
  readonly "MessagingBinding.Address": string | null;
  readonly "MessagingBinding.ProxyAddress": string | null;
  readonly "MessagingBinding.ProjectedAddress": string | null;
  readonly LastReadMessageIndex: number | null;
  readonly LastReadTimestamp: string | null;
}

export const participantParameters: Parameters<ParticipantSent> = {
  Identity: text(null, 256),
  Attributes: jsonText("{}"),
  RoleSid: sid("RL", null),
  "MessagingBinding.Address": text(null),
  "MessagingBinding.ProxyAddress": text(null),
  "MessagingBinding.ProjectedAddress": text(null),
  LastReadMessageIndex: whole(null, 0, Number.MAX_SAFE_INTEGER),
  LastReadTimestamp: text(null),
};

export interface MessageSent {
  readonly Author: string;
  readonly Body: string | null;
  readonly Attributes: string;
  readonly MediaSid: string | null;
  readonly ContentSid: string | null;
}

export const messageParameters: Parameters<MessageSent> = {
  Author: text("system", 256),
  Body: text(null, 1_600),
  Attributes: jsonText("{}"),
  MediaSid: sid("ME", null),
  ContentSid: sid("HX", null),
};

/** What the webhooks of one conversation can be told. */
const webhookEvents = [
  "onMessageAdded",
  "onMessageUpdated",
  "onMessageRemoved",
  "onConversationUpdated",
  "onConversationStateUpdated",
  "onConversationRemoved",
  "onParticipantAdded",
  "onParticipantUpdated",
  "onParticipantRemoved",
  "onDeliveryUpdated",
] as const;
export type WebhookEvent = (typeof webhookEvents)[number];

export interface WebhookSent {
  readonly Target: "webhook" | "trigger" | "studio";
  readonly "Configuration.Url": string | null;
  readonly "Configuration.Method": string;
  readonly "Configuration.Filters": readonly string[];
  readonly "Configuration.Triggers": readonly string[];
  readonly "Configuration.FlowSid": string | null;
}

export const webhookParameters: Parameters<WebhookSent> = {
  Target: required(choice(["webhook", "trigger", "studio"], "webhook")),
  "Configuration.Url": url(null),
  "Configuration.Method": choice(["GET", "POST"], "POST"),
  "Configuration.Filters": list(webhookEvents),
  "Configuration.Triggers": list(),
  "Configuration.FlowSid": sid("FW", null),
};

export interface UserSent {
  readonly Identity: string;
  readonly FriendlyName: string | null;
  readonly Attributes: string;
  readonly RoleSid: string | null;
}

export const userParameters: Parameters<UserSent> = {
  Identity: required(text("", 256)),
  FriendlyName: text(null, 256),
  Attributes: jsonText("{}"),
  RoleSid: sid("RL", null),
};
