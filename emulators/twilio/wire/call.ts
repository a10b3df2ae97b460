/** A call on the wire, and what applications are told of it. */
import type { CallData, CallEvent } from "../domain/call.ts";
import { friendlyForm } from "../domain/countries.ts";
import { placeOf } from "../domain/geography.ts";
import type { Resource } from "../store-resources.ts";
import { rfc2822 } from "./dates.ts";
import type { Shown } from "./resource.ts";

export type Call = Resource<CallData>;
type Parameters = readonly (readonly [string, string])[];

const subresources = [
  ["notifications", "Notifications"],
  ["recordings", "Recordings"],
  ["payments", "Payments"],
  ["events", "Events"],
  ["siprec", "Siprec"],
  ["streams", "Streams"],
  ["transcriptions", "Transcriptions"],
  ["user_defined_message_subscriptions", "UserDefinedMessageSubscriptions"],
  ["user_defined_messages", "UserDefinedMessages"],
] as const;

/** The answer to a create shows no dates yet. */
export function renderCall(call: Call, end: "" | ".json", created = false): Shown {
  const { sid, accountSid, createdAt, updatedAt, data } = call;
  const path = `/2010-04-01/Accounts/${accountSid}/Calls/${sid}`;
  const date = (instant: number | null) => (instant === null || created ? null : rfc2822(instant));
  return {
    sid,
    date_created: date(createdAt),
    date_updated: date(updatedAt),
    parent_call_sid: data.parentCallSid,
    account_sid: accountSid,
    to: data.to,
    to_formatted: friendlyForm(data.to),
    from: data.from,
    from_formatted: friendlyForm(data.from),
    phone_number_sid: data.phoneNumberSid,
    status: data.status,
    start_time: date(data.startedAt),
    end_time: date(data.endedAt),
    duration: data.seconds === null ? null : String(data.seconds),
    price: data.price === null ? null : (data.price / 100_000).toFixed(5),
    price_unit: "USD",
    direction: data.direction,
    answered_by: data.answeredBy,
    api_version: "2010-04-01",
    forwarded_from: null,
    group_sid: null,
    caller_name: data.direction === "inbound" ? "" : null,
    queue_time: "0",
    trunk_sid: null,
    uri: `${path}${end}`,
    subresource_uris: Object.fromEntries(subresources.map(([name, last]) => [name, `${path}/${last}${end}`])),
  };
}

/** In the alphabetical order of the wire. */
export function callParameters({ sid, accountSid, data }: Call, status: string = data.status): Parameters {
  const [to, from] = [placeOf(data.to), placeOf(data.from)];
  const answered: Parameters = data.answeredBy === null ? [] : [["AnsweredBy", data.answeredBy]];
  const parent: Parameters = data.parentCallSid === null ? [] : [["ParentCallSid", data.parentCallSid]];
  return [
    ["AccountSid", accountSid],
    ...answered,
    ["ApiVersion", "2010-04-01"],
    ["CallSid", sid],
    ["CallStatus", status],
    ["Called", data.to],
    ["CalledCity", to.City],
    ["CalledCountry", to.Country],
    ["CalledState", to.State],
    ["CalledZip", to.Zip],
    ["Caller", data.from],
    ["CallerCity", from.City],
    ["CallerCountry", from.Country],
    ["CallerState", from.State],
    ["CallerZip", from.Zip],
    ["Direction", data.direction],
    ["From", data.from],
    ["FromCity", from.City],
    ["FromCountry", from.Country],
    ["FromState", from.State],
    ["FromZip", from.Zip],
    ...parent,
    ["To", data.to],
    ["ToCity", to.City],
    ["ToCountry", to.Country],
    ["ToState", to.State],
    ["ToZip", to.Zip],
  ];
}

export function callProgress(call: Call, event: CallEvent, at: number): Parameters {
  const { data } = call;
  const shown = event === "initiated" ? "initiated" : data.status;
  const progress: [string, string][] = [
    ["Timestamp", rfc2822(at)],
    ["CallbackSource", "call-progress-events"],
    ["SequenceNumber", String(data.sequence)],
  ];
  if (event === "completed") {
    const seconds = data.seconds ?? 0;
    progress.push(["Duration", String(Math.ceil(seconds / 60))], ["CallDuration", String(seconds)]);
    if (data.status === "busy") progress.push(["SipResponseCode", "486"]);
    else if (data.status === "no-answer") progress.push(["SipResponseCode", "487"]);
    else if (data.status === "completed") progress.push(["SipResponseCode", "200"]);
    if (data.recordingSid !== null) progress.push(...recordingOf(call, data.recordingSid));
  }
  return [...callParameters(call, shown), ...progress];
}

function recordingOf({ accountSid, data }: Call, sid: string): [string, string][] {
  return [
    ["RecordingUrl", recordingUrl(accountSid, sid)],
    ["RecordingSid", sid],
    ["RecordingDuration", String(data.seconds ?? 0)],
  ];
}

export function recordingUrl(accountSid: string, sid: string): string {
  return `https://api.twilio.com/2010-04-01/Accounts/${accountSid}/Recordings/${sid}`;
}
