/** A call comes in: it rings, and the application is asked what to do with it. */
import type { CallData } from "../domain/call.ts";
import { application, call as callKind, phoneNumber } from "../kinds.ts";
import { callParameters } from "../wire/call.ts";
import type { TwilioRuntime } from "./call.ts";
import { endCall, type PhoneCall, tellCall } from "./call-life.ts";
import { askDocument } from "./documents.ts";

/** Inside a write. Undefined when no active account has the number. */
export function receiveCall(runtime: TwilioRuntime, from: string, to: string, at: number): PhoneCall | undefined {
  const { state } = runtime;
  const number = state.resourceByKey(phoneNumber, to);
  if (!number || state.account(number.accountSid)?.status !== "active") return undefined;
  const { accountSid, data: own } = number;
  const app = own.VoiceApplicationSid === "" ? undefined : state.resource(application, own.VoiceApplicationSid);
  const leads = app?.data ?? own;
  const data: CallData = {
    to,
    from,
    status: "ringing",
    direction: "inbound",
    parentCallSid: null,
    phoneNumberSid: number.sid,
    answeredBy: null,
    dialled: true,
    startedAt: at,
    endedAt: null,
    seconds: null,
    price: null,
    url: leads.VoiceUrl || null,
    method: leads.VoiceMethod,
    fallbackUrl: leads.VoiceFallbackUrl || null,
    fallbackMethod: leads.VoiceFallbackMethod,
    twiml: null,
    statusCallback: leads.StatusCallback || null,
    statusCallbackMethod: leads.StatusCallbackMethod,
    statusCallbackEvents: ["completed"],
    timeout: 60,
    timeLimit: 14_400,
    machineDetection: false,
    record: null,
    recordingSid: null,
    sequence: 0,
    script: null,
  };
  const sid = `CA${runtime.ids.derive("twilio.call", [accountSid, to, from, "inbound"]).hex(32)}`;
  const call: PhoneCall = { sid, accountSid, parent: accountSid, key: null, createdAt: at, updatedAt: at, data };
  state.addResource(callKind, call);
  tellCall(runtime, call);
  // A number that leads nowhere is not answered.
  if (data.url === null) return endCall(runtime, call, "failed", at);
  const { url, method, fallbackUrl, fallbackMethod } = data;
  const parameters = callParameters(call);
  askDocument(
    runtime,
    { purpose: "call", subject: sid, accountSid, url, method, fallbackUrl, fallbackMethod, parameters, hops: 0 },
    at,
  );
  return call;
}
