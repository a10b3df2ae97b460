/**
 * A call that dials a queue serves the call that has waited there longest, or waits for one to come. The two talk until one
 * hangs up, is sent elsewhere, or they have talked as long as anybody does here; whoever is left goes on with its own document.
 * https://www.twilio.com/docs/voice/twiml/queue
 */
import { callDelays, type Script, type Waiting } from "../domain/call.ts";
import type { TwimlElement } from "../domain/twiml.ts";
import { attributeNumber } from "../domain/voice-verbs.ts";
import { call as callKind, member, queue, queueServer } from "../kinds.ts";
import type { TwilioRuntime } from "./call.ts";
import { afterDial } from "./call-dial.ts";
import { keepCall, type PhoneCall, wake } from "./call-life.ts";
import { queueResult, secondsSince, type Wait, waitOf } from "./call-queue.ts";
import { follow, runVerbs } from "./call-script.ts";
import { forgetDocument, warn } from "./documents.ts";
import { joinQueue, leaveQueue } from "./queue-places.ts";

export function dialQueue(
  runtime: TwilioRuntime,
  call: PhoneCall,
  next: Script,
  verb: TwimlElement,
  noun: TwimlElement,
  at: number,
): void {
  const { state } = runtime;
  const dialled = state.resourceByKey(queue, `${call.accountSid}/${noun.text}`);
  if (!dialled) {
    warn(runtime, call.sid, `there is no queue ${noun.text}`);
    afterDial(runtime, call, next, verb, [["DialCallStatus", "failed"]], at);
    return;
  }
  if (noun.attributes.url !== undefined) warn(runtime, call.sid, "the url of a <Queue> is not asked for");
  const waiting = keepCall(
    runtime,
    call,
    { script: { ...next, waiting: { tag: "caller", dial: verb, queue: dialled.sid } } },
    at,
  );
  const first = state.firstResource(member, dialled.sid);
  const caller = first && state.resource(callKind, first.data.callSid);
  const wait = waitOf(caller?.data.script);
  if (caller && wait) {
    serve(runtime, waiting, caller, wait, at);
    return;
  }
  joinQueue(runtime, queueServer, dialled.sid, call, at);
  wake(runtime, waiting, at, attributeNumber(verb, "timeout", 30) * 1_000);
}

/** Nobody came into the queue in time. */
export function nobodyCame(
  runtime: TwilioRuntime,
  call: PhoneCall,
  script: Script,
  { dial }: Extract<Waiting, { tag: "caller" }>,
  at: number,
): void {
  leaveQueue(runtime, call.sid);
  afterDial(runtime, call, { ...script, waiting: null }, dial, [["DialCallStatus", "no-answer"]], at);
}

/** Inside a write: `server` waits for a caller, and `caller` is one. */
export function serve(
  runtime: TwilioRuntime,
  server: PhoneCall,
  caller: PhoneCall,
  { waiting, rest }: Wait,
  at: number,
): void {
  const script = server.data.script;
  if (script?.waiting?.tag !== "caller") return;
  for (const { sid } of [server, caller]) {
    leaveQueue(runtime, sid);
    forgetDocument(runtime, sid);
    runtime.timers.cancel("twilio.call", sid);
  }
  const { dial } = script.waiting;
  const serving = { ...script, waiting: { tag: "serving", dial, other: caller.sid, since: at } } as const;
  wake(runtime, keepCall(runtime, server, { script: serving }, at), at, callDelays.talk);
  const queuedSeconds = secondsSince(waiting.since, at);
  const { enqueue, queue: queueSid } = waiting;
  const served = {
    ...rest,
    waiting: { tag: "served", enqueue, queue: queueSid, other: server.sid, queuedSeconds },
  } as const;
  keepCall(runtime, caller, { script: served }, at);
}

/** Inside a write: the two have talked enough; both go on. */
export function partCompany(runtime: TwilioRuntime, server: PhoneCall, at: number): void {
  const waiting = server.data.script?.waiting;
  if (waiting?.tag !== "serving") return;
  goOnAlone(runtime, waiting.other, at);
  goOnAlone(runtime, server.sid, at);
}

/** Inside a write: the other end has gone. */
export function goOnAlone(runtime: TwilioRuntime, sid: string, at: number): void {
  const call = runtime.state.resource(callKind, sid);
  const script = call?.data.script;
  if (!call || !script) return;
  const { waiting } = script;
  const rest = { ...script, waiting: null };
  runtime.timers.cancel("twilio.call", sid);
  if (waiting?.tag === "serving") {
    afterDial(runtime, call, rest, waiting.dial, servedParameters(waiting, at), at);
  } else if (waiting?.tag === "served") {
    const { action, method } = waiting.enqueue.attributes;
    if (action === undefined) runVerbs(runtime, call, rest, at);
    else follow(runtime, call, rest, action, method, queueResult("bridged", waiting.queue, waiting.queuedSeconds), at);
  }
}

export function servedParameters(
  { other, since }: Extract<Waiting, { tag: "serving" }>,
  at: number,
): readonly (readonly [string, string])[] {
  return [
    ["DialCallSid", other],
    ["DialCallStatus", "completed"],
    ["DialCallDuration", String(secondsSince(since, at))],
    ["DialBridged", "true"],
  ];
}
