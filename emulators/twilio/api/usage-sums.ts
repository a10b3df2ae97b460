/** What an account has used and what that cost: what usage records, balance and the deletion of logs agree on. */
import type { CallData } from "../domain/call.ts";
import type { Message } from "../domain/message.ts";
import { attemptPrice } from "../domain/verification.ts";
import { attempt, type PastUsageData, pastUsage, phoneNumber, type RecordingData, verification } from "../kinds.ts";
import type { Resource } from "../store-resources.ts";
import { addUsage, type UsageQuery, type UsageSums } from "../store-usage.ts";
import type { TwilioRuntime } from "./call.ts";

/** Of one category of `domain/usage.ts`. */
export function usageOf({ state }: TwilioRuntime, category: string, query: UsageQuery): UsageSums {
  const sms = (inbound: boolean) => state.messageUsage(query, inbound, false);
  const mms = (inbound: boolean) => state.messageUsage(query, inbound, true);
  const calls = (inbound: boolean) => state.callUsage(query, inbound);
  const made = (kind: { readonly name: string }, price = 0) => {
    const count = state.countMade(kind.name, query);
    return { count, usage: count, price };
  };
  const verifications = () => made(verification, state.countMade(attempt.name, query) * attemptPrice);
  switch (category) {
    case "sms":
      return addUsage(sms(false), sms(true));
    case "sms-inbound":
      return sms(true);
    case "sms-outbound":
      return sms(false);
    case "mms":
      return addUsage(mms(false), mms(true));
    case "mms-inbound":
      return mms(true);
    case "mms-outbound":
      return mms(false);
    case "calls":
      return addUsage(calls(false), calls(true));
    case "calls-inbound":
      return calls(true);
    case "calls-outbound":
      return calls(false);
    case "phonenumbers":
      return made(phoneNumber);
    case "recordings":
      return state.recordingUsage(query);
    case "verifications":
      return verifications();
    case "totalprice":
      return addUsage(sms(false), sms(true), mms(false), mms(true), calls(false), calls(true), verifications());
    default:
      return addUsage();
  }
}

/** Inside the write that deletes the message. */
export function rememberMessage(runtime: TwilioRuntime, message: Message): void {
  const { accountSid, sid, createdAt, status, direction, numMedia, numSegments, price } = message;
  if (status === "failed" || status === "canceled") return;
  const mms = numMedia > 0;
  remember(
    runtime,
    { accountSid, sid, createdAt },
    {
      of: mms ? "mms" : "sms",
      inbound: direction === "inbound",
      usage: mms ? 1 : numSegments,
      price: price ?? 0,
    },
  );
}

/** Inside the write that deletes the call. */
export function rememberCall(runtime: TwilioRuntime, call: Resource<CallData>): void {
  const { status, direction, seconds, price } = call.data;
  if (status !== "completed") return;
  remember(runtime, call, {
    of: "calls",
    inbound: direction === "inbound",
    usage: minutes(seconds),
    price: price ?? 0,
  });
}

/** Inside the write that deletes the recording. */
export function rememberRecording(runtime: TwilioRuntime, recording: Resource<RecordingData>): void {
  remember(runtime, recording, {
    of: "recordings",
    inbound: false,
    usage: minutes(recording.data.seconds),
    price: 0,
  });
}

function minutes(seconds: number | null): number {
  return Math.ceil((seconds ?? 0) / 60);
}

function remember(
  { state, ids }: TwilioRuntime,
  of: { readonly accountSid: string; readonly sid: string; readonly createdAt: number },
  data: PastUsageData,
): void {
  const { accountSid, sid, createdAt } = of;
  state.addResource(pastUsage, {
    sid: `${pastUsage.prefix}${ids.fixed("twilio.past-usage", [sid]).hex(32)}`,
    accountSid,
    parent: accountSid,
    key: null,
    createdAt,
    updatedAt: createdAt,
    data,
  });
}
