/** Evidence of a suite that a test holds: started and stopped by `createSuite()` and by the control API. */
import { createHash } from "node:crypto";
import { channel } from "node:diagnostics_channel";
import { EventEmitter } from "node:events";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { sendMail } from "../../emulators/suite/evidence/scenario/mail-client.ts";
import { verifyPack } from "../../emulators/suite/evidence/verify.ts";
import { verifyApart } from "../../emulators/suite/evidence/verify-apart.ts";
import { createSuite, type Suite } from "../../emulators/suite/suite.ts";
import { freePorts, start, temporaryFolder } from "../support/command.ts";

async function suite(
  environment: Record<string, string> = {},
  only: readonly ("twilio" | "azure-policyinsights")[] = ["twilio"],
): Promise<Suite> {
  const started = await createSuite({
    only,
    clock: "frozen@2026-01-01T09:00:00Z",
    environment: { BACKLOT_LOG_LEVEL: "silent", ...environment },
  });
  onTestFinished(() => started.close());
  return started;
}

async function send({ services, env }: Pick<Suite, "services" | "env">, body: string): Promise<void> {
  const response = await fetch(`${services.twilio?.url}/2010-04-01/Accounts/${env.TWILIO_ACCOUNT_SID}/Messages.json`, {
    method: "POST",
    headers: { authorization: `Basic ${btoa(`${env.TWILIO_ACCOUNT_SID}:${env.TWILIO_AUTH_TOKEN}`)}` },
    body: new URLSearchParams({ To: "+12025550199", From: env.TWILIO_PHONE_NUMBER ?? "", Body: body }),
  });
  expect(response.status).toBe(201);
}

test("what happens between start and stop is in the pack, and nothing before it", async () => {
  const running = await suite();
  await send(running, "before the recording");
  const folder = join(temporaryFolder(), "pack");
  await running.evidence.start({ title: "Checkout", folder });
  expect(readdirSync(`${folder}.partial`)).toEqual(["PARTIAL.md"]);
  await send(running, "while it runs");
  const recorded = await running.evidence.stop();
  expect(existsSync(`${folder}.partial`)).toBe(false);
  expect(recorded).toMatchObject({ name: "20260101-backlot", folder });
  expect(verifyPack(folder)).toMatchObject({ code: 0, fingerprint: recorded.fingerprint });
  const har = readFileSync(join(folder, "http/twilio.har"), "utf8");
  expect(har).toContain("while+it+runs");
  expect(har).not.toContain("before+the+recording");
  expect(readFileSync(join(folder, "README.md"), "utf8")).toMatch(/^# Checkout\n/);
  await expect(running.evidence.start({ folder })).rejects.toThrow(/is already there/);
  expect(running.evidence.since).toBeUndefined();
});

test("remediations are in the pack, wherever in the subscription they were made", async () => {
  const running = await suite({}, ["azure-policyinsights"]);
  const { httpUrl } = running.services["azure-policyinsights"] ?? {};
  const scope = `/subscriptions/${running.env.AZURE_SUBSCRIPTION_ID}`;
  const folder = join(temporaryFolder(), "pack");
  await running.evidence.start({ folder });
  const name = `${scope}/resourceGroups/rg-orders-prod-01/providers/Microsoft.PolicyInsights/remediations/tags`;
  const policyAssignmentId = `${scope}/providers/Microsoft.Authorization/policyAssignments/inherit-costcenter`;
  const made = await fetch(`${httpUrl}/_backlot/azure-policyinsights/arm${name}?api-version=2024-10-01`, {
    method: "PUT",
    body: JSON.stringify({ properties: { policyAssignmentId } }),
  });
  expect(made.status).toBe(201);
  await running.evidence.stop();
  expect(verifyPack(folder).code).toBe(0);
  const listed = JSON.parse(readFileSync(join(folder, "policy/remediations.json"), "utf8"));
  expect(listed).toMatchObject([{ name: "tags", properties: { provisioningState: "Accepted" } }]);
});

test("a run longer than the journal is recorded whole; one whose journal was cleared leaves no pack", async () => {
  const running = await suite({ BACKLOT_JOURNAL_SIZE: "20" });
  const folder = join(temporaryFolder(), "pack");
  await running.evidence.start({ folder });
  for (let n = 0; n < 60; n += 1) await send(running, `Number ${n}.`);
  const recorded = await running.evidence.stop();
  expect(verifyPack(folder)).toMatchObject({ code: 0, fingerprint: recorded.fingerprint });
  const har = readFileSync(join(folder, "http/twilio.har"), "utf8");
  for (let n = 0; n < 60; n += 1) expect(har).toContain(`Body=Number+${n}.`);
  expect(har.match(/"sequence":/g)).toHaveLength(60);

  const other = join(temporaryFolder(), "pack");
  await running.evidence.start({ folder: other });
  await send(running, "what is cleared away");
  await running.reset();
  await expect(running.evidence.stop()).rejects.toThrow(/twilio lost \d+ entries of the run: it was cleared/);
  expect([existsSync(other), existsSync(join(`${other}.partial`, "PARTIAL.md"))]).toEqual([false, true]);
});

test("emulators in processes of their own are recorded as those in the suite's", async () => {
  const env = { ...freePorts, BACKLOT_CLOCK: "frozen@2026-01-01T09:00:00Z", BACKLOT_LOG_LEVEL: "silent" };
  const apart = { ...env, BACKLOT_JOURNAL_SIZE: "10" };
  const [twilio, smtp] = ["twilio", "smtp"].map((name) => start(["up", "--json", "--only", name], { env: apart }));
  const { services: texts } = JSON.parse((await twilio?.line()) ?? "");
  const { services: mails } = JSON.parse((await smtp?.line()) ?? "");
  const leading = await createSuite({
    only: ["ec2-spot"],
    clock: env.BACKLOT_CLOCK,
    environment: { BACKLOT_ATTACH: `twilio=${texts.twilio.url},smtp=${mails.smtp.url}`, BACKLOT_LOG_LEVEL: "silent" },
  });
  onTestFinished(() => leading.close());
  const folder = join(temporaryFolder(), "pack");
  await leading.evidence.start({ folder, failFast: true });
  const { environment: told } = JSON.parse(await (await leading.control("GET", "/_backlot/env")).text());
  for (let n = 0; n < 30; n += 1) await send({ services: leading.services, env: told }, `Number ${n}.`);
  await sendMail(mails.smtp.host, mails.smtp.port, {
    from: "app@backlot.test",
    to: ["guest@customer.example"],
    message: "Subject: From afar\r\n\r\nA mail to another process.\r\n",
  });
  const recorded = await leading.evidence.stop();
  expect(verifyPack(folder)).toMatchObject({ code: 0, fingerprint: recorded.fingerprint });
  const read = (path: string) => JSON.parse(readFileSync(join(folder, path), "utf8"));
  expect(read("mode.json").counts).toMatchObject({ requests: { "ec2-spot": 0, twilio: 30 }, messages: 1 });
  expect(read("mode.json").notCovered).toEqual([]);
  expect(read("smtp/messages.json")).toMatchObject([{ subject: "From afar" }]);
  expect(read("sms/messages.json").filter(({ body }: { body: string }) => /^Number \d+\.$/.test(body))).toHaveLength(
    30,
  );
  expect(read("realmode/twilio.json")).toMatchObject({ status: 503 });
  expect(read("realmode/smtp.json")).toMatchObject({ greeting: expect.stringMatching(/^421 4\.3\.2/) });
}, 60_000);

test("by the control API: one recording at a time, and the archive with its digest", async () => {
  const running = await suite();
  const call = async (method: string, path: string, body?: unknown) => {
    const response = await fetch(`${running.url}/_backlot/evidence${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, headers: response.headers, bytes: Buffer.from(await response.arrayBuffer()) };
  };
  const json = ({ bytes }: { bytes: Buffer }) => JSON.parse(bytes.toString("utf8")) as unknown;
  const at = "2026-01-01T09:00:00.000Z";
  expect(json(await call("GET", ""))).toEqual({ recordingSince: null, pack: null });
  expect(await call("POST", "/stop")).toMatchObject({ status: 409 });
  expect(await call("GET", "/pack.tar")).toMatchObject({ status: 404 });
  expect(await call("POST", "/start", { titel: "misspelt" })).toMatchObject({ status: 400 });

  const started = await call("POST", "/start", { title: "Checkout", failFast: true });
  expect(started.status).toBe(201);
  expect(json(started)).toEqual({ recordingSince: at });
  expect(json(await call("POST", "/start", {}))).toMatchObject({
    error: "already_recording",
    message: expect.stringContaining(at),
  });
  await send(running, "while it runs");
  const stopped = json(await call("POST", "/stop")) as { fingerprint: string; bytes: number };
  expect(stopped).toMatchObject({ name: "20260101-backlot", files: expect.any(Number) });

  const archive = await call("GET", "/pack.tar");
  const sha256 = createHash("sha256").update(archive.bytes);
  expect(archive.headers.get("content-type")).toBe("application/x-tar");
  expect(archive.headers.get("content-digest")).toBe(`sha-256=:${sha256.copy().digest("base64")}:`);
  expect(stopped.fingerprint).toBe(sha256.digest("hex"));
  const file = join(temporaryFolder(), "pack.tar");
  writeFileSync(file, archive.bytes);
  expect(verifyPack(file, { sha256: stopped.fingerprint })).toMatchObject({ code: 0, findings: [] });
  expect(json(await call("GET", ""))).toMatchObject({ recordingSince: null, pack: { bytes: stopped.bytes } });
});

test("packs that are held stand on disk, one file each, and go with the suite", async () => {
  const place = temporaryFolder();
  vi.stubEnv("TMPDIR", place);
  onTestFinished(() => void vi.unstubAllEnvs());
  const running = await createSuite({ only: ["twilio"], environment: { BACKLOT_LOG_LEVEL: "silent" } });
  const held = () =>
    readdirSync(place).flatMap((name) => (name.startsWith("backlot-packs-") ? readdirSync(join(place, name)) : []));
  const record = async () => {
    await running.control("POST", "/_backlot/evidence/start", {});
    return (await (await running.control("POST", "/_backlot/evidence/stop")).json()) as { id: string };
  };
  try {
    const made = await record();
    expect(held()).toEqual([`${made.id}.tar`]);
    const verdict = await running.control("GET", `/_backlot/evidence/packs/${made.id}/verdict`);
    expect(await verdict.json()).toMatchObject({ code: 0, findings: [] });

    await running.control("POST", "/_backlot/evidence/start", {});
    expect(held()).toHaveLength(2);
    await running.control("POST", "/_backlot/evidence/stop");
    await running.control("DELETE", `/_backlot/evidence/packs/${made.id}`);
    expect(held()).not.toContain(`${made.id}.tar`);
  } finally {
    await running.close();
  }
  expect(held()).toEqual([]);
  expect(readdirSync(place).filter((name) => name.startsWith("backlot-packs-"))).toEqual([]);
});

test("a socket of this process that leads elsewhere is in the proof, and one to loopback is not", async () => {
  const running = await suite();
  const proofOf = async (...addresses: readonly string[]) => {
    await running.evidence.start();
    // As Node tells of a socket before it connects: nothing is sent for this test.
    for (const address of addresses) {
      const socket = new EventEmitter();
      channel("net.client.socket").publish({ socket });
      socket.emit("connectionAttempt", address, 443);
    }
    const { files } = await running.evidence.stop();
    const read = (path: string) => JSON.parse(files.get(path)?.toString("utf8") ?? "null") as unknown;
    return [read("egress/proof.json"), read("volatile/connections.json")];
  };
  const only = { verdict: "connected to loopback only", limit: expect.any(String) };
  expect(await proofOf("127.0.0.1", "::1")).toMatchObject([{ process: only }, { elsewhere: [] }]);
  expect(await proofOf("127.0.0.1", "198.51.100.7")).toMatchObject([
    { process: { verdict: "connected elsewhere" } },
    { elsewhere: ["198.51.100.7 port 443"] },
  ]);
  expect(await proofOf()).toMatchObject([{ process: only }, { elsewhere: [] }]);
});

test("verifying on a thread of its own says what went wrong there", async () => {
  await expect(verifyApart(join(temporaryFolder(), "nothing.tar"))).rejects.toThrow(
    /There is no pack at .*nothing\.tar/,
  );
});

test("texts and calls of the run are exported, without what an account is seeded with", async () => {
  const running = await suite();
  const { services, env } = running;
  const account = `${services.twilio?.url}/2010-04-01/Accounts/${env.TWILIO_ACCOUNT_SID}`;
  const headers = { authorization: `Basic ${btoa(`${env.TWILIO_ACCOUNT_SID}:${env.TWILIO_AUTH_TOKEN}`)}` };
  await running.evidence.start();
  await send(running, "for the record");
  const call = { To: "+12025550199", From: env.TWILIO_PHONE_NUMBER ?? "", Twiml: "<Response><Hangup/></Response>" };
  const called = await fetch(`${account}/Calls.json`, { method: "POST", headers, body: new URLSearchParams(call) });
  expect(called.status).toBe(201);
  const { files } = await running.evidence.stop();
  const read = (path: string) => JSON.parse(files.get(path)?.toString("utf8") ?? "null") as unknown;
  expect(read("sms/messages.json")).toEqual([expect.objectContaining({ body: "for the record" })]);
  expect(read("calls/calls.json")).toEqual([expect.objectContaining({ to: "+12025550199" })]);
  const seeded = (await (await fetch(`${account}/Calls.json`, { headers })).json()) as { calls: readonly unknown[] };
  expect(seeded.calls.length).toBeGreaterThan(1);
});
