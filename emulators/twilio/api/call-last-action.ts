/**
 * A call that is ended or sent elsewhere in the middle of a verb. Others that had to do with it go on, and the verb's action
 * hears how it came out, though what it answers is of no use any more.
 * https://www.twilio.com/docs/voice/twiml/record, https://www.twilio.com/docs/voice/twiml/enqueue
 */
import type { TwimlElement } from "../domain/twiml.ts";
import { call as callKind, recording } from "../kinds.ts";
import { callParameters } from "../wire/call.ts";
import { twilioCallback } from "../wire/callback.ts";
import type { TwilioRuntime } from "./call.ts";
import { conferenceEnded, dialEnded, dialResult } from "./call-dial.ts";
import { keepCall, leaveOthers, type PhoneCall } from "./call-life.ts";
import { queueResult, secondsSince, waitOf } from "./call-queue.ts";
import { recordResult } from "./call-record.ts";
import { servedParameters } from "./call-service.ts";
import { leaveConference } from "./conference-life.ts";
import { forgetDocument } from "./documents.ts";
import { resolved } from "./message-replies.ts";
import { leaveQueue } from "./queue-places.ts";
import { endRecording } from "./recording-life.ts";

interface LastAction {
  readonly verb: TwimlElement;
  /** What a relative action is resolved against, and for a Record without one the action itself. */
  readonly base: string;
  readonly parameters: readonly (readonly [string, string])[];
}

/** Inside a write: `before` is the call as it was, `ended` as it is now. */
export function tellLastAction(runtime: TwilioRuntime, before: PhoneCall, ended: PhoneCall, at: number): void {
  const last = queueAction(before, "hangup", at) ?? verbAction(runtime, before, at);
  if (last) tell(runtime, ended, last, at);
}

/** Inside a write: takes the call out of whatever it does, so that it can do something else. */
export function letGo(runtime: TwilioRuntime, call: PhoneCall, at: number): PhoneCall {
  const waiting = call.data.script?.waiting;
  const last = queueAction(call, "redirected", at);
  if (last) tell(runtime, call, last, at);
  runtime.timers.cancel("twilio.call", call.sid);
  forgetDocument(runtime, call.sid);
  leaveQueue(runtime, call.sid);
  const free = keepCall(runtime, call, { script: null }, at);
  conferenceEnded(runtime, leaveConference(runtime, call.sid, { how: "redirected", status: call.data.status }, at), at);
  leaveOthers(runtime, waiting, at);
  const running = waiting?.tag === "record" ? runtime.state.resource(recording, waiting.recording) : undefined;
  if (running && running.data.seconds === null) endRecording(runtime, running, at);
  dialEnded(runtime, free, at);
  return free;
}

function queueAction({ data }: PhoneCall, result: "hangup" | "redirected", at: number): LastAction | undefined {
  const wait = waitOf(data.script);
  if (!wait) return undefined;
  const { enqueue, queue, since } = wait.waiting;
  return { verb: enqueue, base: wait.rest.base, parameters: queueResult(result, queue, secondsSince(since, at)) };
}

function verbAction({ state }: TwilioRuntime, call: PhoneCall, at: number): LastAction | undefined {
  const { script } = call.data;
  const waiting = script?.waiting;
  if (!script || !waiting) return undefined;
  const { base } = script;
  switch (waiting.tag) {
    case "record": {
      const { record, recording: sid } = waiting;
      return { verb: record, base, parameters: recordResult(call, sid, state.resource(recording, sid), "hangup") };
    }
    case "dial": {
      const leg = state.resource(callKind, waiting.legs.at(-1) ?? "");
      return leg && { verb: waiting.dial, base, parameters: dialResult(call, waiting.dial, leg, at) };
    }
    case "conference":
      return { verb: waiting.dial, base, parameters: [["DialCallStatus", "completed"]] };
    case "serving":
      return { verb: waiting.dial, base, parameters: servedParameters(waiting, at) };
    case "served":
      return {
        verb: waiting.enqueue,
        base,
        parameters: queueResult("bridged", waiting.queue, waiting.queuedSeconds),
      };
    default:
      return undefined;
  }
}

function tell(runtime: TwilioRuntime, call: PhoneCall, { verb, base, parameters }: LastAction, at: number): void {
  const action = verb.attributes.action ?? (verb.name === "Record" ? base : undefined);
  const url = action === undefined ? undefined : resolved(action, base);
  if (url === undefined) return;
  runtime.outbox.callback(
    twilioCallback({
      type: "call.action",
      subject: call.sid,
      accountSid: call.accountSid,
      occurredAt: at,
      method: verb.attributes.method?.toUpperCase() === "GET" ? "GET" : "POST",
      url,
      parameters: [...callParameters(call), ...parameters],
    }),
  );
}
