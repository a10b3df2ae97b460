/** Whatever callers, applications and the API do to calls, queues, conferences and legs agree on who is where. */
import { afterEach, beforeEach, expect, test } from "vitest";
import type { PhoneCall } from "../../emulators/twilio/api/call-life.ts";
import { isOver } from "../../emulators/twilio/domain/call.ts";
import {
  call as callKind,
  conference,
  member,
  participant,
  queue,
  queueServer,
  recording,
} from "../../emulators/twilio/kinds.ts";
import { type Receiver, startReceiver } from "../support/receiver.ts";
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

const verbs = [
  "<Say>hello there</Say>",
  "<Gather action='/next' numDigits='1'/>",
  "<Gather input='speech' timeout='2'/>",
  "<Record action='/next' maxLength='4'/>",
  "<Enqueue action='/next'>a</Enqueue>",
  "<Enqueue waitUrl='/next'>a</Enqueue>",
  "<Dial action='/next'><Queue>a</Queue></Dial>",
  "<Dial action='/next'><Conference statusCallback='/told' statusCallbackEvent='join leave'>r</Conference></Dial>",
  "<Dial><Conference endConferenceOnExit='true'>r</Conference></Dial>",
  "<Dial record='record-from-answer'><Number>+14155550144</Number><Number>+12025550142</Number></Dial>",
  "<Dial action='/next'><Sip>sip:a@example.com</Sip></Dial>",
  "<Dial>+12025550141</Dial>",
  "<Leave/>",
  "<Redirect>/next</Redirect>",
];

test.each([1, 2])("after any hundred and fifty steps nobody is in two places, or in none (%i)", async (seed) => {
  const pick = chance(seed);
  const document = () =>
    `<Response>${[...Array(1 + pick(3))].map(() => verbs[pick(verbs.length)]).join("")}</Response>`;
  receiver.answer = (_call, _n, response) =>
    void response.writeHead(pick(12) === 0 ? 500 : 200, { "content-type": "text/xml" }).end(document());
  const url = receiver.url.replace("/hook", "/next");
  const client = server.client();
  const from = server.env.TWILIO_PHONE_NUMBER ?? "";
  const place = (to: string) =>
    client.calls.create({ to, from, ...(pick(2) === 0 ? { url, record: true } : { twiml: document() }) });
  const leave = async (conferenceSid: string, callSid: string | undefined) => {
    if (callSid) await client.conferences(conferenceSid).participants(callSid).remove();
  };
  let now = start;
  for (let n = 0; n < 150; n += 1) {
    const live = callsUnderWay();
    const one = live[pick(live.length)]?.sid;
    const [held] = server.runtime.state.recentResources(conference, 1);
    const step = one === undefined ? 0 : pick(10);
    if (one === undefined || step <= 1) await place(`+1415555${1000 + n}`);
    else if (step === 2) await control(server, `calls/${one}/hangup`, {});
    else if (step === 3) await refusedAtMost(client.calls(one).update(pick(2) === 0 ? { url } : { twiml: document() }));
    else if (step === 4) await refusedAtMost(client.calls(one).update({ status: "completed" }));
    else if (step === 5 && held) await leave(held.sid, participantsOf(held.sid)[0]?.data.callSid);
    else if (step === 6 && held && pick(3) === 0) await client.conferences(held.sid).update({ status: "completed" });
    else if (step === 7) await client.conferences("r").participants.create({ from, to: "+14155550190" });
    else if (step === 8) {
      const [line] = await client.queues.list();
      if (line && line.currentSize > 0) await client.queues(line.sid).members("Front").update({ url });
    } else {
      now += [500, 3_000, 11_000, 40_000][pick(4)] ?? 0;
      await server.advance(now);
    }
    expect(contradictions(), `step ${n} of seed ${seed}`).toEqual([]);
  }
  expect(server.runtime.state.recentResources(callKind, 1_000).length).toBeGreaterThan(50);
});

/** The same numbers for the same seed. */
function chance(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((state / 2 ** 31) * below);
  };
}

/** What the caller cannot do just now is a 400; anything else is a fault. */
async function refusedAtMost(asked: Promise<unknown>): Promise<void> {
  await asked.catch((cause: { status?: number }) => expect(cause.status).toBe(400));
}

function callsUnderWay(): readonly PhoneCall[] {
  return server.runtime.state.recentResources(callKind, 5_000).filter(({ data }) => !isOver(data.status));
}

function participantsOf(conferenceSid: string) {
  return server.runtime.state.resourcesOf(participant, conferenceSid);
}

function contradictions(): string[] {
  const { state } = server.runtime;
  const live = new Map(callsUnderWay().map((one) => [one.sid, one]));
  const doing = (sid: string) => live.get(sid)?.data.script?.waiting?.tag;
  const found: string[] = [];
  for (const { sid } of state.recentResources(queue, 100)) {
    for (const { data } of state.resourcesOf(member, sid))
      if (doing(data.callSid) !== "queue" && !live.get(data.callSid)?.data.script?.queued)
        found.push(`in a queue, but ${doing(data.callSid)}`);
    for (const { data } of state.resourcesOf(queueServer, sid))
      if (doing(data.callSid) !== "caller" || state.countResources(member, sid) > 0) found.push("serves nobody");
  }
  for (const { sid, data } of state.recentResources(conference, 1_000))
    for (const one of participantsOf(sid)) {
      const { status } = live.get(one.data.callSid)?.data ?? {};
      if (data.status === "completed" || status === undefined) found.push("left behind in a conference");
      if (status === "in-progress" && doing(one.data.callSid) !== "conference") found.push("in a conference, but not");
    }
  for (const one of live.values()) found.push(...contradictionsOf(one, live));
  for (const { data } of state.recentResources(recording, 1_000))
    if (data.seconds === null && !live.has(data.callSid)) found.push("recorded after the end");
  return found;
}

function contradictionsOf({ sid, data }: PhoneCall, live: ReadonlyMap<string, PhoneCall>): string[] {
  const { state } = server.runtime;
  const waiting = data.script?.waiting;
  switch (waiting?.tag) {
    case "queue":
      return state.resourceByKey(member, sid) ? [] : ["waits in no queue"];
    case "conference":
      return state.resourceByKey(participant, sid) ? [] : ["talks in no conference"];
    case "dial":
      return waiting.legs.every((leg) => live.has(leg)) ? [] : ["waits for a leg that is over"];
    case "serving":
    case "served": {
      const other = live.get(waiting.other)?.data.script?.waiting;
      const mutual = (other?.tag === "serving" || other?.tag === "served") && other.other === sid;
      return mutual ? [] : [`${waiting.tag} by itself`];
    }
    default: {
      if (data.script !== null || data.status !== "in-progress") return [];
      const parent = live.get(data.parentCallSid ?? "")?.data.script?.waiting;
      return parent?.tag === "dial" && parent.legs.includes(sid) ? [] : ["does nothing"];
    }
  }
}
