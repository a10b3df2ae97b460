/** The Record verb: a recording that lasts until a key, silence or its longest length. */
import type { Script, Waiting } from "../domain/call.ts";
import type { TwimlElement } from "../domain/twiml.ts";
import { attributeNumber } from "../domain/voice-verbs.ts";
import { recording } from "../kinds.ts";
import { recordingUrl } from "../wire/call.ts";
import type { TwilioRuntime } from "./call.ts";
import { keepCall, type PhoneCall, wake } from "./call-life.ts";
import { follow } from "./call-script.ts";
import { resolved } from "./message-replies.ts";
import { beginRecording, endRecording } from "./recording-life.ts";

/** Nobody speaks here, so silence sets in after a while. */
const spokenMs = 10_000;

export function record(runtime: TwilioRuntime, call: PhoneCall, next: Script, verb: TwimlElement, at: number): void {
  const callback = verb.attributes.recordingStatusCallback;
  const recorded = beginRecording(
    runtime,
    call,
    {
      source: "RecordVerb",
      channels: 1,
      track: "inbound",
      statusCallback: callback === undefined ? null : (resolved(callback, next.base) ?? null),
      statusCallbackMethod: verb.attributes.recordingStatusCallbackMethod?.toUpperCase() ?? "POST",
      events: verb.attributes.recordingStatusCallbackEvent?.split(/\s+/) ?? [],
    },
    at,
  );
  const waiting = keepCall(
    runtime,
    recorded,
    { script: { ...next, waiting: { tag: "record", record: verb, since: at } } },
    at,
  );
  wake(runtime, waiting, at, Math.min(spokenMs, attributeNumber(verb, "maxLength", 3_600) * 1_000));
}

/** `key` is what ended it, empty for silence. Without an action the document itself is asked again. */
export function finishRecording(
  runtime: TwilioRuntime,
  call: PhoneCall,
  script: Script,
  waiting: Extract<Waiting, { tag: "record" }>,
  key: string,
  at: number,
): void {
  const sid = call.data.recordingSid ?? "";
  const running = runtime.state.resource(recording, sid);
  const done = running && running.data.seconds === null ? endRecording(runtime, running, at) : running;
  const { action, method } = waiting.record.attributes;
  follow(
    runtime,
    call,
    { ...script, waiting: null },
    action ?? "",
    method,
    [
      ["RecordingUrl", recordingUrl(call.accountSid, sid)],
      ["RecordingSid", sid],
      ["RecordingDuration", String(done?.data.seconds ?? 0)],
      ["Digits", key],
    ],
    at,
  );
}
