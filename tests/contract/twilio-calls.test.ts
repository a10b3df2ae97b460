import twilio from "twilio";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Received, type Receiver, startReceiver } from "../support/receiver.ts";
import { control, start, type TwilioServer, twilioServer } from "./twilio-client.ts";

let server: TwilioServer;
let receiver: Receiver;
let from: string;
beforeEach(async () => {
  server = await twilioServer();
  receiver = await startReceiver();
  from = server.env.TWILIO_PHONE_NUMBER ?? "";
});
afterEach(async () => {
  await server.close();
  await receiver.close();
});

const to = "+14155550199";
const fields = (call: Received) => Object.fromEntries(new URLSearchParams(call.body));
const at = (path: string) => receiver.url.replace("/hook", path);
const seconds = (n: number) => server.advance(start + n * 1_000);
const answerWith = (documents: Record<string, string>) => {
  receiver.answer = (call, _n, response) =>
    void response.writeHead(200, { "content-type": "text/xml" }).end(documents[call.url.split("?")[0] ?? ""] ?? "");
};
const paths = () => receiver.calls.map(({ url }) => url);
const call = (more: object = {}) => server.client().calls.create({ to, from, url: at("/voice"), ...more });

test("a call rings, is answered, fetches its URL, runs the TwiML and completes with one callback", async () => {
  answerWith({ "/voice": "<Response><Say>One two three four five</Say><Pause length='10'/><Hangup/></Response>" });
  const created = await call({ statusCallback: at("/status") });
  expect(created).toMatchObject({
    status: "queued",
    direction: "outbound-api",
    startTime: null,
    duration: null,
    queueTime: "0",
  });
  const status = async () => (await server.client().calls(created.sid).fetch()).status;
  await seconds(2);
  expect(await status()).toBe("ringing");
  await seconds(5);
  expect(await status()).toBe("in-progress");
  await seconds(60);
  const done = await server.client().calls(created.sid).fetch();
  expect(done).toMatchObject({ status: "completed", duration: "12", price: "-0.01400", toFormatted: "(415) 555-0199" });
  expect(paths()).toEqual(["/voice", "/status"]);
  const [asked, told] = receiver.calls.map(fields);
  expect(Object.keys(asked ?? {})).toEqual(Object.keys(asked ?? {}).sort());
  expect(asked).toMatchObject({
    CallSid: created.sid,
    CallStatus: "in-progress",
    Direction: "outbound-api",
    From: from,
    To: to,
  });
  expect(told).toMatchObject({ CallStatus: "completed", CallDuration: "12", Duration: "1", SequenceNumber: "0" });
  for (const one of receiver.calls)
    expect(
      twilio.validateRequest(
        server.env.TWILIO_AUTH_TOKEN ?? "",
        String(one.headers["x-twilio-signature"]),
        at(one.url),
        fields(one),
      ),
    ).toBe(true);
});

test("however short it was, an answered call has lasted a second and costs a minute", async () => {
  const { sid } = await call({ twiml: "<Response><Hangup/></Response>", url: undefined });
  await seconds(60);
  expect(await server.client().calls(sid).fetch()).toMatchObject({ duration: "1", price: "-0.01400" });
});

test("a document that is given with the call leads on to absolute URLs", async () => {
  answerWith({ "/next": "<Response><Hangup/></Response>" });
  const twiml = `<Response><Dial action="${at("/next")}"><Number statusCallback="${at("/leg")}">+14155550177</Number></Dial></Response>`;
  const { sid } = await call({ twiml, url: undefined });
  await call({ twiml: `<Response><Redirect>${at("/redirected")}</Redirect></Response>`, url: undefined });
  await seconds(60);
  expect(paths().sort()).toEqual(["/leg", "/next", "/redirected"]);
  expect(await server.client().calls(sid).fetch()).toMatchObject({ status: "completed" });
});

test("every event that is asked for is told, in sequence", async () => {
  await call({
    twiml: "<Response/>",
    url: undefined,
    statusCallback: at("/s"),
    statusCallbackEvent: ["initiated", "ringing", "answered", "completed"],
  });
  await seconds(60);
  expect(receiver.calls.map(fields).map((one) => [one.CallStatus, one.SequenceNumber])).toEqual([
    ["initiated", "0"],
    ["ringing", "1"],
    ["in-progress", "2"],
    ["completed", "3"],
  ]);
});

test.each([
  ["+12025550141", "busy"],
  ["+12025550142", "no-answer"],
  ["+12025550143", "failed"],
])("a call to %s ends %s", async (callee, status) => {
  const { sid } = await server.client().calls.create({ to: callee, from, twiml: "<Response/>" });
  await seconds(120);
  expect(await server.client().calls(sid).fetch()).toMatchObject({ status, duration: "0", price: null });
});

test("Gather hears keys and speech, and goes on when it hears nothing", async () => {
  answerWith({
    "/voice":
      "<Response><Gather numDigits='2' action='/menu'><Say>Press</Say></Gather><Redirect>/nothing</Redirect></Response>",
    "/menu": "<Response><Gather input='speech' action='/said'/></Response>",
    "/said": "<Response><Hangup/></Response>",
  });
  const { sid } = await call();
  await seconds(5);
  await control(server, `calls/${sid}/input`, { digits: "4" });
  await control(server, `calls/${sid}/input`, { digits: "2" });
  await seconds(6);
  await control(server, `calls/${sid}/input`, { speech: "yes please" });
  await seconds(7);
  expect(paths()).toEqual(["/voice", "/menu", "/said"]);
  expect(fields(receiver.calls[1] as Received)).toMatchObject({ Digits: "42", FinishedOnKey: "", msg: "Gather End" });
  expect(fields(receiver.calls[2] as Received)).toMatchObject({ SpeechResult: "yes please", Confidence: "0.9" });
  await call();
  await seconds(60);
  expect(paths().slice(3)).toEqual(["/voice", "/nothing"]);
});

test("an incoming call is answered by its number's URL; Record and Dial tell their actions", async () => {
  answerWith({
    "/voice": "<Response><Record action='/recorded' recordingStatusCallback='/recording'/></Response>",
    "/recorded":
      "<Response><Dial action='/dialled' callerId='+12025550100'><Number>+14155550177</Number></Dial></Response>",
    "/dialled": "<Response><Reject/></Response>",
  });
  const client = server.client();
  const [number] = await client.incomingPhoneNumbers.list({ phoneNumber: from });
  await client
    .incomingPhoneNumbers(number?.sid ?? "")
    .update({ voiceUrl: at("/voice"), statusCallback: at("/status") });
  const { sid } = await control(server, "inbound-calls", { from: to, to: from });
  await seconds(120);
  expect(paths()).toEqual(
    ["/voice", "/recorded", "/recording", "/dialled", "/status"].sort(
      (a, b) => paths().indexOf(a) - paths().indexOf(b),
    ),
  );
  const told = Object.fromEntries(receiver.calls.map((one) => [one.url, fields(one)]));
  expect(told["/voice"]).toMatchObject({ CallStatus: "ringing", Direction: "inbound" });
  expect(told["/recorded"]).toMatchObject({ RecordingDuration: "10", RecordingSid: expect.stringMatching(/^RE/) });
  expect(told["/recording"]).toMatchObject({
    RecordingStatus: "completed",
    RecordingSource: "RecordVerb",
    CallSid: sid,
  });
  expect(told["/dialled"]).toMatchObject({ DialCallStatus: "completed", DialCallDuration: "30", DialBridged: "true" });
  expect(told["/status"]).toMatchObject({ CallStatus: "completed", Direction: "inbound" });
  const [child] = await client.calls.list({ parentCallSid: sid });
  expect(child).toMatchObject({ direction: "outbound-dial", to: "+14155550177", duration: "30" });
  const [recording] = await client.calls(sid).recordings.list();
  expect(recording).toMatchObject({ status: "completed", duration: "10", source: "RecordVerb" });
  expect(await client.recordings(recording?.sid ?? "").fetch()).toMatchObject({ callSid: sid });
});

test("Reject, fallback and an unusable answer", async () => {
  const client = server.client();
  const [number] = await client.incomingPhoneNumbers.list({ phoneNumber: from });
  const own = client.incomingPhoneNumbers(number?.sid ?? "");
  const outcome = async (voiceUrl: string, voiceFallbackUrl = "") => {
    await own.update({ voiceUrl, voiceFallbackUrl });
    const { sid } = await control(server, "inbound-calls", { from: to, to: from });
    await server.advance(server.runtime.clock.now() + 60_000);
    return (await client.calls(sid).fetch()).status;
  };
  answerWith({
    "/busy": "<Response><Reject reason='busy'/></Response>",
    "/broken": "<Response>",
    "/ok": "<Response/>",
  });
  expect(await outcome(at("/busy"))).toBe("busy");
  expect(await outcome(at("/broken"), at("/ok"))).toBe("completed");
  expect(fields(receiver.calls[2] as Received)).toMatchObject({ ErrorCode: "12100", ErrorUrl: at("/broken") });
  expect(await outcome(at("/broken"))).toBe("completed");
});

test("a call is redirected, completed and canceled through the API", async () => {
  answerWith({
    "/voice": "<Response><Pause length='600'/></Response>",
    "/other": "<Response><Pause length='600'/></Response>",
  });
  const client = server.client();
  const { sid } = await call();
  await seconds(10);
  expect(await client.calls(sid).update({ url: at("/other") })).toMatchObject({ status: "in-progress" });
  await seconds(11);
  expect(paths()).toEqual(["/voice", "/other"]);
  expect(await client.calls(sid).update({ status: "completed" })).toMatchObject({ status: "completed" });
  await expect(client.calls(sid).update({ status: "completed" })).rejects.toMatchObject({ code: 21220 });
  const waiting = await call();
  expect(await client.calls(waiting.sid).update({ status: "canceled" })).toMatchObject({ status: "canceled" });
  expect(await client.calls(sid).remove()).toBe(true);
});

test("calls meet in queues and conferences", async () => {
  const client = server.client();
  answerWith({
    "/voice": "<Response><Enqueue action='/left'>support</Enqueue></Response>",
    "/agent": "<Response><Dial><Queue>support</Queue></Dial></Response>",
    "/out": "<Response><Dial><Conference endConferenceOnExit='true'>stage</Conference></Dial></Response>",
  });
  const queue = await client.queues.create({ friendlyName: "support" });
  const first = await call();
  await seconds(2);
  const second = await call({ to: "+14155550188" });
  await seconds(10);
  expect(await client.queues(queue.sid).fetch()).toMatchObject({ currentSize: 2, maxSize: 100 });
  const front = await client.queues(queue.sid).members("Front").fetch();
  expect(front).toMatchObject({ callSid: first.sid, position: 1 });
  await client
    .queues(queue.sid)
    .members(second.sid)
    .update({ url: at("/out") });
  await seconds(11);
  const [conference] = await client.conferences.list({ status: "in-progress" });
  expect(conference).toMatchObject({ friendlyName: "stage" });
  const participants = client.conferences(conference?.sid ?? "").participants;
  expect((await participants.list()).map(({ callSid }) => callSid)).toEqual([second.sid]);
  expect(
    await client
      .conferences(conference?.sid ?? "")
      .participants(second.sid)
      .update({ muted: true }),
  ).toMatchObject({ muted: true });
  await call({ to: "+14155550166", url: at("/agent") });
  await seconds(60);
  expect(receiver.calls.filter(({ url }) => url === "/left").map(fields)).toMatchObject([
    { QueueResult: "redirected", CallSid: second.sid },
    { QueueResult: "bridged", CallSid: first.sid },
  ]);
  await client.calls(second.sid).update({ status: "completed" });
  expect(await client.conferences(conference?.sid ?? "").fetch()).toMatchObject({
    status: "completed",
    reasonConferenceEnded: "last-participant-left",
  });
  expect(await client.queues(queue.sid).remove()).toBe(true);
});

test("no two queues of an account share a name", async () => {
  const { queues } = server.client();
  const [left, right] = [await queues.create({ friendlyName: "left" }), await queues.create({ friendlyName: "right" })];
  await expect(queues.create({ friendlyName: "left" })).rejects.toMatchObject({ status: 400, code: 22003 });
  await expect(queues(right.sid).update({ friendlyName: "left" })).rejects.toMatchObject({ code: 22003 });
  expect(await queues(left.sid).update({ friendlyName: "left", maxSize: 7 })).toMatchObject({ maxSize: 7 });
});

test("in a queue a call hears its waitUrl over and over, until a Leave lets it go on", async () => {
  let asked = 0;
  receiver.answer = (request, _n, response) => {
    if (request.url === "/wait") asked += 1;
    const documents: Record<string, string> = {
      "/voice":
        "<Response><Enqueue waitUrl='/wait' action='/left'>support</Enqueue><Say>never heard before</Say></Response>",
      "/wait":
        asked < 3
          ? "<Response><Say>You are next</Say><Dial>+14155550177</Dial><Pause length='5'/></Response>"
          : "<Response><Leave/></Response>",
      "/left": "<Response><Hangup/></Response>",
    };
    response.writeHead(200, { "content-type": "text/xml" }).end(documents[request.url] ?? "");
  };
  const { sid } = await call();
  await seconds(10);
  const [queue] = await server.client().queues.list();
  expect(queue).toMatchObject({ friendlyName: "support", currentSize: 1 });
  await seconds(60);
  expect(paths()).toEqual(["/voice", "/wait", "/wait", "/wait", "/left"]);
  expect(receiver.calls.slice(1, 3).map(fields)).toEqual([
    expect.objectContaining({ QueueSid: queue?.sid, QueuePosition: "1", QueueTime: "0", CurrentQueueSize: "1" }),
    expect.objectContaining({ QueueSid: queue?.sid, QueuePosition: "1", QueueTime: "6" }),
  ]);
  expect(receiver.calls.slice(4).map(fields)).toEqual([
    expect.objectContaining({ QueueResult: "leave", QueueTime: "12", CallSid: sid }),
  ]);
  expect(await server.client().calls(sid).fetch()).toMatchObject({ status: "completed" });
  expect(
    await server
      .client()
      .queues(queue?.sid ?? "")
      .fetch(),
  ).toMatchObject({ currentSize: 0 });
});

test("a number is validated by a call, and then may be called from; who does not answer is not", async () => {
  const client = server.client();
  const number = "+14155550123";
  const asked = await client.validationRequests.create({
    phoneNumber: number,
    friendlyName: "Mobile",
    statusCallback: at("/validated"),
  });
  expect(asked).toMatchObject({ friendlyName: "Mobile", validationCode: expect.stringMatching(/^\d{6}$/) });
  await client.validationRequests.create({ phoneNumber: "+12025550142", statusCallback: at("/failed"), callDelay: 5 });
  expect(await client.calls(asked.callSid).fetch()).toMatchObject({ status: "queued", to: number });
  expect(await client.outgoingCallerIds.list()).toEqual([]);
  await expect(client.calls.create({ to, from: number, twiml: "<Response/>" })).rejects.toMatchObject({ code: 21210 });
  await seconds(90);
  const [own, ...others] = await client.outgoingCallerIds.list();
  expect(own).toMatchObject({ phoneNumber: number, friendlyName: "Mobile" });
  expect(others).toEqual([]);
  expect(paths().sort()).toEqual(["/failed", "/validated"]);
  const told = Object.fromEntries(receiver.calls.map((one) => [one.url, fields(one)]));
  expect(told["/validated"]).toMatchObject({
    VerificationStatus: "success",
    OutgoingCallerIdSid: own?.sid,
    To: number,
  });
  expect(told["/failed"]).toMatchObject({ VerificationStatus: "failed", CallStatus: "no-answer" });
  expect((await client.calls.create({ to, from: number, twiml: "<Response/>" })).status).toBe("queued");
  for (const [phoneNumber, code] of [
    [number, 21450],
    [from, 21449],
    ["12", 21211],
  ] as const)
    await expect(client.validationRequests.create({ phoneNumber })).rejects.toMatchObject({ code });
});

test("test credentials know their magic numbers", async () => {
  const account = server.runtime.state.mainAccount("test");
  const client = server.client(account?.sid, account?.authToken);
  const place = (callee: string, caller = "+15005550006") =>
    client.calls.create({ to: callee, from: caller, url: "http://example.com/voice" });
  expect((await place(to)).status).toBe("queued");
  for (const [callee, code] of [
    ["+15005550001", 21217],
    ["+15005550002", 21214],
    ["+15005550003", 21215],
    ["+15005550004", 21216],
  ] as const)
    await expect(place(callee)).rejects.toMatchObject({ code });
  await expect(place(to, "+15005550001")).rejects.toMatchObject({ code: 21212 });
  await expect(place(to, "+14155550100")).rejects.toMatchObject({ code: 21210 });
});
