/** Moves messages along: each step changes the row, tells the journal, endpoints and the status callback, and times the next. */
import type { Timer } from "../../kernel/timers.ts";
import type { Message } from "../domain/message.ts";
import { segmentsOf } from "../domain/message-draft.ts";
import { billingDelay, type NextStep, nextStep, priceOf, stayIn, step } from "../domain/message-life.ts";
import { messagingService } from "../kinds.ts";
import { statusCallback } from "../wire/callback.ts";
import type { TwilioRuntime } from "./call.ts";
import { alphaSenderOf, poolOf } from "./pool.ts";
import { takePlace } from "./sending-rate.ts";

export const messageTimer = "twilio.message";

/** Inside the write that stored a new message: tells of it and times its first step. No callback for the first status. */
export function beginLife(runtime: TwilioRuntime, message: Message): void {
  tellMessage(runtime, message);
  scheduleNext(runtime, message, message.createdAt);
}

export function cancelLife(runtime: TwilioRuntime, message: Message): void {
  runtime.timers.cancel(messageTimer, message.sid);
}

/** A timer of kind `twilio.message` fell due. */
export function advanceMessage(runtime: TwilioRuntime, timer: Timer): void {
  const message = runtime.state.message(timer.subject);
  const next = message && nextStep(message, timer.due);
  if (message && next) enter(runtime, message, next, timer.due);
}

/** Inside a write: takes `message` into its next state at `at`. */
export function enter(runtime: TwilioRuntime, message: Message, next: NextStep, at: number): void {
  const moved = after(runtime, message, next, at);
  runtime.state.changeMessage(moved);
  tellMessage(runtime, moved);
  if (moved.statusCallback !== null) runtime.outbox.callback(statusCallback(moved, moved.statusCallback, at));
  scheduleNext(runtime, moved, at);
}

function after(runtime: TwilioRuntime, message: Message, next: NextStep, at: number): Message {
  const status = step(message.status, next.status);
  const moved = { ...message, status, errorCode: next.errorCode, updatedAt: at };
  switch (status) {
    case "queued":
      return {
        ...moved,
        from: message.from ?? chooseSender(runtime, message),
        numSegments: segmentsOf(message.body, message.numMedia, isSmart(runtime, message)),
      };
    case "sent":
      return { ...moved, sentAt: at };
    case "delivered":
    case "undelivered":
      return { ...moved, price: priceOf(message), billedAt: at + runtime.clock.paced(billingDelay(message.sid)) };
    default:
      return moved;
  }
}

function isSmart({ state }: TwilioRuntime, { smartEncoded, messagingServiceSid }: Message): boolean {
  if (smartEncoded === 1 || messagingServiceSid === null) return smartEncoded === 1;
  return state.resource(messagingService, messagingServiceSid)?.data.SmartEncoding ?? false;
}

/** One recipient always gets the same number of the pool, as with Twilio's sticky sender. */
function chooseSender(runtime: TwilioRuntime, message: Message): string | null {
  if (message.messagingServiceSid === null) return null;
  const senders = poolOf(runtime.state, message.messagingServiceSid);
  const alpha = message.to.startsWith("+1") ? undefined : alphaSenderOf(runtime.state, message.messagingServiceSid);
  if (alpha !== undefined) return alpha;
  const share = runtime.ids.fixed("twilio.sender", [message.messagingServiceSid, message.to]).unit();
  return senders[Math.floor(share * senders.length)] ?? null;
}

function scheduleNext(runtime: TwilioRuntime, message: Message, at: number): void {
  const stay = stayIn(message.status, message.sid);
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
  runtime.outbox.emit({
    type: `message.${status}`,
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
