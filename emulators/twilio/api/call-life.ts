/** Dials, rings, answers and ends calls: each step changes the row, tells journal, endpoints and status callback, times the next. */
import {
  type CallData,
  type CallEvent,
  type CallStatus,
  callDelays,
  callPrice,
  isOver,
  magicCallees,
  stepCall,
  type Waiting,
} from "../domain/call.ts";
import { call as callKind } from "../kinds.ts";
import type { Resource } from "../store-resources.ts";
import { callProgress } from "../wire/call.ts";
import { twilioCallback } from "../wire/callback.ts";
import type { TwilioRuntime } from "./call.ts";
import { conferenceEnded } from "./call-dial.ts";
import { goOnAlone } from "./call-service.ts";
import { giveUpCallerId } from "./caller-ids.ts";
import { leaveConference } from "./conference-life.ts";
import { forgetDocument } from "./documents.ts";
import { leaveQueue } from "./queue-places.ts";
import { beginRecording, endRecordings } from "./recording-life.ts";

export const callTimer = "twilio.call";
export const callLimitTimer = "twilio.call-limit";
export type PhoneCall = Resource<CallData>;

/** Inside a write: writes what changed. */
export function keepCall(runtime: TwilioRuntime, before: PhoneCall, change: Partial<CallData>, at: number): PhoneCall {
  const after = { ...before, updatedAt: at, data: { ...before.data, ...change } };
  runtime.state.changeResource(callKind, after);
  return after;
}

/** Inside a write: a new outbound call begins its life, so many milliseconds later than usual. */
export function beginCall(runtime: TwilioRuntime, call: PhoneCall, laterMs = 0): void {
  tellCall(runtime, call);
  wake(runtime, call, call.createdAt, callDelays.dial + laterMs);
}

export function wake(runtime: TwilioRuntime, { sid }: PhoneCall, at: number, delayMs: number): void {
  runtime.timers.schedule({ kind: callTimer, subject: sid, due: at + runtime.clock.paced(delayMs) });
}

/** A call that is not answered yet takes its next step. Answers the call when it has just been answered. */
export function dialOn(runtime: TwilioRuntime, call: PhoneCall, at: number): PhoneCall | undefined {
  const { data } = call;
  const outcome = magicCallees[data.to];
  if (data.status === "queued" && !data.dialled) {
    const dialled = keepCall(runtime, call, { dialled: true, startedAt: at }, at);
    wake(runtime, notify(runtime, dialled, "initiated", at), at, callDelays.ring);
    return undefined;
  }
  if (data.status === "queued") {
    if (outcome === "failed") {
      endCall(runtime, call, "failed", at);
      return undefined;
    }
    const ringing = enter(runtime, call, "ringing", at);
    const rings = outcome === "no-answer" ? data.timeout * 1_000 : Math.min(callDelays.answer, data.timeout * 1_000);
    wake(runtime, notify(runtime, ringing, "ringing", at), at, rings);
    return undefined;
  }
  if (outcome === "busy" || outcome === "no-answer") {
    endCall(runtime, call, outcome, at);
    return undefined;
  }
  return answerCall(
    runtime,
    call,
    at,
    data.machineDetection ? (outcome === "machine" ? "machine_start" : "human") : null,
  );
}

/** Inside a write: somebody picks up. */
export function answerCall(runtime: TwilioRuntime, call: PhoneCall, at: number, answeredBy: string | null): PhoneCall {
  const answered = enter(runtime, call, "in-progress", at, { startedAt: at, answeredBy });
  const { record } = answered.data;
  limitFrom(runtime, answered, at);
  const recorded =
    record === null ? answered : beginRecording(runtime, answered, { ...record, source: "OutboundAPI" }, at);
  return notify(runtime, recorded, "answered", at);
}

/** Inside a write: an answered call ends when its time is up. Its limit may be shorter than it has already lasted. */
export function limitFrom(runtime: TwilioRuntime, { sid, data }: PhoneCall, at: number): void {
  if (data.status !== "in-progress" || data.startedAt === null) return;
  runtime.timers.schedule({
    kind: callLimitTimer,
    subject: sid,
    due: Math.max(at, data.startedAt + data.timeLimit * 1_000),
  });
}

/** Inside a write: the call is over. The other end of a dial, its queue and its conference hear of it. */
export function endCall(runtime: TwilioRuntime, call: PhoneCall, status: CallStatus, at: number): PhoneCall {
  const { data } = call;
  if (isOver(data.status)) return call;
  runtime.timers.cancel(callTimer, call.sid);
  runtime.timers.cancel(callLimitTimer, call.sid);
  forgetDocument(runtime, call.sid);
  leaveQueue(runtime, call.sid);
  const left = leaveConference(runtime, call.sid, { how: "ended", status }, at);
  const answered = data.status === "in-progress";
  // However short it was, an answered call has lasted a second and costs a minute.
  const seconds = answered && data.startedAt !== null ? Math.max(1, Math.round((at - data.startedAt) / 1_000)) : 0;
  const ended = enter(runtime, call, status, at, {
    startedAt: data.startedAt ?? at,
    endedAt: at,
    seconds,
    price: answered && isTelephone(data) ? callPrice(data.direction, seconds) : null,
    script: null,
  });
  leaveOthers(runtime, data.script?.waiting, at);
  giveUpCallerId(runtime, ended, at);
  endRecordings(runtime, ended, at);
  conferenceEnded(runtime, left, at);
  return notify(runtime, runtime.state.resource(callKind, call.sid) ?? ended, "completed", at);
}

/** Inside a write: the legs of a dial end with the call that dialled them; who talked with it by way of a queue goes on alone. */
export function leaveOthers(runtime: TwilioRuntime, waiting: Waiting | null | undefined, at: number): void {
  if (waiting?.tag === "serving" || waiting?.tag === "served") goOnAlone(runtime, waiting.other, at);
  for (const sid of waiting?.tag === "dial" ? waiting.legs : []) {
    const leg = runtime.state.resource(callKind, sid);
    if (leg) endCall(runtime, leg, leg.data.status === "in-progress" ? "completed" : "canceled", at);
  }
}

/** Legs to SIP endpoints and clients are not billed here. */
function isTelephone({ direction, to }: CallData): boolean {
  return direction !== "outbound-dial" || to.startsWith("+");
}

function enter(
  runtime: TwilioRuntime,
  call: PhoneCall,
  to: CallStatus,
  at: number,
  change: Partial<CallData> = {},
): PhoneCall {
  const moved = keepCall(runtime, call, { ...change, status: stepCall(call.data.status, to) }, at);
  tellCall(runtime, moved);
  return moved;
}

/** Calls back when the event was asked for; only what is sent counts in the sequence. */
function notify(runtime: TwilioRuntime, call: PhoneCall, event: CallEvent, at: number): PhoneCall {
  const { statusCallback, statusCallbackEvents, statusCallbackMethod, sequence } = call.data;
  if (statusCallback === null || statusCallback === "" || !statusCallbackEvents.includes(event)) return call;
  runtime.outbox.callback(
    twilioCallback({
      type: `call.${event}`,
      subject: call.sid,
      accountSid: call.accountSid,
      occurredAt: at,
      method: statusCallbackMethod === "GET" ? "GET" : "POST",
      url: statusCallback,
      parameters: callProgress(call, event, at),
    }),
  );
  return keepCall(runtime, call, { sequence: sequence + 1 }, at);
}

export function tellCall(runtime: TwilioRuntime, { sid, accountSid, updatedAt, data }: PhoneCall): void {
  const { status, from, to, direction } = data;
  runtime.journal.append("change", sid, { resource: "call", status, from, to });
  runtime.outbox.emit({
    type: `call.${status}`,
    subject: sid,
    occurredAt: updatedAt,
    data: { sid, account_sid: accountSid, from, to, direction, status, duration: data.seconds },
  });
}
