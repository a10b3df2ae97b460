/** The steps that the control API tells lead whoever follows them by hand to the header that was sent. */
import { createHash, createHmac } from "node:crypto";
import { expect, onTestFinished, test } from "vitest";
import type { SignatureCheck } from "../../emulators/kernel/control-answers.ts";
import { createSuite, type Suite } from "../../emulators/suite/suite.ts";
import { startReceiver } from "../support/receiver.ts";

async function suite(environment: Record<string, string> = {}): Promise<Suite> {
  const started = await createSuite({
    only: ["twilio"],
    environment: { BACKLOT_LOG_LEVEL: "silent", BACKLOT_PACE: "0", ...environment },
  });
  onTestFinished(() => started.close());
  return started;
}

async function receiver() {
  const started = await startReceiver();
  onTestFinished(() => started.close());
  return started;
}

async function ask<T>(running: Suite, method: string, path: string, body?: unknown): Promise<T> {
  const response = await running.control(method, `/_backlot${path}`, body);
  if (!response.ok) throw new Error(await response.text());
  return (await (response.status === 204 ? undefined : response.json())) as T;
}

async function send({ services, env }: Suite, fields: Record<string, string> = {}): Promise<void> {
  const response = await fetch(`${services.twilio?.url}/2010-04-01/Accounts/${env.TWILIO_ACCOUNT_SID}/Messages.json`, {
    method: "POST",
    headers: { authorization: `Basic ${btoa(`${env.TWILIO_ACCOUNT_SID}:${env.TWILIO_AUTH_TOKEN}`)}` },
    body: new URLSearchParams({ To: "+12025550199", From: env.TWILIO_PHONE_NUMBER ?? "", Body: "ü & more", ...fields }),
  });
  expect(response.status).toBe(201);
}

/** Of the first attempt of the newest delivered webhook. */
async function checks(running: Suite): Promise<readonly SignatureCheck[]> {
  let id: string | undefined;
  await expect
    .poll(async () => {
      const { services } = await ask<{ services: Record<string, { deliveries: { id: string }[] }> }>(
        running,
        "GET",
        "/webhooks/deliveries?state=delivered",
      );
      id = services.twilio?.deliveries[0]?.id;
      return id;
    })
    .toBeTruthy();
  const found = await ask<{ attempts: { checks: readonly SignatureCheck[] }[] }>(
    running,
    "GET",
    `/webhooks/deliveries/${id}/signatures`,
  );
  return found.attempts[0]?.checks ?? [];
}

const print = (secret: string) => `sha256:${createHash("sha256").update(secret).digest("hex").slice(0, 16)}`;

test("what an endpoint asks for: each scheme's content and key give its header", async () => {
  const running = await suite();
  const { url } = await receiver();
  const schemes = ["standard", "hex-sha256", "stripe", "twilio"];
  const { secret } = await ask<{ secret: string }>(running, "POST", "/webhooks/endpoints", {
    url,
    schemes,
    events: ["message.sent"],
  });
  await send(running);
  const found = await checks(running);
  expect(found.map(({ scheme }) => scheme)).toEqual(schemes);
  const key = Buffer.from(secret.replace("whsec_", ""), "base64");
  const byHand: Record<string, (content: string) => string> = {
    standard: (content) => `v1,${createHmac("sha256", key).update(content).digest("base64")}`,
    "hex-sha256": (content) => createHmac("sha256", secret).update(content).digest("hex"),
    stripe: (content) => `v1=${createHmac("sha256", secret).update(content).digest("hex")}`,
    twilio: (content) => createHmac("sha1", secret).update(content).digest("base64"),
  };
  for (const { scheme, verdict, content, received, expected, timestamp, key: used, bodySha256 } of found) {
    expect({ scheme, verdict }).toEqual({ scheme, verdict: "valid" });
    expect(received).toEqual([byHand[scheme]?.(content?.text ?? "")]);
    expect(expected).toEqual(received);
    expect(used?.fingerprints).toEqual([print(secret)]);
    expect(bodySha256.same).toBe(true);
    if (scheme !== "twilio") expect(timestamp).toMatchObject({ fresh: true, toleranceSeconds: 300 });
  }
  expect(JSON.stringify(found)).not.toContain(secret);
});

test("a provider's own callback is checked with the provider's own key", async () => {
  const running = await suite();
  const { url } = await receiver();
  await send(running, { StatusCallback: `${url}/status?a=1` });
  const [check] = await checks(running);
  const token = running.env.TWILIO_AUTH_TOKEN ?? "";
  expect(check).toMatchObject({ scheme: "twilio", verdict: "valid", timestamp: null, header: "X-Twilio-Signature" });
  expect(check?.content?.text.startsWith(`${url}/status?a=1AccountSid${running.env.TWILIO_ACCOUNT_SID}`)).toBe(true);
  expect(check?.received).toEqual([
    createHmac("sha1", token)
      .update(check?.content?.text ?? "")
      .digest("base64"),
  ]);
  expect(check?.key?.fingerprints).toEqual([print(token)]);
});

test("a secret that was changed, an endpoint that is gone, a webhook without a signature", async () => {
  const running = await suite();
  const { url } = await receiver();
  const { services } = await ask<{ services: Record<string, { id: string }> }>(running, "POST", "/webhooks/endpoints", {
    url,
    events: ["message.sent"],
  });
  await send(running);
  expect(await checks(running)).toMatchObject([{ verdict: "valid" }]);
  const path = `/webhooks/endpoints/${services.twilio?.id}`;
  await ask(running, "PATCH", path, { rotateSecret: { overlapSeconds: 3_600 } });
  // Both secrets are in use for an hour.
  const [rotating] = await checks(running);
  expect(rotating).toMatchObject({ verdict: "valid", received: [rotating?.expected[1]] });
  await ask(running, "PATCH", path, { rotateSecret: { overlapSeconds: 0 } });
  expect(await checks(running)).toMatchObject([
    { verdict: "invalid", reason: expect.stringContaining("changed since"), scheme: "standard" },
  ]);
  await ask(running, "DELETE", path);
  expect(await checks(running)).toMatchObject([
    { verdict: "unknown", expected: [], reason: expect.stringContaining("removed") },
  ]);

  const unsigned = await suite({ FEATURE_WEBHOOK_SIGNATURES: "false" });
  await ask(unsigned, "POST", "/webhooks/endpoints", { url, events: ["message.sent"] });
  await send(unsigned);
  expect(await checks(unsigned)).toMatchObject([{ verdict: "not signed" }]);
});

test("a timestamp is held against the clock that made it", async () => {
  const running = await createSuite({
    only: ["twilio"],
    clock: "frozen@2026-01-01T09:00:00Z",
    environment: { BACKLOT_LOG_LEVEL: "silent", BACKLOT_PACE: "0" },
  });
  onTestFinished(() => running.close());
  const { url } = await receiver();
  for (const signingTime of ["virtual", "wall"])
    await ask(running, "POST", "/webhooks/endpoints", {
      url: `${url}/${signingTime}`,
      events: ["message.sent"],
      signingTime,
    });
  await send(running);
  await running.clock.advance({ seconds: 1 });
  const { services } = await ask<{ services: Record<string, { deliveries: { id: string; url: string }[] }> }>(
    running,
    "GET",
    "/webhooks/deliveries?state=delivered",
  );
  const deliveries = services.twilio?.deliveries ?? [];
  expect(deliveries).toHaveLength(2);
  for (const { id, url: target } of deliveries) {
    const { attempts } = await ask<{ attempts: { checks: readonly SignatureCheck[] }[] }>(
      running,
      "GET",
      `/webhooks/deliveries/${id}/signatures`,
    );
    const check = attempts[0]?.checks[0];
    expect(check?.verdict).toBe("valid");
    expect(Math.abs(check?.timestamp?.skewSeconds ?? 99)).toBeLessThan(5);
    expect(check?.timestamp?.at?.startsWith("2026-01-01T09:00:0")).toBe(target.endsWith("virtual"));
  }
});
