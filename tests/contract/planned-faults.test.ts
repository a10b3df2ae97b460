/** Planned faults as the official clients see them: each service's own error, found by the operation it is called by. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { DescribeInstancesCommand, DescribeRegionsCommand } from "@aws-sdk/client-ec2";
import { FisClient, ListExperimentsCommand } from "@aws-sdk/client-fis";
import { DescribeServicesCommand, PricingClient } from "@aws-sdk/client-pricing";
import { GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import { afterEach, expect, onTestFinished, test } from "vitest";
import { startEmulator } from "../../emulators/kernel/start.ts";
import { smtp } from "../../emulators/smtp/index.ts";
import { createSuite } from "../../emulators/suite/suite.ts";
import { type Started, startEc2 } from "./ec2-start.ts";
import { twilioServer } from "./twilio-client.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function plan(url: string, rule: object): Promise<void> {
  const answer = await fetch(`${url}/_backlot/faults`, { method: "POST", body: JSON.stringify(rule) });
  expect(answer.status, await answer.text()).toBe(201);
}

async function ec2(): Promise<Started> {
  const started = await startEc2();
  closers.push(() => started.close());
  return started;
}

const caught = (call: Promise<unknown>) =>
  call.then(
    () => "answered",
    (cause: unknown) => cause,
  );

test("EC2: XML, by action and by the id of a resource; others pass", async () => {
  const started = await ec2();
  const client = started.ec2();
  await plan(started.url, { match: { operation: "DescribeRegions" }, action: { status: 503 } });
  await plan(started.url, {
    match: { operation: "ec2:DescribeInstances", resource: "i-0123456789abcdef0" },
    action: { status: 500, code: "InsufficientInstanceCapacity", message: "None is left." },
  });
  expect(await caught(client.send(new DescribeRegionsCommand({})))).toMatchObject({
    name: "Unavailable",
    message: "The server is overloaded and can't handle the request.",
    $metadata: { httpStatusCode: 503, requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) },
  });
  const one = new DescribeInstancesCommand({ InstanceIds: ["i-0123456789abcdef0"] });
  expect(await caught(client.send(one))).toMatchObject({
    name: "InsufficientInstanceCapacity",
    message: "None is left.",
    $metadata: { httpStatusCode: 500 },
  });
  expect((await client.send(new DescribeInstancesCommand({}))).Reservations).toBeDefined();
});

test("STS: its own XML; Pricing: JSON 1.1; FIS: REST-JSON", async () => {
  const started = await ec2();
  const options = { endpoint: started.url, region: "us-east-1", credentials: started.user, maxAttempts: 1 };
  const [pricing, fis] = [new PricingClient(options), new FisClient(options)];
  closers.push(
    () => pricing.destroy(),
    () => fis.destroy(),
  );
  await plan(started.url, { match: { operation: "GetCallerIdentity" }, action: { status: 403 } });
  await plan(started.url, { match: { operation: "pricing:DescribeServices" }, action: { status: 500 } });
  await plan(started.url, { match: { operation: "ListExperiments" }, action: { status: 409, message: "Busy." } });
  expect(await caught(started.sts().send(new GetCallerIdentityCommand({})))).toMatchObject({
    name: "AccessDenied",
    $metadata: { httpStatusCode: 403 },
  });
  expect(await caught(pricing.send(new DescribeServicesCommand({})))).toMatchObject({
    name: "InternalErrorException",
    $metadata: { httpStatusCode: 500 },
  });
  expect(await caught(fis.send(new ListExperimentsCommand({})))).toMatchObject({
    name: "ConflictException",
    message: "Busy.",
    $metadata: { httpStatusCode: 409 },
  });
});

test("throttled, each AWS service says so as its client retries it", async () => {
  const started = await ec2();
  const options = { endpoint: started.url, region: "us-east-1", credentials: started.user, maxAttempts: 1 };
  const [pricing, fis] = [new PricingClient(options), new FisClient(options)];
  closers.push(
    () => pricing.destroy(),
    () => fis.destroy(),
  );
  await plan(started.url, { action: { throttle: { retryAfterSeconds: 3 } } });
  const seen = await Promise.all(
    [
      started.ec2().send(new DescribeRegionsCommand({})),
      started.sts().send(new GetCallerIdentityCommand({})),
      pricing.send(new DescribeServicesCommand({})),
      fis.send(new ListExperimentsCommand({})),
    ].map(caught),
  );
  expect(seen).toMatchObject([
    { name: "RequestLimitExceeded", $metadata: { httpStatusCode: 503 } },
    { name: "Throttling", $metadata: { httpStatusCode: 400 } },
    { name: "ThrottlingException", $metadata: { httpStatusCode: 400 } },
    { name: "ThrottlingException", $metadata: { httpStatusCode: 429 } },
  ]);
});

test("Twilio: by the operation as the capabilities write it, with and without a host of its own", async () => {
  const server = await twilioServer();
  closers.push(() => server.close());
  await plan(server.url, {
    match: { operation: "GET /2010-04-01/Accounts/{AccountSid}/Messages.json" },
    action: { status: 500 },
  });
  await plan(server.url, {
    match: { operation: "GET https://verify.twilio.com/v2/Services" },
    action: { status: 503 },
  });
  expect(await caught(server.client().messages.list({ limit: 1 }))).toMatchObject({ status: 500, code: 20500 });
  expect(await caught(server.client().verify.v2.services.list({ limit: 1 }))).toMatchObject({
    status: 503,
    code: 20503,
  });
});

test("Azure: ARM's envelope by operation and scope, Entra's own at the token endpoint", async () => {
  const suite = await createSuite({ only: ["azure-policyinsights"], clock: "frozen@2025-01-15T12:00:00Z" });
  closers.push(() => suite.close());
  const url = suite.env.BACKLOT_AZURE_HTTP_URL ?? "";
  const script = fileURLToPath(new URL("./clients/azure-policy.mjs", import.meta.url));
  const failed = async () => {
    const env = { PATH: process.env.PATH ?? "", ...suite.env, NODE_EXTRA_CA_CERTS: suite.caPath };
    const { stdout } = await promisify(execFile)(process.execPath, [script, "one", "RG-Payments-Prod-01"], { env });
    return (JSON.parse(stdout) as { failed?: object }).failed;
  };
  const group = "/subscriptions/{subscription}/resourceGroups/{resourceGroup}";
  await plan(url, {
    match: {
      operation: `POST ${group}/providers/Microsoft.PolicyInsights/policyStates/latest/queryResults`,
      resource: "*/RG-Payments-Prod-01",
    },
    action: { status: 409 },
    times: 1,
  });
  expect(await failed()).toMatchObject({ name: "RestError", code: "Conflict", statusCode: 409 });
  expect(await failed()).toBeUndefined();
  await plan(url, {
    match: { operation: "POST /{tenant}/oauth2/v2.0/token" },
    action: { status: 400, code: 700016, message: "No such application." },
  });
  expect(await failed()).toMatchObject({
    name: "AuthenticationRequiredError",
    message: expect.stringContaining("AADSTS700016: No such application."),
  });
}, 60_000);

test("mailboxes: Mailpit a line of text, MailDev an error member, MailHog its own problem", async () => {
  const mail = await startEmulator(smtp, { environment: { BACKLOT_LOG_LEVEL: "silent" }, listen: false });
  onTestFinished(() => mail.close());
  const base = "http://127.0.0.1:8025";
  const ask = async (path: string, method = "GET") => {
    const answer = await mail.fetch(new Request(base + path, { method }));
    return [answer.status, await answer.text()];
  };
  const planned = await mail.fetch(
    new Request(`${base}/_backlot/faults`, {
      method: "POST",
      body: JSON.stringify([
        { match: { operation: "GET /api/v1/message/{id}" }, action: { status: 502, message: "Down." } },
        { match: { path: "/maildev/email" }, action: { status: 502, message: "Down." } },
        { match: { path: "/mailhog/api/v1/messages" }, action: { status: 502, message: "Down." } },
        { match: { operation: "POST /api/v1/send" }, action: { status: 502, message: "Down." } },
      ]),
    }),
  );
  expect(planned.status).toBe(201);
  expect(await ask("/api/v1/message/x")).toEqual([502, "Down."]);
  expect(await ask("/mailpit/api/v1/message/x")).toEqual([502, "Down."]);
  expect(await ask("/maildev/email")).toEqual([502, '{"error":"Down."}']);
  expect(await ask("/mailhog/api/v1/messages")).toEqual([502, '{"error":"planned_fault","message":"Down."}']);
  expect(await ask("/api/v1/send", "POST")).toEqual([502, '{"Error":"Down."}']);
});
