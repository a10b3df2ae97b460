/** Evidence of a suite that a test holds: started and stopped by `createSuite()` and by the control API. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { verifyPack } from "../../emulators/suite/evidence/verify.ts";
import { createSuite, type Suite } from "../../emulators/suite/suite.ts";
import { temporaryFolder } from "../support/command.ts";

async function suite(): Promise<Suite> {
  const started = await createSuite({
    only: ["twilio"],
    clock: "frozen@2026-01-01T09:00:00Z",
    environment: { BACKLOT_LOG_LEVEL: "silent" },
  });
  onTestFinished(() => started.close());
  return started;
}

async function send({ services, env }: Suite, body: string): Promise<void> {
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
