/**
 * The life of a message as data. https://www.twilio.com/docs/messaging/api/message-resource#message-status-values
 *
 * Without a messaging service: queued, sent, delivered. With one: accepted, queued, sent, delivered. Scheduled messages
 * begin at `scheduled` and join at `queued`. `sending` is passed through without being seen, as on the real service,
 * which seldom reports it.
 */
import type { Message, MessageStatus } from "./message.ts";
import { isChannel } from "./phone-numbers.ts";

export const transitions: Readonly<Record<MessageStatus, readonly MessageStatus[]>> = {
  accepted: ["queued", "failed"],
  scheduled: ["queued", "canceled"],
  queued: ["sending", "sent", "failed"],
  sending: ["sent", "failed"],
  sent: ["delivered", "undelivered"],
  delivered: ["read"],
  undelivered: [],
  failed: [],
  canceled: [],
  receiving: ["received"],
  received: [],
  read: [],
};

/** Answers `to` when the step is legal, throws otherwise. */
export function step(from: MessageStatus, to: MessageStatus): MessageStatus {
  if (!transitions[from].includes(to)) throw new Error(`a message cannot go from ${from} to ${to}`);
  return to;
}

const unfinished: ReadonlySet<MessageStatus> = new Set([
  "accepted",
  "scheduled",
  "queued",
  "sending",
  "sent",
  "receiving",
]);

export function isFinished(status: MessageStatus): boolean {
  return !unfinished.has(status);
}

export type MagicOutcome = { readonly status: "undelivered" | "failed"; readonly errorCode: number };

/**
 * Recipients whose messages end badly, after they were accepted. All are in the range that the North American plan keeps
 * for fiction (NPA 555-0100 to 0199), so no real subscriber is ever meant.
 */
export const magicRecipients: Readonly<Record<string, MagicOutcome>> = {
  "+12025550131": { status: "failed", errorCode: 30001 },
  "+12025550133": { status: "undelivered", errorCode: 30003 },
  "+12025550134": { status: "undelivered", errorCode: 30004 },
  "+12025550135": { status: "undelivered", errorCode: 30005 },
  "+12025550136": { status: "undelivered", errorCode: 30006 },
  "+12025550137": { status: "undelivered", errorCode: 30007 },
  "+12025550138": { status: "undelivered", errorCode: 30008 },
  "+12025550139": { status: "failed", errorCode: 30034 },
};

/** What `error_message` says. https://www.twilio.com/docs/api/errors */
export const errorMessages: Readonly<Record<number, string>> = {
  30001: "Queue overflow",
  30002: "Account suspended",
  30003: "Unreachable destination handset",
  30004: "Message blocked",
  30005: "Unknown destination handset",
  30006: "Landline or unreachable carrier",
  30007: "Message filtered",
  30008: "Unknown error",
  30034: "US A2P 10DLC - Message from an Unregistered Number",
  63016:
    "Failed to send freeform message because you are outside the allowed window. If you are using WhatsApp, please use a " +
    "Message Template.",
};

export interface NextStep {
  readonly status: MessageStatus;
  readonly errorCode: number | null;
}

/** What a message's way depends on besides itself. */
export interface Circumstances {
  /** The account it is sent for is neither suspended nor closed. */
  isActive(): boolean;
  /** It is free text by WhatsApp, which takes that only for a day after the recipient wrote. */
  isOutsideSession(): boolean;
}

/** What becomes of a message at `at`; undefined when its life is over. */
export function nextStep(
  message: Pick<Message, "status" | "to" | "validUntil">,
  at: number,
  { isActive, isOutsideSession }: Circumstances,
): NextStep | undefined {
  const magic = magicRecipients[message.to.replace(/^whatsapp:/, "")];
  switch (message.status) {
    case "accepted":
    case "scheduled":
      return { status: "queued", errorCode: null };
    case "queued":
    case "sending":
      if (!isActive()) return { status: "failed", errorCode: 30002 };
      if (message.validUntil !== null && at > message.validUntil) return { status: "failed", errorCode: 30001 };
      return magic?.status === "failed" ? magic : { status: "sent", errorCode: null };
    case "sent":
      if (isOutsideSession()) return { status: "undelivered", errorCode: 63016 };
      return magic?.status === "undelivered" ? magic : { status: "delivered", errorCode: null };
    case "delivered":
      return hasReceipts(message) ? { status: "read", errorCode: null } : undefined;
    case "receiving":
      return { status: "received", errorCode: null };
    default:
      return undefined;
  }
}

/** Least and most milliseconds a message stays in a state, before BACKLOT_PACE. */
const stays: Partial<Record<MessageStatus, readonly [least: number, most: number]>> = {
  accepted: [300, 700],
  queued: [1_000, 2_000],
  sending: [200, 400],
  sent: [2_000, 4_000],
  receiving: [200, 400],
};
/** With receipts; without them nothing follows. */
const unread: readonly [least: number, most: number] = [2_000, 6_000];
const billing: readonly [least: number, most: number] = [1_000, 3_000];

/** Channels that tell when a message was read. */
function hasReceipts({ to }: Pick<Message, "to">): boolean {
  return isChannel(to);
}

/** How long `message` stays in its state; undefined when nothing follows by itself after a span of time. */
export function stayIn({ status, sid, to }: Pick<Message, "status" | "sid" | "to">): number | undefined {
  const range = status === "delivered" && hasReceipts({ to }) ? unread : stays[status];
  return range && within(range, share(sid, status.length));
}

export function billingDelay(sid: string): number {
  return within(billing, share(sid, 0));
}

function within([least, most]: readonly [number, number], part: number): number {
  return Math.round(least + (most - least) * part);
}

/** A share of [0, 1) from six digits of the sid's hexadecimal part: spread like chance, equal in every run. */
function share(sid: string, offset: number): number {
  return Number.parseInt(sid.slice(2 + offset, 8 + offset), 16) / 2 ** 24;
}

const smsPrice = -830;
const mmsPrice = -2_200;
const channelPrice = -500;

/** What an outbound message costs once it was handed to a carrier: the United States list price of 2025. */
export function priceOf(message: Pick<Message, "to" | "numSegments" | "numMedia">): number {
  if (isChannel(message.to)) return channelPrice;
  return message.numMedia > 0 ? mmsPrice : smsPrice * message.numSegments;
}
