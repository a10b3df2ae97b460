/** Recordings: of the account, of one call, of one conference. Their sound is not there. */
import type { Hono } from "hono";
import type { KernelEnv } from "../../kernel/emulator.ts";
import { optionProblem, wordsOf } from "../domain/call-draft.ts";
import { isWithin } from "../domain/paging.ts";
import { failure, reject, resourcePath } from "../errors.ts";
import { call as callKind, conference, type RecordingData, recording } from "../kinds.ts";
import type { Resource } from "../store-resources.ts";
import { recordingUrl } from "../wire/call.ts";
import { rfc2822 } from "../wire/dates.ts";
import { wantsXml } from "../wire/headers.ts";
import type { Shown } from "../wire/resource.ts";
import type { Call, TwilioRuntime } from "./call.ts";
import { beginRecording, endRecording } from "./recording-life.ts";
import { callOf, findOne, mountResource, pathsOf, type ResourceSpec, respondOne } from "./resource.ts";
import { rememberRecording } from "./usage-sums.ts";

const account = "/2010-04-01/Accounts/:account";
type Recording = Resource<RecordingData>;

const common = [
  ...["account_sid", "api_version", "call_sid", "conference_sid", "date_created", "date_updated", "start_time"],
  ...["duration", "sid", "price"],
];

const created = Object.fromEntries(
  ["DateCreated", "DateCreated<", "DateCreated>"].map((name) => [
    name,
    ({ createdAt }: Recording, _value: string, { query }: Call) => isWithin(query, "DateCreated", createdAt),
  ]),
);

function view({ sid, accountSid, data }: Recording, { exchange }: Call): Shown {
  const end = wantsXml(exchange) ? "" : ".json";
  const path = `/2010-04-01/Accounts/${accountSid}/Recordings/${sid}`;
  return {
    api_version: "2010-04-01",
    call_sid: data.callSid,
    conference_sid: data.conferenceSid,
    start_time: rfc2822(data.startedAt),
    duration: data.seconds === null ? null : String(data.seconds),
    price: null,
    price_unit: "USD",
    status: data.status,
    channels: data.channels,
    source: data.source,
    error_code: null,
    track: data.track,
    encryption_details: null,
    subresource_uris: {
      add_on_results: `${path}/AddOnResults${end}`,
      transcriptions: `${path}/Transcriptions${end}`,
    },
    media_url: recordingUrl(accountSid, sid),
  };
}

const shared = {
  kind: recording,
  list: "recordings",
  parameters: {},
  prepare: () => reject("forbidden"),
  removing: ({ runtime }: Call, one: Recording) => rememberRecording(runtime, one),
  view,
} as const;

const accountSpec: ResourceSpec<RecordingData, object> = {
  ...shared,
  name: "Recording",
  path: `${account}/Recordings`,
  operations: ["list", "fetch", "remove"],
  shows: [
    ...common,
    ...["price_unit", "status", "channels", "source", "error_code", "uri", "encryption_details", "subresource_uris"],
    "media_url",
  ],
  filters: {
    ...created,
    CallSid: ({ data }, value) => data.callSid === value,
    ConferenceSid: ({ data }, value) => data.conferenceSid === value,
  },
};

const callSpec: ResourceSpec<RecordingData, object> = {
  ...shared,
  name: "CallRecording",
  path: `${account}/Calls/:call/Recordings`,
  operations: ["list", "fetch", "remove"],
  shows: [
    ...common,
    ...["uri", "encryption_details", "price_unit", "status", "channels", "source", "error_code", "track"],
  ],
  belongs: ({ data }, call) => data.callSid === callIn(call).sid,
  find: latest,
  filters: created,
};

const conferenceSpec: ResourceSpec<RecordingData, object> = {
  ...shared,
  name: "ConferenceRecording",
  path: `${account}/Conferences/:conference/Recordings`,
  operations: ["list", "fetch", "remove"],
  shows: [...common, ...["price_unit", "status", "channels", "source", "error_code", "encryption_details", "uri"]],
  belongs: ({ data }, call) => data.conferenceSid === conferenceIn(call),
  filters: created,
};

export function mountRecordings(app: Hono<KernelEnv>, runtime: TwilioRuntime): void {
  for (const path of pathsOf(callSpec.path)) app.post(path, (c) => create(callOf(runtime, c)));
  app.post(`${callSpec.path}/:sid`, (c) => update(callOf(runtime, c), callSpec));
  app.post(`${conferenceSpec.path}/:sid`, (c) => update(callOf(runtime, c), conferenceSpec));
  mountResource(app, runtime, callSpec);
  mountResource(app, runtime, conferenceSpec);
  mountResource(app, runtime, accountSpec);
}

function create(call: Call): Response {
  const { runtime, exchange, form } = call;
  exchange.note("operation", "CreateCallRecording");
  const phoneCall = callIn(call);
  const problem = optionProblem(form);
  if (problem) throw failure(problem);
  if (phoneCall.data.status !== "in-progress") reject("callState");
  const recorded = runtime.store.write(() =>
    beginRecording(
      runtime,
      phoneCall,
      {
        source: "StartCallRecordingAPI",
        channels: form.get("RecordingChannels") === "dual" ? 2 : 1,
        track: form.get("RecordingTrack") || "both",
        statusCallback: form.get("RecordingStatusCallback") || null,
        statusCallbackMethod: form.get("RecordingStatusCallbackMethod") || "POST",
        events: wordsOf(form, "RecordingStatusCallbackEvent"),
      },
      exchange.at,
    ),
  );
  const made = runtime.state.resource(recording, recorded.data.recordingSid ?? "") ?? reject("callState");
  return respondOne(call, callSpec, made, 201, true);
}

function update(call: Call, spec: ResourceSpec<RecordingData, object>): Response {
  const { runtime, exchange, form } = call;
  exchange.note("operation", `Update${spec.name}`);
  const found = findOne(call, spec);
  const asked = form.get("Status") || reject("missingParameter", "Status");
  const status = (["in-progress", "paused", "stopped"] as const).find((word) => word === asked);
  if (status === undefined) reject("invalidParameter", "Status", asked);
  if (found.data.seconds !== null) reject("callState");
  const after = runtime.store.write(() => {
    if (status === "stopped") return endRecording(runtime, found, exchange.at);
    const changed = { ...found, updatedAt: exchange.at, data: { ...found.data, status } };
    runtime.state.changeResource(recording, changed);
    return changed;
  });
  return respondOne(call, spec, after, 200);
}

/** `Twilio.CURRENT` is the recording that runs. */
function latest(call: Call, name: string): Recording | undefined {
  if (name !== "Twilio.CURRENT") return undefined;
  const phoneCall = callIn(call);
  return call.runtime.state
    .resourcesOf(recording, call.account.sid)
    .find(({ data }) => data.callSid === phoneCall.sid && data.seconds === null);
}

function callIn({ runtime, exchange, account: owner, param }: Call) {
  const found = runtime.state.resource(callKind, param("call"));
  return found?.accountSid === owner.sid ? found : reject("notFound", resourcePath(exchange));
}

function conferenceIn({ runtime, exchange, account: owner, param }: Call): string {
  const found = runtime.state.resource(conference, param("conference"));
  return found?.accountSid === owner.sid ? found.sid : reject("notFound", resourcePath(exchange));
}
