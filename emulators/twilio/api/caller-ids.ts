/** The numbers that an account may show as its own, and how a call makes one of them. */
import { callerId, phoneNumber, type ValidationData, validation } from "../kinds.ts";
import type { TwilioState } from "../store.ts";
import type { Resource } from "../store-resources.ts";
import { callParameters } from "../wire/call.ts";
import { twilioCallback } from "../wire/callback.ts";
import type { TwilioRuntime } from "./call.ts";
import type { PhoneCall } from "./call-life.ts";

/** Whether the account has the number or has verified it. */
export function hasCallerId(state: TwilioState, accountSid: string, number: string): boolean {
  return (
    state.resourceByKey(phoneNumber, number)?.accountSid === accountSid ||
    state.resourcesOf(callerId, accountSid).some(({ data }) => data.PhoneNumber === number)
  );
}

/** Inside a write: a call was answered. If it validates a number, that is a caller id from now on. */
export function confirmCallerId(runtime: TwilioRuntime, call: PhoneCall, at: number): void {
  const asked = runtime.state.resourceByKey(validation, call.sid);
  if (!asked) return;
  const { accountSid, data } = asked;
  const kept = { FriendlyName: data.FriendlyName, PhoneNumber: data.PhoneNumber };
  const sid = `${callerId.prefix}${runtime.ids.derive("twilio.outgoing-caller-id", [accountSid, JSON.stringify(kept)]).hex(32)}`;
  const stamps = { accountSid, parent: accountSid, key: null, createdAt: at, updatedAt: at };
  runtime.state.addResource(callerId, { sid, ...stamps, data: kept });
  runtime.journal.append("change", sid, { resource: callerId.name, change: "created" });
  conclude(
    runtime,
    asked,
    call,
    [
      ["VerificationStatus", "success"],
      ["OutgoingCallerIdSid", sid],
    ],
    at,
  );
}

/** Inside a write: a call is over. If it was to validate a number and nobody answered, it has failed. */
export function giveUpCallerId(runtime: TwilioRuntime, call: PhoneCall, at: number): void {
  const asked = runtime.state.resourceByKey(validation, call.sid);
  if (asked) conclude(runtime, asked, call, [["VerificationStatus", "failed"]], at);
}

function conclude(
  runtime: TwilioRuntime,
  asked: Resource<ValidationData>,
  call: PhoneCall,
  outcome: readonly (readonly [string, string])[],
  at: number,
): void {
  runtime.state.removeResource(validation, asked.sid);
  const { StatusCallback: url, StatusCallbackMethod: method } = asked.data;
  if (url === "") return;
  runtime.outbox.callback(
    twilioCallback({
      type: "call.validation",
      subject: call.sid,
      accountSid: call.accountSid,
      occurredAt: at,
      method: method === "GET" ? "GET" : "POST",
      url,
      parameters: [...callParameters(call), ...outcome],
    }),
  );
}
