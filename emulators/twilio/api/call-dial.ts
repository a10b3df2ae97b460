/** The Dial verb: further legs, a conference or the first call of a queue. */
import type { CallData, CallEvent, Script } from "../domain/call.ts";
import { callEvents, isOver } from "../domain/call.ts";
import { partyOf } from "../domain/call-draft.ts";
import type { TwimlElement } from "../domain/twiml.ts";
import { attributeNumber } from "../domain/voice-verbs.ts";
import { call as callKind, phoneNumber } from "../kinds.ts";
import { recordingUrl } from "../wire/call.ts";
import type { TwilioRuntime } from "./call.ts";
import { beginCall, endCall, keepCall, type PhoneCall } from "./call-life.ts";
import { follow, runVerbs } from "./call-script.ts";
import { dialQueue } from "./call-service.ts";
import { hasCallerId } from "./caller-ids.ts";
import { listenerOf } from "./conference-events.ts";
import { conferenceNamed, joinConference } from "./conference-life.ts";
import { warn } from "./documents.ts";
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
      dialParties(runtime, call, next, verb, at);
      return;
  }
}

/** All nouns ring at once, and whoever answers first has the call. https://www.twilio.com/docs/voice/twiml/dial */
function dialParties(runtime: TwilioRuntime, call: PhoneCall, next: Script, verb: TwimlElement, at: number): void {
  const nouns = verb.children.length > 0 ? verb.children : [undefined];
  const parties = nouns.flatMap((noun) => {
    const name = noun?.text ?? verb.text;
    const to = partyOf(noun?.name === "Client" && !name.startsWith("client:") ? `client:${name}` : name);
    if (to === undefined) warn(runtime, call.sid, `Dial of ${name}`, 13_224);
    return to === undefined ? [] : [{ to, noun }];
  });
  const from = callerIdOf(runtime, call, verb);
  if (from === undefined) warn(runtime, call.sid, `callerId="${verb.attributes.callerId}"`, 13_214);
  if (parties.length === 0 || from === undefined) {
    afterDial(runtime, call, next, verb, [["DialCallStatus", "failed"]], at);
    return;
  }
  const legs = parties.map((party) => legTo(runtime, call, { ...party, from, verb, base: next.base }, at));
  runtime.timers.cancel("twilio.call", call.sid);
  const script = { ...next, waiting: { tag: "dial", dial: verb, legs: legs.map(({ sid }) => sid) } } as const;
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
  for (const leg of legs) beginCall(runtime, leg);
}

/** Who the legs see: the caller, or a number of the account that the verb names; undefined when it may not be shown. */
function callerIdOf(
  { state }: TwilioRuntime,
  { accountSid, data }: PhoneCall,
  { attributes }: TwimlElement,
): string | undefined {
  const usual = data.direction === "inbound" ? data.from : data.to;
  if (attributes.callerId === undefined) return usual;
  const named = partyOf(attributes.callerId);
  const mayShow = named !== undefined && (named === data.from || named === data.to || !named.startsWith("+"));
  return mayShow || (named !== undefined && hasCallerId(state, accountSid, named)) ? named : undefined;
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

/** Inside a write: a leg was answered, so the others stop ringing. */
export function stopOtherLegs(runtime: TwilioRuntime, answered: PhoneCall, at: number): void {
  const { parent, script } = dialBehind(runtime, answered) ?? {};
  if (!parent || !script || script.waiting.legs.length === 1) return;
  keepCall(runtime, parent, { script: { ...script, waiting: { ...script.waiting, legs: [answered.sid] } } }, at);
  for (const sid of script.waiting.legs) {
    const other = sid === answered.sid ? undefined : runtime.state.resource(callKind, sid);
    if (other) endCall(runtime, other, "canceled", at);
  }
}

/** A leg is over, or was sent elsewhere: the call that dialled it goes on, unless another leg still rings. */
export function dialEnded(runtime: TwilioRuntime, child: PhoneCall, at: number): void {
  const { parent, script } = dialBehind(runtime, child) ?? {};
  if (!parent || !script) return;
  const { dial, legs } = script.waiting;
  const left = legs.filter((sid) => sid !== child.sid && isRinging(runtime, sid));
  if (left.length > 0) {
    keepCall(runtime, parent, { script: { ...script, waiting: { ...script.waiting, legs: left } } }, at);
    return;
  }
  afterDial(runtime, parent, { ...script, waiting: null }, dial, dialResult(parent, dial, child, at), at);
}

function isRinging({ state }: TwilioRuntime, sid: string): boolean {
  const leg = state.resource(callKind, sid);
  return leg !== undefined && !isOver(leg.data.status);
}

/** What a Dial tells its action of the leg that was answered, or of the last to give up. */
export function dialResult(
  parent: PhoneCall,
  dial: TwimlElement,
  { sid, data }: PhoneCall,
  at: number,
): readonly (readonly [string, string])[] {
  const { status, startedAt } = data;
  const bridged = status === "completed" || status === "in-progress";
  const seconds = data.seconds ?? (bridged && startedAt !== null ? Math.round((at - startedAt) / 1_000) : 0);
  const recording = dial.attributes.record === undefined ? null : parent.data.recordingSid;
  return [
    ["DialCallSid", sid],
    ["DialCallStatus", bridged ? "completed" : status],
    ["DialCallDuration", String(seconds)],
    ["DialBridged", String(bridged)],
    ...(recording === null ? [] : [["RecordingUrl", recordingUrl(parent.accountSid, recording)] as const]),
  ];
}

/** The call that waits for this leg, and what it waits with. */
function dialBehind({ state }: TwilioRuntime, { sid, data }: PhoneCall) {
  const parent = data.parentCallSid === null ? undefined : state.resource(callKind, data.parentCallSid);
  const script = parent?.data.script;
  if (!parent || !script || script.waiting?.tag !== "dial" || !script.waiting.legs.includes(sid)) return undefined;
  return { parent, script: { ...script, waiting: script.waiting } };
}

export function afterDial(
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
  const { attributes } = noun;
  const { statusCallback, statusCallbackMethod, statusCallbackEvent = "" } = attributes;
  const listener = listenerOf(statusCallback, statusCallbackMethod, statusCallbackEvent, next.base);
  const held = conferenceNamed(runtime, call.accountSid, noun.text, listener, at);
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

/** Inside a write: those left in a conference that ended go on with their next verb. */
export function conferenceEnded(runtime: TwilioRuntime, callSids: readonly string[], at: number): void {
  for (const sid of callSids) {
    const call = runtime.state.resource(callKind, sid);
    const script = call?.data.script;
    if (!call || script?.waiting?.tag !== "conference") continue;
    afterDial(runtime, call, { ...script, waiting: null }, script.waiting.dial, [["DialCallStatus", "completed"]], at);
  }
}
