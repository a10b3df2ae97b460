/** Conferences: they begin, are joined and left, end, and tell of it. All inside writes. */
import type { CallStatus } from "../domain/call.ts";
import {
  type ConferenceData,
  type ConferenceListener,
  call as callKind,
  conference,
  type ParticipantData,
  participant,
} from "../kinds.ts";
import type { Resource } from "../store-resources.ts";
import type { TwilioRuntime } from "./call.ts";
import { tellConference, tellParticipant } from "./conference-events.ts";

type Conference = Resource<ConferenceData>;
type Participant = Resource<ParticipantData>;

/** The conference of that name that is under way, or a new one. Who comes first says who hears of its events. */
export function conferenceNamed(
  runtime: TwilioRuntime,
  accountSid: string,
  name: string,
  listener: ConferenceListener | null,
  at: number,
): Conference {
  const known = runtime.state.resourceByKey(conference, `${accountSid}/${name}`);
  if (known) return known;
  const made: Conference = {
    sid: `CF${runtime.ids.derive("twilio.conference", [accountSid, name]).hex(32)}`,
    accountSid,
    parent: accountSid,
    key: `${accountSid}/${name}`,
    createdAt: at,
    updatedAt: at,
    data: { FriendlyName: name, status: "init", reason: null, endedBy: null, listener, sequence: 0, hasStarted: false },
  };
  runtime.state.addResource(conference, made);
  return made;
}

/** Whoever was invited is in it before the call is answered. It begins when somebody who may start it is on the line. */
export function joinConference(
  runtime: TwilioRuntime,
  held: Conference,
  data: ParticipantData,
  at: number,
): Participant {
  const { state } = runtime;
  const known = state.resourceByKey(participant, data.callSid);
  const joined = known?.parent === held.sid ? known : addParticipant(runtime, held, data, at);
  if (!isPresent(runtime, joined)) return joined;
  if (joined.data.StartConferenceOnEnter && held.data.status === "init")
    state.changeResource(conference, { ...held, updatedAt: at, data: { ...held.data, status: "in-progress" } });
  tellParticipant(runtime, joined, "participant-join", at);
  start(runtime, held.sid, at);
  return joined;
}

function addParticipant(runtime: TwilioRuntime, held: Conference, data: ParticipantData, at: number): Participant {
  const made: Participant = {
    sid: `${participant.prefix}${runtime.ids.derive("twilio.participant", [held.sid, data.callSid]).hex(32)}`,
    accountSid: held.accountSid,
    parent: held.sid,
    key: data.callSid,
    createdAt: at,
    updatedAt: at,
    data,
  };
  runtime.state.addResource(participant, made);
  return made;
}

/** Two are there, and one of them may start it: they hear each other. */
function start(runtime: TwilioRuntime, sid: string, at: number): void {
  const { state } = runtime;
  const held = state.resource(conference, sid);
  if (!held || held.data.hasStarted) return;
  const present = state.resourcesOf(participant, sid).filter((one) => isPresent(runtime, one));
  if (present.length < 2 || !present.some(({ data }) => data.StartConferenceOnEnter)) return;
  state.changeResource(conference, { ...held, data: { ...held.data, hasStarted: true } });
  tellConference(runtime, sid, "conference-start", at);
}

function isPresent({ state }: TwilioRuntime, { data }: Participant): boolean {
  return state.resource(callKind, data.callSid)?.data.status === "in-progress";
}

/** How somebody left: hung up or was never reached, was put out, or was sent elsewhere. `status` is the call's from now on. */
export interface Leaving {
  readonly how: "ended" | "kicked" | "redirected";
  readonly status: CallStatus;
}

/** The conference is over when the last one leaves, or one whose leaving ends it; answers who was left in it then. */
export function leaveConference(
  runtime: TwilioRuntime,
  callSid: string,
  { how, status }: Leaving,
  at: number,
): readonly string[] {
  const { state } = runtime;
  const leaving = state.resourceByKey(participant, callSid);
  if (!leaving) return [];
  state.removeResource(participant, leaving.sid);
  const reached = how !== "ended" || status === "completed";
  const left = reached
    ? how === "ended"
      ? "participant_hung_up"
      : "participant_updated_via_api"
    : "participant_add_failed";
  tellParticipant(runtime, leaving, "participant-leave", at, [
    ["ParticipantCallStatus", status],
    ["ReasonParticipantLeft", left],
  ]);
  const held = state.resource(conference, leaving.parent);
  const others = state.resourcesOf(participant, leaving.parent);
  const ends = (reached && leaving.data.EndConferenceOnExit) || others.length === 0;
  if (!held || held.data.status === "completed" || !ends) return [];
  const end = how === "kicked" ? "kicked" : "left";
  const reason = others.length === 0 ? `last-participant-${end}` : `participant-with-end-conference-on-exit-${end}`;
  return endConference(runtime, held, reason, leaving, at);
}

/** Answers who was still in it. */
export function endConference(
  runtime: TwilioRuntime,
  held: Conference,
  reason: string,
  endedBy: Participant | null,
  at: number,
): readonly string[] {
  const { state } = runtime;
  const left = state.resourcesOf(participant, held.sid);
  for (const one of left) {
    state.removeResource(participant, one.sid);
    tellParticipant(runtime, one, "participant-leave", at, [
      ["ParticipantCallStatus", state.resource(callKind, one.data.callSid)?.data.status ?? ""],
      ["ReasonParticipantLeft", endedBy === null ? "conference_ended_via_api" : "moderator_ended_conference"],
    ]);
  }
  const now = state.resource(conference, held.sid) ?? held;
  const data = { ...now.data, status: "completed" as const, reason, endedBy: endedBy?.data.callSid ?? null };
  state.changeResource(conference, { ...now, key: null, updatedAt: at, data });
  runtime.journal.append("change", held.sid, { resource: "conference", status: "completed", reason });
  const label = endedBy?.data.Label;
  tellConference(runtime, held.sid, "conference-end", at, [
    ["ReasonConferenceEnded", reason],
    ...(endedBy === null ? [] : [["CallSidEndingConference", endedBy.data.callSid] as const]),
    ...(label ? [["ParticipantLabelEndingConference", label] as const] : []),
  ]);
  return left.map((one) => one.data.callSid);
}
