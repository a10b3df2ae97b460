/** The verifiers that applications use, unmodified, on what the dispatcher sends over a socket. */
import { execFileSync, spawnSync } from "node:child_process";
import { createHmac } from "node:crypto";
import { Webhook } from "standardwebhooks";
import Stripe from "stripe";
import { Webhook as Svix } from "svix";
import twilio from "twilio";
import { expect, onTestFinished, test } from "vitest";
import { type Example, startExample } from "../support/example.ts";
import { type Received, type Receiver, startReceiver } from "../support/receiver.ts";
import { python3, testWith } from "../support/tools.ts";
import { twilioServer } from "./twilio-client.ts";

interface Made {
  readonly id: string;
  readonly secret: string;
}

async function hook(): Promise<Receiver> {
  const receiver = await startReceiver();
  onTestFinished(() => receiver.close());
  return receiver;
}

async function endpoint({ call }: Example, url: string, schemes: readonly string[]): Promise<Made> {
  const { status, body } = await call("POST", "/_backlot/webhooks/endpoints", {
    url,
    schemes,
    events: ["note.created"],
  });
  expect(status).toBe(201);
  return body as Made;
}

async function rotate({ call }: Example, { id }: Made): Promise<string> {
  const { body } = await call("PATCH", `/_backlot/webhooks/endpoints/${id}`, { rotateSecret: {} });
  return (body as Made).secret;
}

async function delivered(example: Example, receiver: Receiver, text: string): Promise<Received> {
  const before = receiver.calls.length;
  await example.note(text);
  await example.emulator.runtime.outbox.idle();
  const call = receiver.calls[before];
  if (!call) throw new Error("nothing was delivered");
  return call;
}

const headersOf = (call: Received) =>
  Object.fromEntries(Object.entries(call.headers).map(([name, value]) => [name, String(value)]));

const accepts = (verify: () => unknown): boolean => {
  try {
    verify();
    return true;
  } catch {
    return false;
  }
};

/** Text that JSON escapes, and text whose bytes differ from its characters. */
const awkward = 'quotes " and \\ slashes, Zürich, 東京 🎬';

test.each([
  ["standardwebhooks", (secret: string) => new Webhook(secret)],
  ["svix", (secret: string) => new Svix(secret)],
])("%s accepts the standard scheme, during a rotation with either secret", async (_name, verifier) => {
  const [example, receiver] = [await startExample(), await hook()];
  const made = await endpoint(example, receiver.url, ["standard"]);
  const one = await delivered(example, receiver, awkward);
  expect(verifier(made.secret).verify(one.body, headersOf(one))).toMatchObject({ data: { text: awkward } });
  const next = await rotate(example, made);
  const two = await delivered(example, receiver, "rotated");
  for (const secret of [made.secret, next]) verifier(secret).verify(two.body, headersOf(two));
  expect(accepts(() => verifier(next).verify(one.body, headersOf(one)))).toBe(false);
  expect(accepts(() => verifier(next).verify(`${two.body} `, headersOf(two)))).toBe(false);
});

test("Stripe's library accepts the stripe scheme, during a rotation with either secret, and refuses an old one", async () => {
  const [example, receiver] = [await startExample(), await hook()];
  const made = await endpoint(example, receiver.url, ["stripe"]);
  const { webhooks } = new Stripe("sk_test_nothing");
  const construct = (call: Received, secret: string, body = call.body, at?: number) =>
    webhooks.constructEvent(body, headersOf(call)["stripe-signature"] ?? "", secret, 300, undefined, at);
  const one = await delivered(example, receiver, awkward);
  expect(construct(one, made.secret)).toMatchObject({ type: "note.created", data: { text: awkward } });
  const next = await rotate(example, made);
  const two = await delivered(example, receiver, "rotated");
  expect(headersOf(two)["stripe-signature"]).toMatch(/^t=\d{10},v1=[0-9a-f]{64},v1=[0-9a-f]{64}$/);
  for (const secret of [made.secret, next]) construct(two, secret);
  expect(accepts(() => construct(one, next))).toBe(false);
  expect(accepts(() => construct(two, next, `${two.body} `))).toBe(false);
  const later = Date.now() + 302_000;
  expect(accepts(() => construct(two, next, two.body, later))).toBe(false);
});

test("the probe of a receiver with Stripe's library passes", async () => {
  const [example, receiver] = [await startExample(), await hook()];
  const made = await endpoint(example, receiver.url, ["stripe"]);
  const { webhooks } = new Stripe("sk_test_nothing");
  receiver.answer = (call, _n, response) => {
    const ok = accepts(() =>
      webhooks.constructEvent(call.body, headersOf(call)["stripe-signature"] ?? "", made.secret),
    );
    response.writeHead(ok ? 200 : 400).end();
  };
  const { body } = await example.call("POST", `/_backlot/webhooks/endpoints/${made.id}/probe`, {});
  expect(body).toMatchObject({ scheme: "stripe", passed: true, summary: { cases: 9, failed: 0 } });
});

test("twilio.validateRequest accepts callbacks, and events of an endpoint with Twilio's scheme", async () => {
  const server = await twilioServer();
  onTestFinished(() => server.close());
  const receiver = await hook();
  const token = server.env.TWILIO_AUTH_TOKEN ?? "";
  const signatureOf = (call: Received) => headersOf(call)["x-twilio-signature"] ?? "";
  const made = (await (
    await fetch(`${server.url}/_backlot/webhooks/endpoints`, {
      method: "POST",
      body: JSON.stringify({ url: `${receiver.url}?kind=event`, schemes: ["twilio"] }),
    })
  ).json()) as Made;
  await server.client().messages.create({
    to: "+14155550199",
    from: server.env.TWILIO_PHONE_NUMBER ?? "",
    body: awkward,
    statusCallback: `${receiver.url}?kind=callback`,
  });
  await server.advance(server.runtime.clock.now() + 60_000);
  const of = (kind: string) => receiver.calls.filter(({ url }) => url.includes(`kind=${kind}`));
  expect([of("callback").length, of("event").length]).toEqual([2, 3]);
  for (const call of of("callback")) {
    const form = Object.fromEntries(new URLSearchParams(call.body));
    const url = new URL(call.url, receiver.url).href;
    expect(twilio.validateRequest(token, signatureOf(call), url, form)).toBe(true);
    expect(twilio.validateRequest(token, signatureOf(call), url, { ...form, To: "+1" })).toBe(false);
  }
  for (const call of of("event")) {
    const url = new URL(call.url, receiver.url).href;
    expect(twilio.validateRequestWithBody(made.secret, signatureOf(call), url, call.body)).toBe(true);
    expect(twilio.validateRequestWithBody(made.secret, signatureOf(call), url, `${call.body} `)).toBe(false);
  }
});

/** Ten lines as they stand in many applications: body on standard input, secret and header as arguments. */
const python = `
import hashlib, hmac, sys
from datetime import datetime, timezone
secret, signature, stamp = sys.argv[1:4]
body = sys.stdin.buffer.read()
age = datetime.now(timezone.utc) - datetime.fromisoformat(stamp.replace("Z", "+00:00"))
if abs(age.total_seconds()) > 300:
    sys.exit(1)
expected = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
sys.exit(0 if hmac.compare_digest(expected, signature) else 3)
`;

testWith(python3, "ten lines of Python accept the hex scheme", async (command) => {
  const [example, receiver] = [await startExample(), await hook()];
  const { secret } = await endpoint(example, receiver.url, ["hex-sha256"]);
  const call = await delivered(example, receiver, awkward);
  const judge = (body: string, key = secret, stamp = headersOf(call)["x-timestamp"] ?? "") =>
    spawnSync(command, ["-c", python, key, headersOf(call)["x-signature"] ?? "", stamp], { input: body }).status;
  expect(judge(call.body)).toBe(0);
  expect(judge(`${call.body} `)).toBe(3);
  expect(judge(call.body, `${secret}x`)).toBe(3);
  expect(judge(call.body, secret, "2020-01-01T00:00:00.000Z")).toBe(1);
});

const openssl = { name: "openssl", package: "openssl", commands: ["openssl"], probe: ["version"] };
testWith(openssl, "openssl, as in a shell script, makes the same hex", async () => {
  const [example, receiver] = [await startExample(), await hook()];
  const { secret } = await endpoint(example, receiver.url, ["hex-sha256", "stripe"]);
  const call = await delivered(example, receiver, awkward);
  const made = execFileSync("openssl", ["dgst", "-sha256", "-hmac", secret, "-hex"], { input: call.body }).toString();
  expect(made.trim().split("= ").at(-1)).toBe(headersOf(call)["x-signature"]);
  const [, timestamp, v1] = /^t=(\d+),v1=([0-9a-f]+)$/.exec(headersOf(call)["stripe-signature"] ?? "") ?? [];
  expect(createHmac("sha256", secret).update(`${timestamp}.${call.body}`).digest("hex")).toBe(v1);
});
