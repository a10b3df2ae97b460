/** Conferences and who is in them. */
import type { Hono } from "hono";
import type { KernelEnv } from "../../kernel/emulator.ts";
import { planCall, wordsOf } from "../domain/call-draft.ts";
import { isWithin } from "../domain/paging.ts";
import { flag, type Parameters, sid, text } from "../domain/parameters.ts";
import { failure, reject, resourcePath } from "../errors.ts";
import { type ConferenceData, call as callKind, conference, type ParticipantData, participant } from "../kinds.ts";
import type { Resource } from "../store-resources.ts";
import { wantsXml } from "../wire/headers.ts";
import type { Shown } from "../wire/resource.ts";
import { type Call, respondEmpty, type TwilioRuntime } from "./call.ts";
import { conferenceEnded } from "./call-dial.ts";
import { beginCall } from "./call-life.ts";
import { hangUp } from "./call-script.ts";
import { callingWorld } from "./calling-world.ts";
import { listenerOf, tellChanges } from "./conference-events.ts";
import { conferenceNamed, endConference, joinConference, leaveConference } from "./conference-life.ts";
import { callOf, findOne, makeResource, mountResource, pathsOf, type ResourceSpec, respondOne } from "./resource.ts";

const base = "/2010-04-01/Accounts/:account/Conferences";

const conferenceSpec: ResourceSpec<ConferenceData, object> = {
  kind: conference,
  name: "Conference",
  path: base,
  list: "conferences",
  operations: ["list", "fetch"],
  parameters: {},
  shows: [
    ...[
      "account_sid",
      "date_created",
      "date_updated",
      "api_version",
      "friendly_name",
      "region",
      "sid",
      "status",
      "uri",
    ],
    ...["subresource_uris", "reason_conference_ended", "call_sid_ending_conference"],
  ],
  prepare: () => reject("forbidden"),
  view({ sid: own, accountSid, data }, { exchange }) {
    const path = `/2010-04-01/Accounts/${accountSid}/Conferences/${own}`;
    const end = wantsXml(exchange) ? "" : ".json";
    return {
      api_version: "2010-04-01",
      region: "us1",
      status: data.status,
      subresource_uris: { participants: `${path}/Participants${end}`, recordings: `${path}/Recordings${end}` },
      reason_conference_ended: data.reason,
      call_sid_ending_conference: data.endedBy,
    };
  },
  filters: {
    FriendlyName: ({ data }, value) => data.FriendlyName === value,
    Status: ({ data }, value) => data.status === value,
    ...Object.fromEntries(
      ["DateCreated", "DateUpdated"].flatMap((name) =>
        ["", "<", ">"].map((sign) => [
          `${name}${sign}`,
          (held: Resource<ConferenceData>, _value: string, { query }: Call) =>
            isWithin(query, name, name === "DateCreated" ? held.createdAt : held.updatedAt),
        ]),
      ),
    ),
  },
};

type Settings = Omit<ParticipantData, "callSid" | "StartConferenceOnEnter">;
const participantParameters: Parameters<Settings> = {
  Label: text(null),
  Muted: flag(false),
  Hold: flag(false),
  Coaching: flag(false),
  CallSidToCoach: sid("CA", null),
  EndConferenceOnExit: flag(false),
};

const participantSpec: ResourceSpec<ParticipantData, Settings> = {
  kind: participant,
  name: "Participant",
  path: `${base}/:conference/Participants`,
  list: "participants",
  operations: ["list", "fetch", "update"],
  parameters: participantParameters,
  shows: [
    ...["account_sid", "call_sid", "label", "call_sid_to_coach", "coaching", "conference_sid", "date_created"],
    ...["date_updated", "end_conference_on_exit", "muted", "hold", "start_conference_on_enter", "status"],
    ...["queue_time", "uri"],
  ],
  parent: (call) => conferenceIn(call),
  prepare: () => reject("forbidden"),
  find: ({ runtime, param }, name) =>
    runtime.state.resourceByKey(participant, name) ??
    runtime.state.resourcesOf(participant, param("conference")).find(({ data }) => data.Label === name),
  revise: (_call, { data }, sent) => ({ data: { ...data, ...sent } }),
  changed: ({ runtime, exchange }, after, before) => tellChanges(runtime, before.data, after, exchange.at),
  view: (one, call) => participantView(one, call),
  filters: {
    Muted: ({ data }, value) => data.Muted === (value === "true"),
    Hold: ({ data }, value) => data.Hold === (value === "true"),
    Coaching: ({ data }, value) => data.Coaching === (value === "true"),
  },
};

function participantView({ parent, accountSid, data }: Resource<ParticipantData>, { runtime, exchange }: Call): Shown {
  const status = runtime.state.resource(callKind, data.callSid)?.data.status;
  const end = wantsXml(exchange) ? "" : ".json";
  return {
    call_sid: data.callSid,
    conference_sid: parent,
    status: status === "in-progress" ? "connected" : status === "completed" ? "complete" : (status ?? "complete"),
    queue_time: "0",
    uri: `/2010-04-01/Accounts/${accountSid}/Conferences/${parent}/Participants/${data.callSid}${end}`,
  };
}

export function mountConferences(app: Hono<KernelEnv>, runtime: TwilioRuntime): void {
  app.post(`${base}/:sid`, (c) => update(callOf(runtime, c)));
  for (const path of pathsOf(participantSpec.path)) app.post(path, (c) => invite(callOf(runtime, c)));
  app.delete(`${participantSpec.path}/:sid`, (c) => kick(callOf(runtime, c)));
  mountResource(app, runtime, participantSpec);
  mountResource(app, runtime, conferenceSpec);
}

function update(call: Call): Response {
  const { runtime, exchange, form } = call;
  exchange.note("operation", "UpdateConference");
  const held = findOne(call, conferenceSpec);
  const status = form.get("Status");
  if (status && status !== "completed") reject("invalidParameter", "Status", status);
  if (status === "completed" && held.data.status !== "completed")
    runtime.store.write(() =>
      conferenceEnded(
        runtime,
        endConference(runtime, held, "conference-ended-via-api", null, exchange.at),
        exchange.at,
      ),
    );
  return respondOne(call, conferenceSpec, runtime.state.resource(conference, held.sid) ?? held, 200);
}

/** Calls somebody into the conference; its name in the path begins a new one where none is under way. */
function invite(call: Call): Response {
  const { runtime, exchange, account, form, param } = call;
  exchange.note("operation", "CreateParticipant");
  const name = param("conference");
  const planned = planCall(
    new URLSearchParams([
      ...form,
      ["Twiml", `<Response><Dial><Conference>${escaped(name)}</Conference></Dial></Response>`],
    ]),
    callingWorld(call),
  );
  if (planned.tag === "rejected") throw failure(planned.problem);
  const at = exchange.at;
  const listener = listenerOf(
    form.get("ConferenceStatusCallback") ?? undefined,
    form.get("ConferenceStatusCallbackMethod") ?? undefined,
    wordsOf(form, "ConferenceStatusCallbackEvent").join(" ") || "start end",
    "",
  );
  const made = runtime.store.write(() => {
    const known = runtime.state.resource(conference, name);
    const held = known?.accountSid === account.sid ? known : conferenceNamed(runtime, account.sid, name, listener, at);
    const twiml = `<Response><Dial><Conference>${escaped(held.data.FriendlyName)}</Conference></Dial></Response>`;
    const callSid = `CA${runtime.ids.derive("twilio.call", [held.sid, planned.data.to, planned.data.from]).hex(32)}`;
    makeResource(call, callKind, { parent: account.sid, data: { ...planned.data, twiml }, sid: callSid }, (one) =>
      beginCall(runtime, one),
    );
    return joinConference(
      runtime,
      held,
      {
        callSid,
        Label: form.get("Label") || null,
        Muted: form.get("Muted") === "true",
        Hold: false,
        Coaching: form.get("Coaching") === "true",
        CallSidToCoach: form.get("CallSidToCoach") || null,
        StartConferenceOnEnter: form.get("StartConferenceOnEnter") !== "false",
        EndConferenceOnExit: form.get("EndConferenceOnExit") === "true",
      },
      at,
    );
  });
  return respondOne(call, participantSpec, made, 201);
}

/** Whoever is put out of a conference goes on with the verb after its Dial; who is not there yet is not called any longer. */
function kick(call: Call): Response {
  const { runtime, exchange } = call;
  const { at } = exchange;
  exchange.note("operation", "DeleteParticipant");
  const one = findOne(call, participantSpec);
  const phoneCall = runtime.state.resource(callKind, one.data.callSid);
  runtime.store.write(() => {
    if (phoneCall?.data.status === "in-progress") {
      const left = leaveConference(runtime, phoneCall.sid, { how: "kicked", status: phoneCall.data.status }, at);
      conferenceEnded(runtime, [phoneCall.sid, ...left], at);
    } else if (phoneCall) hangUp(runtime, phoneCall, at);
  });
  return respondEmpty(exchange);
}

function conferenceIn({ runtime, exchange, account, param }: Call): string {
  const found = runtime.state.resource(conference, param("conference"));
  return found?.accountSid === account.sid ? found.sid : reject("notFound", resourcePath(exchange));
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
