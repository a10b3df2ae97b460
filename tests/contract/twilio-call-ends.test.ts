/** Calls that ring several people, serve a queue, hang up or are sent elsewhere in the middle of a verb. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Received, type Receiver, startReceiver } from "../support/receiver.ts";
import { control, start, type TwilioServer, twilioServer } from "./twilio-client.ts";

let server: TwilioServer;
let receiver: Receiver;
beforeEach(async () => {
  server = await twilioServer();
  receiver = await startReceiver();
});
afterEach(async () => {
  await server.close();
  await receiver.close();
});

const [ada, ben, cleo] = ["+14155550111", "+14155550122", "+14155550133"] as const;
const at = (path: string) => receiver.url.replace("/hook", path);
const fields = (call: Received | undefined) => Object.fromEntries(new URLSearchParams(call?.body));
const told = (path: string) => receiver.calls.filter(({ url }) => url === path).map(fields);
const seconds = (n: number) => server.advance(start + n * 1_000);
const answerWith = (documents: Record<string, string>) => {
  receiver.answer = (call, _n, response) =>
    void response.writeHead(200, { "content-type": "text/xml" }).end(documents[call.url] ?? "<Response/>");
};
const call = (to: string, path: string, more: object = {}) =>
  server.client().calls.create({ to, from: server.env.TWILIO_PHONE_NUMBER ?? "", url: at(path), ...more });
const fetched = (sid: string) => server.client().calls(sid).fetch();
const hangUp = (sid: string) => control(server, `calls/${sid}/hangup`, {});

test("whoever hangs up during a Record leaves a message, and its action hears of it", async () => {
  answerWith({ "/voice": "<Response><Record action='/recorded'/><Say>Never heard</Say></Response>" });
  const { sid } = await call(ada, "/voice");
  await seconds(10);
  await hangUp(sid);
  await seconds(20);
  const [recording] = await server.client().calls(sid).recordings.list();
  expect(told("/recorded")).toEqual([
    expect.objectContaining({
      CallSid: sid,
      CallStatus: "completed",
      Digits: "hangup",
      RecordingSid: recording?.sid,
      RecordingDuration: recording?.duration,
    }),
  ]);
  expect(await fetched(sid)).toMatchObject({ status: "completed" });
});

test("a caller who hangs up ends the leg that was dialled, and its action hears how that came out", async () => {
  answerWith({ "/voice": `<Response><Dial action='/dialled'>${ben}</Dial></Response>` });
  const { sid } = await call(ada, "/voice");
  await seconds(15);
  const [leg] = await server.client().calls.list({ parentCallSid: sid });
  await hangUp(sid);
  await seconds(60);
  expect(await fetched(leg?.sid ?? "")).toMatchObject({ status: "completed", price: "-0.01400" });
  expect(told("/dialled")).toMatchObject([{ CallSid: sid, DialCallSid: leg?.sid, DialCallStatus: "completed" }]);
});

test("all numbers of a Dial ring at once: the first to answer has the call, the others stop ringing", async () => {
  const nouns = ["+12025550143", "+12025550142", ben].map((number) => `<Number>${number}</Number>`).join("");
  answerWith({ "/voice": `<Response><Dial action='/dialled'>${nouns}</Dial></Response>` });
  const { sid } = await call(ada, "/voice");
  await seconds(60);
  const legs = await server.client().calls.list({ parentCallSid: sid });
  const outcomes = Object.fromEntries(legs.map(({ to, status }) => [to, status]));
  expect(outcomes).toEqual({
    "+12025550143": "failed",
    "+12025550142": "canceled",
    [ben]: "completed",
  });
  expect(told("/dialled")).toMatchObject([
    { DialCallSid: legs.find(({ to }) => to === ben)?.sid, DialCallStatus: "completed", DialCallDuration: "30" },
  ]);
});

test("a Dial to numbers that all fail tells of the last; a caller id must be the account's own", async () => {
  answerWith({
    "/voice": `<Response><Dial action='/busy' timeout='5'><Number>+12025550141</Number><Number>+12025550142</Number></Dial></Response>`,
    "/busy": `<Response><Dial action='/refused' callerId='+14155550100'>${ben}</Dial></Response>`,
  });
  const { sid } = await call(ada, "/voice");
  await seconds(60);
  expect(told("/busy")).toMatchObject([{ DialCallStatus: "no-answer", DialBridged: "false" }]);
  expect(told("/refused")).toMatchObject([{ DialCallStatus: "failed" }]);
  expect((await server.client().calls.list({ parentCallSid: sid })).length).toBe(2);
});

const desk = {
  "/voice": "<Response><Enqueue action='/left'>desk</Enqueue><Say>Goodbye</Say></Response>",
  "/left": "<Response><Pause length='600'/></Response>",
  "/agent": "<Response><Dial action='/served'><Queue>desk</Queue></Dial></Response>",
};

test("an agent who dials an empty queue waits for a caller; the two talk, and both go on", async () => {
  answerWith(desk);
  const { sid: queue } = await server.client().queues.create({ friendlyName: "desk" });
  const agent = await call(ben, "/agent");
  await seconds(20);
  const caller = await call(ada, "/voice");
  await seconds(30);
  expect(await server.client().queues(queue).fetch()).toMatchObject({ currentSize: 0 });
  expect(receiver.calls.map(({ url }) => url)).toEqual(["/agent", "/voice"]);
  for (const { sid } of [agent, caller]) expect(await fetched(sid)).toMatchObject({ status: "in-progress" });
  await seconds(70);
  expect(told("/served")).toMatchObject([
    { CallSid: agent.sid, DialCallSid: caller.sid, DialCallStatus: "completed", DialCallDuration: "30" },
  ]);
  expect(told("/left")).toMatchObject([
    { CallSid: caller.sid, QueueResult: "bridged", QueueSid: queue, QueueTime: "0" },
  ]);
  expect(await fetched(agent.sid)).toMatchObject({ status: "completed" });
  expect(await fetched(caller.sid)).toMatchObject({ status: "in-progress" });
});

test("when one of the two hangs up, the other goes on", async () => {
  answerWith(desk);
  await server.client().queues.create({ friendlyName: "desk" });
  const caller = await call(ada, "/voice");
  await seconds(10);
  const agent = await call(ben, "/agent");
  await seconds(20);
  await hangUp(agent.sid);
  await seconds(21);
  expect(told("/left")).toMatchObject([{ CallSid: caller.sid, QueueResult: "bridged" }]);
  expect(told("/served")).toMatchObject([{ CallSid: agent.sid, CallStatus: "completed", DialCallStatus: "completed" }]);
  expect(await fetched(caller.sid)).toMatchObject({ status: "in-progress" });
});

test("nobody in the queue in time is no-answer, no such queue is failed, hanging up in a queue is told", async () => {
  answerWith({
    ...desk,
    "/agent": "<Response><Dial action='/served' timeout='7'><Queue>desk</Queue></Dial></Response>",
  });
  await call(cleo, "/agent");
  await seconds(10);
  expect(told("/served")).toMatchObject([{ DialCallStatus: "failed" }]);
  const { sid: queue } = await server.client().queues.create({ friendlyName: "desk" });
  await call(cleo, "/agent");
  await seconds(30);
  expect(told("/served")).toMatchObject([{ DialCallStatus: "failed" }, { DialCallStatus: "no-answer" }]);
  const caller = await call(ada, "/voice");
  await seconds(45);
  expect(await server.client().queues(queue).fetch()).toMatchObject({ currentSize: 1 });
  await hangUp(caller.sid);
  await seconds(46);
  expect(told("/left")).toMatchObject([{ CallSid: caller.sid, QueueResult: "hangup", CallStatus: "completed" }]);
  expect(await server.client().queues(queue).fetch()).toMatchObject({ currentSize: 0 });
});

test("a call that is sent elsewhere leaves its queue, its conference and the leg it dialled", async () => {
  const client = server.client();
  answerWith({
    ...desk,
    "/left": "<Response/>",
    "/stage": "<Response><Dial><Conference>stage</Conference></Dial></Response>",
    "/dial": `<Response><Dial action='/dialled'>${cleo}</Dial></Response>`,
    "/other": "<Response><Pause length='600'/></Response>",
  });
  const queued = await call(ada, "/voice");
  const talking = await call(ben, "/stage");
  const dialling = await call(cleo, "/dial");
  await seconds(15);
  const [conference] = await client.conferences.list({ friendlyName: "stage" });
  const [leg] = await client.calls.list({ parentCallSid: dialling.sid });
  for (const { sid } of [queued, talking, dialling]) await client.calls(sid).update({ url: at("/other") });
  await seconds(20);
  expect(told("/other").map(({ CallSid }) => CallSid)).toEqual([queued.sid, talking.sid, dialling.sid]);
  expect(told("/left")).toMatchObject([{ CallSid: queued.sid, QueueResult: "redirected" }]);
  const [queue] = await client.queues.list();
  expect(queue).toMatchObject({ currentSize: 0 });
  expect(await client.conferences(conference?.sid ?? "").fetch()).toMatchObject({ status: "completed" });
  expect(await fetched(leg?.sid ?? "")).toMatchObject({ status: "completed" });
  expect(told("/dialled")).toEqual([]);
  await client.calls(queued.sid).update({ twiml: "<Response><Pause length='5'/></Response>" });
  await seconds(30);
  expect(await fetched(queued.sid)).toMatchObject({ status: "completed" });
});

test("a dialled leg that is sent elsewhere lets its caller go on", async () => {
  const client = server.client();
  answerWith({
    "/voice": `<Response><Dial action='/dialled'>${ben}</Dial></Response>`,
    "/dialled": "<Response><Hangup/></Response>",
    "/transfer": "<Response><Pause length='600'/></Response>",
  });
  const { sid } = await call(ada, "/voice");
  await seconds(20);
  const [leg] = await client.calls.list({ parentCallSid: sid });
  await client.calls(leg?.sid ?? "").update({ url: at("/transfer") });
  await seconds(25);
  expect(told("/dialled")).toMatchObject([{ CallSid: sid, DialCallSid: leg?.sid, DialCallStatus: "completed" }]);
  expect(await fetched(sid)).toMatchObject({ status: "completed" });
  expect(await fetched(leg?.sid ?? "")).toMatchObject({ status: "in-progress" });
});

test("who is put out of a conference goes on; who was invited is in it, but it begins when somebody is there", async () => {
  const client = server.client();
  answerWith({ "/stage": "<Response><Dial action='/out'><Conference>stage</Conference></Dial></Response>" });
  const talking = await call(ada, "/stage");
  await seconds(10);
  const [conference] = await client.conferences.list({ status: "in-progress" });
  await client
    .conferences(conference?.sid ?? "")
    .participants(talking.sid)
    .remove();
  await seconds(15);
  expect(told("/out")).toMatchObject([{ CallSid: talking.sid, CallStatus: "in-progress" }]);
  expect(await client.conferences(conference?.sid ?? "").fetch()).toMatchObject({ status: "completed" });

  await client.validationRequests.create({ phoneNumber: cleo });
  await seconds(25);
  const invited = await client.conferences("set").participants.create({ from: cleo, to: ben, label: "ben" });
  const set = client.conferences(invited.conferenceSid);
  expect(await set.fetch()).toMatchObject({ friendlyName: "set", status: "init" });
  expect(await set.participants("ben").fetch()).toMatchObject({ status: "queued", callSid: invited.callSid });
  await seconds(40);
  expect(await set.fetch()).toMatchObject({ status: "in-progress" });
  expect(await set.participants("ben").fetch()).toMatchObject({ status: "connected" });
  await set.participants("ben").remove();
  await seconds(41);
  expect(await fetched(invited.callSid)).toMatchObject({ status: "completed" });
});

test("a conference tells whoever came first with a statusCallback what happens in it, in sequence", async () => {
  const client = server.client();
  const events = "statusCallback='/events' statusCallbackEvent='start end join leave mute hold'";
  answerWith({
    "/first": `<Response><Dial><Conference ${events} participantLabel='ada'>stage</Conference></Dial></Response>`,
    "/second": `<Response><Dial><Conference endConferenceOnExit='true'>stage</Conference></Dial></Response>`,
  });
  const first = await call(ada, "/first");
  await seconds(10);
  const second = await call(ben, "/second");
  await seconds(20);
  const [held] = await client.conferences.list({ friendlyName: "stage" });
  const conference = client.conferences(held?.sid ?? "");
  await conference.participants("ada").update({ muted: true });
  await conference.participants("ada").update({ muted: false, hold: true });
  const busy = await conference.participants.create({ from: server.env.TWILIO_PHONE_NUMBER ?? "", to: "+12025550141" });
  await seconds(30);
  await hangUp(second.sid);
  await seconds(40);
  const heard = told("/events");
  expect(heard.map((one) => [one.StatusCallbackEvent, one.CallSid, one.ReasonParticipantLeft])).toEqual([
    ["participant-join", first.sid, undefined],
    ["participant-join", second.sid, undefined],
    ["conference-start", undefined, undefined],
    ["participant-mute", first.sid, undefined],
    ["participant-unmute", first.sid, undefined],
    ["participant-hold", first.sid, undefined],
    ["participant-leave", busy.callSid, "participant_add_failed"],
    ["participant-leave", second.sid, "participant_hung_up"],
    ["participant-leave", first.sid, "moderator_ended_conference"],
    ["conference-end", undefined, undefined],
  ]);
  expect(heard.map(({ SequenceNumber }) => Number(SequenceNumber))).toEqual(heard.map((_, n) => n + 1));
  expect(heard[0]).toMatchObject({
    ConferenceSid: held?.sid,
    FriendlyName: "stage",
    ParticipantLabel: "ada",
    Muted: "false",
  });
  expect(heard[6]).toMatchObject({ ParticipantCallStatus: "busy" });
  expect(heard[9]).toMatchObject({
    ReasonConferenceEnded: "participant-with-end-conference-on-exit-left",
    CallSidEndingConference: second.sid,
  });
});

test("an invitation may name who hears of a new conference, of its start and end unless it says otherwise", async () => {
  const client = server.client();
  const from = server.env.TWILIO_PHONE_NUMBER ?? "";
  const conferenceStatusCallback = at("/events");
  const { participants } = client.conferences("set");
  await expect(participants.create({ from, to: ada, conferenceStatusCallback: "nope" })).rejects.toMatchObject({
    code: 21205,
  });
  const invited = await participants.create({ from, to: ada, conferenceStatusCallback });
  await participants.create({ from, to: ben });
  await seconds(10);
  await client.conferences(invited.conferenceSid).update({ status: "completed" });
  await seconds(11);
  expect(told("/events")).toMatchObject([
    { StatusCallbackEvent: "conference-start", SequenceNumber: "1" },
    { StatusCallbackEvent: "conference-end", ReasonConferenceEnded: "conference-ended-via-api" },
  ]);
});

test("a running call is changed as strictly as a new one is made, and a new limit holds at once", async () => {
  answerWith({ "/voice": "<Response><Pause length='600'/></Response>" });
  const { sid } = await call(ada, "/voice");
  await seconds(20);
  const running = server.client().calls(sid);
  await expect(running.update({ statusCallback: "nope" })).rejects.toMatchObject({ code: 21609 });
  await expect(running.update({ timeLimit: "abc" as unknown as number })).rejects.toMatchObject({ code: 21208 });
  await expect(running.update({ url: at("/voice"), method: "PUT" })).rejects.toMatchObject({ code: 21209 });
  for (const odd of [
    { recordingChannels: "stereo" },
    { recordingTrack: "b" },
    { recordingStatusCallbackEvent: ["end"] },
  ])
    await expect(running.recordings.create(odd)).rejects.toMatchObject({ status: 400, code: 20001 });
  await expect(running.recordings.create({ recordingStatusCallback: "nope" })).rejects.toMatchObject({ code: 21205 });
  const recordingStatusCallbackEvent = ["in-progress completed"];
  await running.recordings.create({ recordingStatusCallback: at("/recording"), recordingStatusCallbackEvent });
  await running.update({ statusCallback: at("/status"), statusCallbackMethod: "GET", timeLimit: 30 });
  await seconds(60);
  expect(await fetched(sid)).toMatchObject({ status: "completed", duration: "30" });
  expect(told("/recording").map(({ RecordingStatus }) => RecordingStatus)).toEqual(["in-progress", "completed"]);
  const [status] = receiver.calls.filter(({ url }) => url.startsWith("/status?"));
  expect(status).toMatchObject({ method: "GET", url: expect.stringContaining("CallStatus=completed") });
});

test("a Gather takes the input it asks for and no other", async () => {
  answerWith({ "/voice": "<Response><Gather input='speech' action='/said'/></Response>" });
  const { sid } = await call(ada, "/voice");
  await seconds(6);
  await expect(control(server, `calls/${sid}/input`, { digits: "1" })).rejects.toThrow(/409/);
  await control(server, `calls/${sid}/input`, { speech: "one" });
  await seconds(7);
  expect(told("/said")).toMatchObject([{ SpeechResult: "one" }]);
});
