/** The Dial verb: a second leg, a conference or the first call of a queue. */
import type { CallData, CallEvent, Script } from "../domain/call.ts";
import { callEvents } from "../domain/call.ts";
import { partyOf } from "../domain/call-draft.ts";
import type { TwimlElement } from "../domain/twiml.ts";
import { attributeNumber } from "../domain/voice-verbs.ts";
import { call as callKind, member, phoneNumber } from "../kinds.ts";
import { recordingUrl } from "../wire/call.ts";
import type { TwilioRuntime } from "./call.ts";
import { beginCall, keepCall, type PhoneCall, wake } from "./call-life.ts";
import { outOfQueue, waitOf } from "./call-queue.ts";
import { follow, runVerbs } from "./call-script.ts";
import { warn } from "./documents.ts";
import { conferenceNamed, joinConference, queueNamed } from "./gatherings.ts";
import { resolved } from "./message-replies.ts";
import { beginRecording } from "./recording-life.ts";

export function dial(runtime: TwilioRuntime, call: PhoneCall, next: Script, verb: TwimlElement, at: number): void {
  const noun = verb.children[0];
  switch (noun?.name) {
    case "Conference":
      dialConference(runtime, call, next, verb, noun, at);
      return;
    case "Queue":
      dialQueue(runtime, call, next, verb, noun, at);
      return;
    default:
      dialParty(runtime, call, next, verb, noun, at);
      return;
  }
}

function dialParty(
  runtime: TwilioRuntime,
  call: PhoneCall,
  next: Script,
  verb: TwimlElement,
  noun: TwimlElement | undefined,
  at: number,
): void {
  const name = noun?.text ?? verb.text;
  const to = partyOf(noun?.name === "Client" && !name.startsWith("client:") ? `client:${name}` : name);
  if (to === undefined) {
    warn(runtime, call.sid, `Dial of ${name}`, 13_224);
    afterDial(runtime, call, next, verb, [["DialCallStatus", "failed"]], at);
    return;
  }
  const from = verb.attributes.callerId ?? (call.data.direction === "inbound" ? call.data.from : call.data.to);
  const child = legTo(runtime, call, { to, from, verb, noun, base: next.base }, at);
  runtime.timers.cancel("twilio.call", call.sid);
  const script = { ...next, waiting: { tag: "dial", dial: verb, child: child.sid } } as const;
  const waiting = keepCall(runtime, call, { script }, at);
  if ((verb.attributes.record ?? "do-not-record") !== "do-not-record") {
    const callback = verb.attributes.recordingStatusCallback;
    const statusCallback = callback === undefined ? null : (resolved(callback, next.base) ?? null);
    const method = verb.attributes.recordingStatusCallbackMethod?.toUpperCase() ?? "POST";
    const channels = verb.attributes.record?.endsWith("-dual") ? 2 : 1;
    const order = {
      source: "DialVerb",
      channels,
      track: "both",
      statusCallback,
      statusCallbackMethod: method,
      events: [],
    };
    beginRecording(runtime, waiting, order, at);
  }
  beginCall(runtime, child);
}

function legTo(
  runtime: TwilioRuntime,
  parent: PhoneCall,
  leg: {
    readonly to: string;
    readonly from: string;
    readonly verb: TwimlElement;
    readonly noun: TwimlElement | undefined;
    readonly base: string;
  },
  at: number,
): PhoneCall {
  const { to, from, verb, noun, base } = leg;
  const callback = noun?.attributes.statusCallback;
  const asked = (noun?.attributes.statusCallbackEvent ?? "completed").split(/\s+/);
  const events: readonly CallEvent[] = callEvents.filter((event) => asked.includes(event));
  const data: CallData = {
    ...parent.data,
    to,
    from,
    status: "queued",
    direction: "outbound-dial",
    parentCallSid: parent.sid,
    phoneNumberSid: runtime.state.resourceByKey(phoneNumber, from)?.sid ?? null,
    answeredBy: null,
    dialled: false,
    startedAt: null,
    endedAt: null,
    seconds: null,
    price: null,
    url: null,
    fallbackUrl: null,
    twiml: null,
    statusCallback: callback === undefined ? null : (resolved(callback, base) ?? null),
    statusCallbackMethod: noun?.attributes.statusCallbackMethod?.toUpperCase() ?? "POST",
    statusCallbackEvents: events,
    timeout: attributeNumber(verb, "timeout", 30),
    timeLimit: attributeNumber(verb, "timeLimit", 14_400),
    machineDetection: false,
    record: null,
    recordingSid: null,
    sequence: 0,
    script: null,
  };
  const child: PhoneCall = {
    sid: `CA${runtime.ids.derive("twilio.call", [parent.sid, to, from]).hex(32)}`,
    accountSid: parent.accountSid,
    parent: parent.accountSid,
    key: null,
    createdAt: at,
    updatedAt: at,
    data,
  };
  runtime.state.addResource(callKind, child);
  return child;
}

/** A leg is over: the call that dialled it goes on. */
export function dialEnded(runtime: TwilioRuntime, child: PhoneCall, at: number): void {
  const parent =
    child.data.parentCallSid === null ? undefined : runtime.state.resource(callKind, child.data.parentCallSid);
  const script = parent?.data.script;
  if (!parent || script?.waiting?.tag !== "dial" || script.waiting.child !== child.sid) return;
  const { status, seconds } = child.data;
  const recording = parent.data.recordingSid;
  const heard: [string, string][] = [
    ["DialCallSid", child.sid],
    ["DialCallStatus", status],
    ["DialCallDuration", String(seconds ?? 0)],
    ["DialBridged", String(status === "completed")],
  ];
  if (recording !== null && script.waiting.dial.attributes.record !== undefined)
    heard.push(["RecordingUrl", recordingUrl(parent.accountSid, recording)]);
  afterDial(runtime, parent, { ...script, waiting: null }, script.waiting.dial, heard, at);
}

function afterDial(
  runtime: TwilioRuntime,
  call: PhoneCall,
  next: Script,
  verb: TwimlElement,
  heard: readonly (readonly [string, string])[],
  at: number,
): void {
  const { action, method } = verb.attributes;
  if (action === undefined) {
    runVerbs(runtime, call, next, at);
    return;
  }
  follow(runtime, call, next, action, method, heard, at);
}

/** The call stays until it hangs up, is taken out, or the conference ends. */
function dialConference(
  runtime: TwilioRuntime,
  call: PhoneCall,
  next: Script,
  verb: TwimlElement,
  noun: TwimlElement,
  at: number,
): void {
  const held = conferenceNamed(runtime, call.accountSid, noun.text, at);
  const { attributes } = noun;
  joinConference(
    runtime,
    held,
    {
      callSid: call.sid,
      Label: attributes.participantLabel ?? null,
      Muted: attributes.muted === "true",
      Hold: false,
      Coaching: attributes.coach !== undefined,
      CallSidToCoach: attributes.coach ?? null,
      StartConferenceOnEnter: attributes.startConferenceOnEnter !== "false",
      EndConferenceOnExit: attributes.endConferenceOnExit === "true",
    },
    at,
  );
  runtime.timers.cancel("twilio.call", call.sid);
  keepCall(
    runtime,
    call,
    { script: { ...next, waiting: { tag: "conference", dial: verb, conference: held.sid } } },
    at,
  );
}

/** Talks to whoever has waited longest; an empty queue is waited for as little as a missing one. */
function dialQueue(
  runtime: TwilioRuntime,
  call: PhoneCall,
  next: Script,
  verb: TwimlElement,
  noun: TwimlElement,
  at: number,
): void {
  const queue = queueNamed(runtime, call.accountSid, noun.text, at);
  const first = runtime.state.firstResource(member, queue.sid);
  const caller = first && runtime.state.resource(callKind, first.data.callSid);
  const wait = waitOf(caller?.data.script);
  if (!caller || !wait) {
    afterDial(runtime, call, next, verb, [["DialCallStatus", "no-answer"]], at);
    return;
  }
  outOfQueue(runtime, caller, wait.rest, wait.waiting, "bridged", at);
  keepCall(runtime, call, { script: { ...next, waiting: { tag: "verb" } } }, at);
  wake(runtime, call, at, 30_000);
}

/** Inside a write: those left in a conference that ended go on with their next verb. */
export function conferenceEnded(runtime: TwilioRuntime, callSids: readonly string[], at: number): void {
  for (const sid of callSids) {
    const call = runtime.state.resource(callKind, sid);
    const script = call?.data.script;
    if (!call || script?.waiting?.tag !== "conference") continue;
    afterDial(runtime, call, { ...script, waiting: null }, script.waiting.dial, [["DialCallStatus", "completed"]], at);
  }
}
