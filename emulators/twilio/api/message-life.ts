/** Moves messages along: each step changes the row, tells the journal, endpoints and the status callback, and times the next. */
import type { Timer } from "../../kernel/timers.ts";
import type { Message } from "../domain/message.ts";
import { billedSegments } from "../domain/message-draft.ts";
import { billingDelay, type NextStep, nextStep, priceOf, stayIn, step } from "../domain/message-life.ts";
import { nearestSenders } from "../domain/messaging-service.ts";
import { isChannel } from "../domain/phone-numbers.ts";
import { channelSender, messageContent, messagingService } from "../kinds.ts";
import { statusCallback } from "../wire/callback.ts";
import type { TwilioRuntime } from "./call.ts";
import { alphaSenderOf, poolOf } from "./pool.ts";
import { takePlace } from "./sending-rate.ts";

export const messageTimer = "twilio.message";

/** Inside the write that stored a new message: tells of it and times its first step. No callback for the first status. */
export function beginLife(runtime: TwilioRuntime, message: Message): void {
  if (message.statusCallback !== null) runtime.outbox.expectCallbacks();
  tellMessage(runtime, message);
  scheduleNext(runtime, message, message.createdAt);
}

export function cancelLife(runtime: TwilioRuntime, message: Message): void {
  runtime.timers.cancel(messageTimer, message.sid);
}

/** A timer of kind `twilio.message` fell due. */
export function advanceMessage(runtime: TwilioRuntime, timer: Timer): void {
  const message = runtime.state.message(timer.subject);
  const next =
    message &&
    nextStep(message, timer.due, {
      isActive: () => runtime.state.account(message.accountSid)?.status === "active",
      isOutsideSession: () => isOutsideSession(runtime, message, timer.due),
    });
  if (message && next) enter(runtime, message, next, timer.due);
}

/** Inside a write: takes `message` into its next state at `at`. */
export function enter(runtime: TwilioRuntime, message: Message, next: NextStep, at: number): void {
  const moved = after(runtime, message, next, at);
  runtime.state.changeMessage(moved);
  tellMessage(runtime, moved);
  if (moved.statusCallback !== null)
    runtime.outbox.callback(statusCallback(moved, moved.statusCallback, at, channelSidOf(runtime, moved)));
  scheduleNext(runtime, moved, at);
}

/** One copy with everything in it: this runs three times for every message. */
function after(runtime: TwilioRuntime, message: Message, next: NextStep, at: number): Message {
  const status = step(message.status, next.status);
  const queued = status === "queued";
  const ended = status === "delivered" || status === "undelivered";
  return {
    ...message,
    status,
    errorCode: next.errorCode,
    updatedAt: at,
    from: queued ? (message.from ?? chooseSender(runtime, message)) : message.from,
    numSegments: queued
      ? billedSegments(message.to, message.body, message.numMedia, isSmart(runtime, message))
      : message.numSegments,
    sentAt: status === "sent" ? at : message.sentAt,
    price: ended ? priceOf(message) : message.price,
    billedAt: ended ? at + runtime.clock.paced(billingDelay(message.sid)) : message.billedAt,
  };
}

function isSmart({ state }: TwilioRuntime, { smartEncoded, messagingServiceSid }: Message): boolean {
  if (smartEncoded === 1 || messagingServiceSid === null) return smartEncoded === 1;
  return state.resource(messagingService, messagingServiceSid)?.data.SmartEncoding ?? false;
}

const sessionMs = 86_400_000;

/** Whether WhatsApp refuses a message: free text to somebody who has not written for a day. */
function isOutsideSession({ state }: TwilioRuntime, message: Message, at: number): boolean {
  const { sid, accountSid, from, to } = message;
  if (!isChannel(to) || from === null || state.resource(messageContent, sid)) return false;
  const [arrival] = state.messageArrivals({ accountSid, to: from, from: to, limit: 1, offset: 0 });
  const last = arrival === undefined ? undefined : state.messageAt(arrival);
  return last === undefined || last.createdAt + sessionMs < at;
}

function channelSidOf({ state }: TwilioRuntime, { from, to }: Message): string | undefined {
  return from !== null && isChannel(to) ? state.resourceByKey(channelSender, from)?.sid : undefined;
}

/** With a sticky sender one recipient always gets the same number of the pool. */
function chooseSender(runtime: TwilioRuntime, message: Message): string | null {
  if (message.messagingServiceSid === null) return null;
  const senders = poolOf(runtime.state, message.messagingServiceSid);
  const alpha = message.to.startsWith("+1") ? undefined : alphaSenderOf(runtime.state, message.messagingServiceSid);
  if (alpha !== undefined) return alpha;
  const service = runtime.state.resource(messagingService, message.messagingServiceSid)?.data;
  const near = nearestSenders(senders, message.to, service?.AreaCodeGeomatch ?? false);
  const about = service?.StickySender ? message.to : message.sid;
  const share = runtime.ids.fixed("twilio.sender", [message.messagingServiceSid, about]).unit();
  return near[Math.floor(share * near.length)] ?? null;
}

function scheduleNext(runtime: TwilioRuntime, message: Message, at: number): void {
  const stay = stayIn(message);
  const earliest = message.status === "queued" && message.from !== null ? takePlace(runtime, message.from, at) : at;
  const due =
    message.status === "scheduled" ? message.sendAt : stay === undefined ? null : earliest + runtime.clock.paced(stay);
  if (due !== null) runtime.timers.schedule({ kind: messageTimer, subject: message.sid, due });
}

/** Inside a write: the journal and registered endpoints hear of the message's present status. */
export function tellMessage(runtime: TwilioRuntime, message: Message): void {
  const { sid, accountSid, from, to, status, errorCode, direction, numSegments, numMedia, messagingServiceSid } =
    message;
  runtime.journal.append("change", sid, { resource: "message", status, from, to, errorCode });
  const type = `message.${status}`;
  if (!runtime.outbox.isWanted(type)) return;
  runtime.outbox.emit({
    type,
    subject: sid,
    occurredAt: message.updatedAt,
    data: {
      sid,
      account_sid: accountSid,
      messaging_service_sid: messagingServiceSid,
      direction,
      from,
      to,
      body: message.body,
      status,
      error_code: errorCode,
      num_segments: numSegments,
      num_media: numMedia,
    },
  });
}
