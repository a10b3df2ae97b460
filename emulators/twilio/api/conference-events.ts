/**
 * What a conference tells the application of itself and of who is in it.
 * https://www.twilio.com/docs/voice/twiml/conference#attributes-statusCallback
 */
import { type ConferenceListener, conference, type ParticipantData } from "../kinds.ts";
import type { Resource } from "../store-resources.ts";
import { twilioCallback } from "../wire/callback.ts";
import { rfc2822 } from "../wire/dates.ts";
import type { TwilioRuntime } from "./call.ts";
import { resolved } from "./message-replies.ts";

/** What an application asks for, and the events that are then told. */
const asked = {
  start: ["conference-start"],
  end: ["conference-end"],
  join: ["participant-join"],
  leave: ["participant-leave"],
  mute: ["participant-mute", "participant-unmute"],
  hold: ["participant-hold", "participant-unhold"],
  modify: ["participant-modify"],
} as const;
export type ConferenceEvent = (typeof asked)[keyof typeof asked][number];
type Parameters = readonly (readonly [string, string])[];

/** `base` is what a relative URL is resolved against. Null when nobody wants to hear. */
export function listenerOf(
  url: string | undefined,
  method: string | undefined,
  events: string,
  base: string,
): ConferenceListener | null {
  const target = url === undefined || url === "" ? undefined : resolved(url, base);
  if (target === undefined) return null;
  return { url: target, method: method?.toUpperCase() === "GET" ? "GET" : "POST", events: events.split(/[ ,]+/) };
}

/** Inside a write. Every event that is told counts in the sequence. */
export function tellConference(
  runtime: TwilioRuntime,
  conferenceSid: string,
  event: ConferenceEvent,
  at: number,
  more: Parameters = [],
): void {
  const held = runtime.state.resource(conference, conferenceSid);
  const listener = held?.data.listener;
  if (!held || !listener) return;
  const wanted = Object.entries(asked).some(
    ([word, events]) => listener.events.includes(word) && events.some((one) => one === event),
  );
  if (!wanted) return;
  const sequence = held.data.sequence + 1;
  runtime.state.changeResource(conference, { ...held, data: { ...held.data, sequence } });
  runtime.outbox.callback(
    twilioCallback({
      type: `conference.${event}`,
      subject: conferenceSid,
      accountSid: held.accountSid,
      occurredAt: at,
      method: listener.method,
      url: listener.url,
      parameters: [
        ["ConferenceSid", conferenceSid],
        ["FriendlyName", held.data.FriendlyName],
        ["AccountSid", held.accountSid],
        ["SequenceNumber", String(sequence)],
        ["Timestamp", rfc2822(at)],
        ["StatusCallbackEvent", event],
        ...more,
      ],
    }),
  );
}

/** Inside a write. */
export function tellParticipant(
  runtime: TwilioRuntime,
  { parent, data }: Resource<ParticipantData>,
  event: ConferenceEvent,
  at: number,
  more: Parameters = [],
): void {
  tellConference(runtime, parent, event, at, [
    ["CallSid", data.callSid],
    ["Muted", String(data.Muted)],
    ["Hold", String(data.Hold)],
    ["Coaching", String(data.Coaching)],
    ["EndConferenceOnExit", String(data.EndConferenceOnExit)],
    ["StartConferenceOnEnter", String(data.StartConferenceOnEnter)],
    ...(data.Label === null ? [] : [["ParticipantLabel", data.Label] as const]),
    ...more,
  ]);
}

/** Inside a write: what an update of a participant changed. */
export function tellChanges(
  runtime: TwilioRuntime,
  before: ParticipantData,
  after: Resource<ParticipantData>,
  at: number,
): void {
  const { data } = after;
  if (data.Muted !== before.Muted)
    tellParticipant(runtime, after, data.Muted ? "participant-mute" : "participant-unmute", at);
  if (data.Hold !== before.Hold)
    tellParticipant(runtime, after, data.Hold ? "participant-hold" : "participant-unhold", at);
  if (data.EndConferenceOnExit !== before.EndConferenceOnExit || data.Coaching !== before.Coaching)
    tellParticipant(runtime, after, "participant-modify", at);
}
