import { createHmac } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { expect, onTestFinished, test } from "vitest";
import type { ProbeReport } from "../../emulators/kernel/probe.ts";
import { noon, startExample } from "../support/example.ts";
import { type Receiver, startReceiver } from "../support/receiver.ts";
import { startStrictReceiver } from "../support/strict-receiver.ts";

const secret = `whsec_${Buffer.from("a secret of twenty-four b").toString("base64")}`;

function closing(receiver: Receiver): Receiver {
  onTestFinished(() => receiver.close());
  return receiver;
}

const failed = (report: ProbeReport) => report.results.filter((row) => !row.passed).map((row) => row.case);

const rejections = [
  "unsigned",
  "tampered-body",
  "reserialised-body",
  "wrong-secret",
  "expired",
  "future",
  "tampered-id",
  "downgraded",
  "wrong-prefix",
  "bad-base64",
  "empty-list",
  "replayed-id",
];

test("a strict receiver passes the whole matrix, statuses included, again and again", async () => {
  const { call } = await startExample();
  const receiver = closing(await startStrictReceiver(() => [secret]));
  for (const _ of [1, 2]) {
    const { status, body } = await call("POST", "/_backlot/webhooks/probe", {
      url: receiver.url,
      secret,
      exactStatus: true,
    });
    expect(status).toBe(200);
    const report = body as ProbeReport;
    expect(failed(report)).toEqual([]);
    expect(report).toMatchObject({ passed: true, summary: { cases: 15, passed: 15, failed: 0, advisories: 0 } });
    expect(report.results.find((row) => row.case === "expired")).toMatchObject({
      expected: "reject",
      expectedStatus: 401,
      status: 401,
    });
    expect(report.results.find((row) => row.case === "tampered-body")).toMatchObject({
      expectedStatus: 403,
      status: 403,
    });
    expect(report.results.find((row) => row.case === "replayed-id")).toMatchObject({ status: 409, advisory: true });
  }
});

test("a receiver that accepts everything fails exactly the rows of rejection, the replay as advice", async () => {
  const { call } = await startExample();
  const receiver = closing(await startReceiver());
  const report = (await call("POST", "/_backlot/webhooks/probe", { url: receiver.url, secret })).body as ProbeReport;
  expect(failed(report)).toEqual(rejections);
  expect(report).toMatchObject({ passed: false, summary: { cases: 15, passed: 4, failed: 11, advisories: 1 } });
});

test("a receiver with the stock verifier passes all that is counted; ids are the application's to remember", async () => {
  const { call } = await startExample();
  const receiver = closing(await startReceiver());
  receiver.answer = (received, _n, response) => {
    try {
      new Webhook(secret).verify(received.body, received.headers as Record<string, string>);
      response.writeHead(200).end();
    } catch {
      response.writeHead(401).end();
    }
  };
  const report = (await call("POST", "/_backlot/webhooks/probe", { url: receiver.url, secret })).body as ProbeReport;
  expect(failed(report)).toEqual(["replayed-id"]);
  expect(report.passed).toBe(true);
});

test("an endpoint is probed with its own secrets, on its own clock, also while it rotates", async () => {
  const { call, emulator } = await startExample();
  let holds = "";
  const receiver = closing(
    await startStrictReceiver(
      () => [holds],
      () => emulator.runtime.clock.now(),
    ),
  );
  const made = (await call("POST", "/_backlot/webhooks/endpoints", { url: receiver.url, signingTime: "virtual" }))
    .body as { id: string; secret: string };
  holds = made.secret;
  const probe = async () =>
    (await call("POST", `/_backlot/webhooks/endpoints/${made.id}/probe`, {})).body as ProbeReport;
  expect(emulator.runtime.clock.now()).toBe(noon);
  expect(failed(await probe())).toEqual([]);
  const rotated = (
    await call("PATCH", `/_backlot/webhooks/endpoints/${made.id}`, { rotateSecret: { overlapSeconds: 60 } })
  ).body as { secret: string };
  holds = rotated.secret;
  expect(failed(await probe())).toEqual([]);
  expect((await call("POST", "/_backlot/webhooks/endpoints/ep_none/probe", {})).status).toBe(404);
});

test("a scheme without a timestamp is probed for what it can show", async () => {
  const { call } = await startExample();
  const receiver = closing(await startReceiver());
  receiver.answer = ({ body, headers }, _n, response) => {
    const expected = createHmac("sha256", "plain").update(body).digest("hex");
    response.writeHead(headers["x-signature"] === expected ? 200 : 403).end();
  };
  const report = (
    await call("POST", "/_backlot/webhooks/probe", { url: receiver.url, secret: "plain", scheme: "hex-sha256" })
  ).body as ProbeReport;
  expect(report.results.map((row) => row.case)).toEqual([
    "genuine",
    "unsigned",
    "tampered-body",
    "reserialised-body",
    "wrong-secret",
  ]);
  expect(report.passed).toBe(true);
  expect(await call("POST", "/_backlot/webhooks/probe", { url: receiver.url, secret, scheme: "none" })).toMatchObject({
    status: 400,
    body: { error: "unknown_scheme" },
  });
});

test("a receiver that is not there fails every row at once; one that falls over has not judged", async () => {
  const { call } = await startExample();
  const gone = await startReceiver();
  await gone.close();
  const report = (await call("POST", "/_backlot/webhooks/probe", { url: gone.url, secret })).body as ProbeReport;
  expect(report.results.every((row) => !row.passed && row.status === null)).toBe(true);
  expect(report.results[1]?.detail).toContain("not sent");
  const broken = closing(await startReceiver());
  broken.answer = (_received, _n, response) => void response.writeHead(500).end();
  const fallen = (await call("POST", "/_backlot/webhooks/probe", { url: broken.url, secret })).body as ProbeReport;
  expect(fallen.summary.passed).toBe(0);
});

test("nothing is sent off the machine, nor in real mode", async () => {
  const { call, emulator } = await startExample();
  const report = (await call("POST", "/_backlot/webhooks/probe", { url: "http://example.com/hook", secret }))
    .body as ProbeReport;
  expect(report.results[0]?.detail).toContain("BACKLOT_WEBHOOK_ALLOW");
  expect(emulator.runtime.journal.read({ matches: (entry) => entry.kind === "egress" })).toMatchObject([
    { data: { by: "probe" } },
  ]);
  await call("PUT", "/_backlot/mode", { mode: "real" });
  expect((await call("POST", "/_backlot/webhooks/probe", { url: "http://127.0.0.1:9/hook", secret })).status).toBe(409);
});
