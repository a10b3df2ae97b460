/** Where calls meet: queues they wait in, conferences they talk in. All inside writes. */
import {
  type ConferenceData,
  call as callKind,
  conference,
  member,
  type ParticipantData,
  participant,
  type QueueData,
  queue,
  queueServer,
} from "../kinds.ts";
import type { Resource } from "../store-resources.ts";
import type { TwilioRuntime } from "./call.ts";

/** The queue of that name, made when it is first used. */
export function queueNamed(runtime: TwilioRuntime, accountSid: string, name: string, at: number): Resource<QueueData> {
  const known = runtime.state.resourceByKey(queue, `${accountSid}/${name}`);
  if (known) return known;
  const made: Resource<QueueData> = {
    sid: `QU${runtime.ids.derive("twilio.queue", [accountSid, name]).hex(32)}`,
    accountSid,
    parent: accountSid,
    key: `${accountSid}/${name}`,
    createdAt: at,
    updatedAt: at,
    data: { FriendlyName: name, MaxSize: 100 },
  };
  runtime.state.addResource(queue, made);
  return made;
}

/** As somebody who waits to be served, or who waits to serve. */
export function joinQueue(
  runtime: TwilioRuntime,
  as: typeof member | typeof queueServer,
  queueSid: string,
  call: { readonly sid: string; readonly accountSid: string },
  at: number,
): void {
  runtime.state.addResource(as, {
    sid: `${as.prefix}${runtime.ids.derive(`twilio.${as.name}`, [queueSid, call.sid]).hex(32)}`,
    accountSid: call.accountSid,
    parent: queueSid,
    key: call.sid,
    createdAt: at,
    updatedAt: at,
    data: { callSid: call.sid },
  });
}

export function leaveQueue({ state }: TwilioRuntime, callSid: string): void {
  for (const kind of [member, queueServer]) {
    const waiting = state.resourceByKey(kind, callSid);
    if (waiting) state.removeResource(kind, waiting.sid);
  }
}

/** The conference of that name that is under way, or a new one. */
export function conferenceNamed(
  runtime: TwilioRuntime,
  accountSid: string,
  name: string,
  at: number,
): Resource<ConferenceData> {
  const known = runtime.state.resourceByKey(conference, `${accountSid}/${name}`);
  if (known) return known;
  const made: Resource<ConferenceData> = {
    sid: `CF${runtime.ids.derive("twilio.conference", [accountSid, name]).hex(32)}`,
    accountSid,
    parent: accountSid,
    key: `${accountSid}/${name}`,
    createdAt: at,
    updatedAt: at,
    data: { FriendlyName: name, status: "init", reason: null, endedBy: null },
  };
  runtime.state.addResource(conference, made);
  return made;
}

/** Whoever was invited is in it before the call is answered. It begins when somebody who may start it is on the line. */
export function joinConference(
  runtime: TwilioRuntime,
  held: Resource<ConferenceData>,
  data: ParticipantData,
  at: number,
): Resource<ParticipantData> {
  const { state } = runtime;
  const known = state.resourceByKey(participant, data.callSid);
  const present = state.resource(callKind, data.callSid)?.data.status === "in-progress";
  if (present && (known?.data ?? data).StartConferenceOnEnter && held.data.status === "init")
    state.changeResource(conference, { ...held, updatedAt: at, data: { ...held.data, status: "in-progress" } });
  if (known?.parent === held.sid) return known;
  const made: Resource<ParticipantData> = {
    sid: `${participant.prefix}${runtime.ids.derive("twilio.participant", [held.sid, data.callSid]).hex(32)}`,
    accountSid: held.accountSid,
    parent: held.sid,
    key: data.callSid,
    createdAt: at,
    updatedAt: at,
    data,
  };
  state.addResource(participant, made);
  return made;
}

/** The conference is over when the last one leaves, or one whose leaving ends it; answers who was left in it then. */
export function leaveConference(runtime: TwilioRuntime, callSid: string, at: number): readonly string[] {
  const { state } = runtime;
  const leaving = state.resourceByKey(participant, callSid);
  if (!leaving) return [];
  state.removeResource(participant, leaving.sid);
  const held = state.resource(conference, leaving.parent);
  const others = state.resourcesOf(participant, leaving.parent);
  const ends = leaving.data.EndConferenceOnExit || others.length === 0;
  if (!held || held.data.status === "completed" || !ends) return [];
  const reason = others.length === 0 ? "last-participant-left" : "participant-with-end-conference-on-exit-left";
  return endConference(runtime, held, reason, callSid, at);
}

export function endConference(
  runtime: TwilioRuntime,
  held: Resource<ConferenceData>,
  reason: string,
  endedBy: string | null,
  at: number,
): readonly string[] {
  const { state } = runtime;
  const left = state.resourcesOf(participant, held.sid);
  for (const { sid } of left) state.removeResource(participant, sid);
  const data = { ...held.data, status: "completed" as const, reason, endedBy };
  state.changeResource(conference, { ...held, key: null, updatedAt: at, data });
  runtime.journal.append("change", held.sid, { resource: "conference", status: "completed", reason });
  return left.map((one) => one.data.callSid);
}
