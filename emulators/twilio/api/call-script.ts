/**
 * Runs the TwiML of a call verb by verb. What takes time waits on the clock, what asks the application waits for its answer;
 * when the verbs are used up the call hangs up. All inside writes.
 */
import type { Timer } from "../../kernel/timers.ts";
import { callDelays, isOver, type Queued, type Script } from "../domain/call.ts";
import { parseTwiml, type TwimlElement } from "../domain/twiml.ts";
import { durationOf, gatherDuration, gatherKeys } from "../domain/voice-verbs.ts";
import { call as callKind } from "../kinds.ts";
import { callParameters } from "../wire/call.ts";
import type { TwilioRuntime } from "./call.ts";
import { dial, dialEnded, stopOtherLegs } from "./call-dial.ts";
import { tellLastAction } from "./call-last-action.ts";
import { answerCall, dialOn, endCall, keepCall, type PhoneCall, wake } from "./call-life.ts";
import { enqueue, heardOut, outOfQueue, waitSilently } from "./call-queue.ts";
import { finishRecording, record } from "./call-record.ts";
import { nobodyCame, partCompany } from "./call-service.ts";
import { confirmCallerId } from "./caller-ids.ts";
import { type Answer, askDocument, mostHops, warn } from "./documents.ts";
import { resolved } from "./message-replies.ts";

type Parameters = readonly (readonly [string, string])[];

/** A timer of kind `twilio.call` fell due. */
export function advanceCall(runtime: TwilioRuntime, timer: Timer): void {
  const call = runtime.state.resource(callKind, timer.subject);
  if (!call || isOver(call.data.status)) return;
  const at = timer.due;
  if (call.data.status !== "in-progress") {
    const answered = dialOn(runtime, call, at);
    if (answered) begin(runtime, answered, at);
    const now = runtime.state.resource(callKind, call.sid);
    if (now && isOver(now.data.status)) dialEnded(runtime, now, at);
    return;
  }
  const { script } = call.data;
  if (!script) {
    // The far end of a dial has no script: it talks for a while and hangs up.
    dialEnded(runtime, endCall(runtime, call, "completed", at), at);
    return;
  }
  timeIsUp(runtime, call, script, at);
}

/** A timer of kind `twilio.call-limit` fell due: the call has lasted as long as it may. */
export function limitCall(runtime: TwilioRuntime, timer: Timer): void {
  const call = runtime.state.resource(callKind, timer.subject);
  if (call) hangUp(runtime, call, timer.due);
}

/** A call has just been answered: what it is to do is in its TwiML, or where its URL leads. */
function begin(runtime: TwilioRuntime, call: PhoneCall, at: number): void {
  const { twiml, url, direction } = call.data;
  confirmCallerId(runtime, call, at);
  if (direction === "outbound-dial") {
    stopOtherLegs(runtime, call, at);
    wake(runtime, call, at, callDelays.talk);
    return;
  }
  if (twiml !== null) {
    runSource(runtime, call, twiml, at);
    return;
  }
  if (url !== null) askNext(runtime, call, { url, method: call.data.method, parameters: [], hops: 0 }, at);
}

export function runSource(runtime: TwilioRuntime, call: PhoneCall, source: string, at: number): void {
  const parsed = parseTwiml(source);
  if (parsed.tag === "response") {
    runVerbs(runtime, call, { verbs: parsed.verbs, base: "", waiting: null, hops: 0 }, at);
    return;
  }
  warn(runtime, call.sid, parsed.reason, 12_100);
  endCall(runtime, call, "completed", at);
}

/** The application's answer about a call has come. */
export function answerCallDocument(runtime: TwilioRuntime, { request, at, base, verbs }: Answer): void {
  const call = runtime.state.resource(callKind, request.subject);
  if (!call || isOver(call.data.status)) return;
  if (call.data.status === "ringing" && call.data.direction === "inbound") {
    answerInbound(runtime, call, { verbs, base, hops: request.hops }, at);
    return;
  }
  // Nothing usable came back: the caller hears that an application error has occurred, and the call ends. In a queue it waits on.
  const queued = call.data.script?.queued;
  if (verbs) runVerbs(runtime, call, { verbs, base, waiting: null, hops: request.hops, ...(queued && { queued }) }, at);
  else if (queued) waitSilently(runtime, call, queued, at);
  else endCall(runtime, call, "completed", at);
}

/** A call that is rejected is never answered, and costs nothing. */
function answerInbound(
  runtime: TwilioRuntime,
  call: PhoneCall,
  {
    verbs,
    base,
    hops,
  }: { readonly verbs: readonly TwimlElement[] | undefined; readonly base: string; readonly hops: number },
  at: number,
): void {
  const first = verbs?.[0];
  if (first?.name === "Reject") {
    endCall(runtime, call, first.attributes.reason === "busy" ? "busy" : "no-answer", at);
    return;
  }
  const answered = answerCall(runtime, call, at, null);
  if (verbs) runVerbs(runtime, answered, { verbs, base, waiting: null, hops }, at);
  else endCall(runtime, answered, "completed", at);
}

const notWhileQueued: ReadonlySet<string> = new Set(["Dial", "Enqueue", "Record", "Reject"]);

/** Takes verbs until one has to wait. */
export function runVerbs(runtime: TwilioRuntime, call: PhoneCall, script: Script, at: number): void {
  const { queued } = script;
  const [verb, ...rest] = script.verbs;
  if (!verb) {
    if (queued) heardOut(runtime, call, queued, at);
    else endCall(runtime, call, "completed", at);
    return;
  }
  const next: Script = { ...script, verbs: rest, waiting: null };
  const log = { resource: "call", verb: verb.name, ...(verb.text === "" ? {} : { text: verb.text }) };
  runtime.journal.append("change", call.sid, log);
  if (queued && notWhileQueued.has(verb.name)) {
    warn(runtime, call.sid, `<${verb.name}> cannot be carried out while the call waits in a queue`);
    runVerbs(runtime, call, next, at);
    return;
  }
  switch (verb.name) {
    case "Say":
    case "Play":
    case "Pause":
      keepCall(runtime, call, { script: { ...next, waiting: { tag: "verb" } } }, at);
      wake(runtime, call, at, durationOf(verb));
      return;
    case "Gather":
      keepCall(runtime, call, { script: { ...next, waiting: { tag: "gather", gather: verb, typed: "" } } }, at);
      wake(runtime, call, at, gatherDuration(verb, ""));
      return;
    case "Record":
      record(runtime, call, next, verb, at);
      return;
    case "Dial":
      dial(runtime, call, next, verb, at);
      return;
    case "Enqueue":
      enqueue(runtime, call, next, verb, at);
      return;
    case "Redirect":
      follow(runtime, call, next, verb.text, verb.attributes.method, [], at);
      return;
    case "Hangup":
      endCall(runtime, call, "completed", at);
      return;
    case "Leave":
      if (queued) outOfQueue(runtime, call, queued.rest, queued.waiting, "leave", at);
      else runVerbs(runtime, call, next, at);
      return;
    case "Reject":
      // On a call that was answered it means nothing.
      runVerbs(runtime, call, next, at);
      return;
    default:
      warn(runtime, call.sid, `<${verb.name}> is read, but not carried out`);
      runVerbs(runtime, call, next, at);
      return;
  }
}

/** What a call waited for did not come, or has passed. */
function timeIsUp(runtime: TwilioRuntime, call: PhoneCall, script: Script, at: number): void {
  const { waiting } = script;
  switch (waiting?.tag) {
    case "gather":
      gathered(
        runtime,
        call,
        script,
        waiting.gather,
        [
          ["Digits", waiting.typed],
          ["FinishedOnKey", ""],
        ],
        waiting.typed !== "",
        at,
      );
      return;
    case "record":
      finishRecording(runtime, call, script, waiting, "", at);
      return;
    case "verb":
      runVerbs(runtime, call, script, at);
      return;
    case "caller":
      nobodyCame(runtime, call, script, waiting, at);
      return;
    case "serving":
      partCompany(runtime, call, at);
      return;
    default:
      return;
  }
}

export interface CallInput {
  readonly digits?: string | undefined;
  readonly speech?: string | undefined;
  readonly confidence?: number | undefined;
}

/** Somebody presses keys or speaks. Answers whether the call was listening. */
export function giveInput(
  runtime: TwilioRuntime,
  call: PhoneCall,
  { digits, speech, confidence }: CallInput,
  at: number,
): boolean {
  const { script } = call.data;
  const waiting = script?.waiting;
  if (!script || !waiting) return false;
  if (waiting.tag === "record" && digits !== undefined) {
    const finish = waiting.record.attributes.finishOnKey ?? "1234567890*#";
    const key = [...digits].find((one) => finish.includes(one));
    if (key !== undefined) finishRecording(runtime, call, script, waiting, key, at);
    return key !== undefined;
  }
  if (waiting.tag !== "gather") return false;
  const listensFor = (waiting.gather.attributes.input ?? "dtmf").split(/\s+/);
  if (!listensFor.includes(speech === undefined ? "dtmf" : "speech")) return false;
  if (speech !== undefined) {
    const heard: Parameters = [
      ["SpeechResult", speech],
      ["Confidence", String(confidence ?? 0.9)],
    ];
    gathered(runtime, call, script, waiting.gather, heard, true, at);
    return true;
  }
  const { typed, finishedOn, done } = gatherKeys(waiting.gather, waiting.typed, digits ?? "");
  if (done) {
    const pressed: Parameters = [
      ["Digits", typed],
      ["FinishedOnKey", finishedOn],
    ];
    gathered(runtime, call, script, waiting.gather, pressed, typed !== "" || finishedOn !== "", at);
  } else {
    keepCall(runtime, call, { script: { ...script, waiting: { ...waiting, typed } } }, at);
    wake(runtime, call, at, gatherDuration(waiting.gather, typed));
  }
  return true;
}

/** Input leads to the action; none to the next verb, unless the Gather wants to hear of that as well. */
function gathered(
  runtime: TwilioRuntime,
  call: PhoneCall,
  script: Script,
  gather: TwimlElement,
  input: Parameters,
  any: boolean,
  at: number,
): void {
  const rest = { ...script, waiting: null };
  if (!any && gather.attributes.actionOnEmptyResult !== "true") {
    runVerbs(runtime, call, rest, at);
    return;
  }
  const { action, method } = gather.attributes;
  follow(runtime, call, rest, action ?? "", method, [...input, ["msg", "Gather End"]], at);
}

/** Asks the application at `url` of the document, or at the document's own URL when it names none. */
export function follow(
  runtime: TwilioRuntime,
  call: PhoneCall,
  script: Script,
  url: string,
  method: string | undefined,
  parameters: Parameters,
  at: number,
): void {
  const target = url === "" && script.base !== "" ? script.base : resolved(url, script.base);
  if (target === undefined || script.hops >= mostHops) {
    warn(runtime, call.sid, target === undefined ? `${url} is no URL to go to` : "documents lead in a circle", 11_100);
    endCall(runtime, call, "completed", at);
    return;
  }
  askNext(
    runtime,
    call,
    {
      url: target,
      method: method?.toUpperCase() ?? "POST",
      parameters,
      hops: script.hops + 1,
      ...(script.queued && { queued: script.queued }),
    },
    at,
  );
}

export function askNext(
  runtime: TwilioRuntime,
  call: PhoneCall,
  to: {
    readonly url: string;
    readonly method: string;
    readonly parameters: Parameters;
    readonly hops: number;
    readonly queued?: Queued;
  },
  at: number,
): void {
  runtime.timers.cancel("twilio.call", call.sid);
  const { url, method, parameters, hops, queued } = to;
  const script: Script = { verbs: [], base: url, waiting: { tag: "document" }, hops, ...(queued && { queued }) };
  const waiting = keepCall(runtime, call, { script }, at);
  const { fallbackUrl, fallbackMethod } = call.data;
  askDocument(
    runtime,
    {
      purpose: "call",
      subject: call.sid,
      accountSid: call.accountSid,
      url,
      method,
      fallbackUrl,
      fallbackMethod,
      parameters: [...callParameters(waiting), ...parameters],
      hops,
    },
    at,
  );
}

/** Inside a write: one end hangs up, and the application hears what became of the verb that was being carried out. */
export function hangUp(runtime: TwilioRuntime, call: PhoneCall, at: number): void {
  const status = call.data.status === "in-progress" ? "completed" : "canceled";
  const ended = endCall(runtime, call, status, at);
  tellLastAction(runtime, call, ended, at);
  dialEnded(runtime, ended, at);
}
