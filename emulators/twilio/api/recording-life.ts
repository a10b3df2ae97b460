/** Recordings are made up: when they began, how long they lasted, and who is told. */
import { call as callKind, participant, type RecordingData, recording } from "../kinds.ts";
import type { Resource } from "../store-resources.ts";
import { recordingUrl } from "../wire/call.ts";
import { twilioCallback } from "../wire/callback.ts";
import { rfc2822 } from "../wire/dates.ts";
import type { TwilioRuntime } from "./call.ts";
import type { PhoneCall } from "./call-life.ts";

export interface RecordingOrder {
  readonly source: string;
  readonly channels: number;
  readonly track: string;
  readonly statusCallback: string | null;
  readonly statusCallbackMethod: string;
  readonly events: readonly string[];
}

/** Inside a write. Answers the call as it is then. */
export function beginRecording(runtime: TwilioRuntime, call: PhoneCall, order: RecordingOrder, at: number): PhoneCall {
  const made: Resource<RecordingData> = {
    sid: `RE${runtime.ids.derive("twilio.recording", [call.sid, order.source]).hex(32)}`,
    accountSid: call.accountSid,
    parent: call.accountSid,
    key: call.sid,
    createdAt: at,
    updatedAt: at,
    data: {
      callSid: call.sid,
      conferenceSid: runtime.state.resourceByKey(participant, call.sid)?.parent ?? null,
      startedAt: at,
      seconds: null,
      channels: order.channels,
      source: order.source,
      status: "in-progress",
      track: order.track,
      statusCallback: order.statusCallback,
      statusCallbackMethod: order.statusCallbackMethod,
      events: order.events.length > 0 ? order.events : ["completed"],
    },
  };
  runtime.state.addResource(recording, made);
  tell(runtime, made, at);
  const after = { ...call, data: { ...call.data, recordingSid: made.sid } };
  runtime.state.changeResource(callKind, after);
  return after;
}

/** Inside a write: every recording of the call that still runs is done. */
export function endRecordings(runtime: TwilioRuntime, call: PhoneCall, at: number): void {
  for (const one of runtime.state.resourcesOf(recording, call.accountSid))
    if (one.data.callSid === call.sid && one.data.seconds === null) endRecording(runtime, one, at);
}

export function endRecording(
  runtime: TwilioRuntime,
  before: Resource<RecordingData>,
  at: number,
): Resource<RecordingData> {
  const seconds = Math.max(0, Math.round((at - before.data.startedAt) / 1_000));
  const after = { ...before, updatedAt: at, data: { ...before.data, status: "completed" as const, seconds } };
  runtime.state.changeResource(recording, after);
  tell(runtime, after, at);
  return after;
}

function tell(runtime: TwilioRuntime, { sid, accountSid, data }: Resource<RecordingData>, at: number): void {
  runtime.journal.append("change", sid, { resource: "recording", status: data.status, call: data.callSid });
  if (data.statusCallback === null || !data.events.includes(data.status)) return;
  const parameters: [string, string][] = [
    ["RecordingSource", data.source],
    ["RecordingTrack", data.track],
    ["RecordingSid", sid],
    ["RecordingUrl", recordingUrl(accountSid, sid)],
    ["RecordingStatus", data.status],
    ["RecordingChannels", String(data.channels)],
    ["ErrorCode", "0"],
    ["CallSid", data.callSid],
    ["RecordingStartTime", rfc2822(data.startedAt)],
    ["AccountSid", accountSid],
    ["RecordingDuration", String(data.seconds ?? 0)],
  ];
  runtime.outbox.callback(
    twilioCallback({
      type: `recording.${data.status}`,
      subject: sid,
      accountSid,
      occurredAt: at,
      method: data.statusCallbackMethod === "GET" ? "GET" : "POST",
      url: data.statusCallback,
      parameters,
    }),
  );
}
