/** The Record verb: a recording that lasts until a key, silence or its longest length. */
import type { Script, Waiting } from "../domain/call.ts";
import type { TwimlElement } from "../domain/twiml.ts";
import { attributeNumber } from "../domain/voice-verbs.ts";
import { type RecordingData, recording } from "../kinds.ts";
import type { Resource } from "../store-resources.ts";
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
    { script: { ...next, waiting: { tag: "record", record: verb, recording: recorded.data.recordingSid ?? "" } } },
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
  const running = runtime.state.resource(recording, waiting.recording);
  const done = running && running.data.seconds === null ? endRecording(runtime, running, at) : running;
  const { action, method } = waiting.record.attributes;
  const rest = { ...script, waiting: null };
  follow(runtime, call, rest, action ?? "", method, recordResult(call, waiting.recording, done, key), at);
}

/** What a Record tells its action: `key` ended it, empty for silence, `hangup` when the caller hung up. */
export function recordResult(
  call: PhoneCall,
  sid: string,
  done: Resource<RecordingData> | undefined,
  key: string,
): readonly (readonly [string, string])[] {
  return [
    ["RecordingUrl", recordingUrl(call.accountSid, sid)],
    ["RecordingSid", sid],
    ["RecordingDuration", String(done?.data.seconds ?? 0)],
    ["Digits", key],
  ];
}
