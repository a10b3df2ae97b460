import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { capabilities } from "../../emulators/smtp/capabilities.ts";
import { Seed } from "../../emulators/smtp/seed-form.ts";
import { mailServer } from "./mail-server.ts";

test("the seed that comes with the house is valid and empty", async () => {
  const text = await readFile(new URL("../../fixtures/seeds/smtp.yaml", import.meta.url), "utf8");
  expect(Seed.parse(parse(text))).toMatchObject({ auth: "any", users: [], messages: [] });
});

test("a misspelt key is an error", () => {
  expect(Seed.safeParse({ user: [] }).success).toBe(false);
});

test("users and sample mail are applied; a password that is not given follows from the seed", async () => {
  const seed = {
    auth: "users",
    users: [{ username: "app" }],
    messages: [{ from: "", to: ["b@example.org"], raw: "Subject: x\n\n.y\n" }],
  };
  const [left, right] = await Promise.all([mailServer(), mailServer()]);
  for (const server of [left, right]) {
    const response = await fetch(`${server.url}/_backlot/seed`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(seed),
    });
    expect(response.status).toBeLessThan(300);
  }
  expect(left.environment()).toMatchObject({
    SMTP_HOST: "127.0.0.1",
    SMTP_PORT: String(left.port),
    SMTP_USER: "app",
    SMTP_PASSWORD: expect.stringMatching(/^[A-Za-z2-9]{20}$/),
    MAIL_URL: left.url,
  });
  expect(left.environment().SMTP_PASSWORD).toBe(right.environment().SMTP_PASSWORD);
  expect(left.digest()).toBe(right.digest());
  const [message] = left.runtime.state.page(0, 10);
  expect(message?.raw.toString()).toBe("Subject: x\r\n\r\n.y\r\n");
  await Promise.all([left.close(), right.close()]);
});

test("every capability that is served names tests that exist", () => {
  for (const capability of capabilities) {
    if (capability.status !== "absent") expect(capability.provedBy.length).toBeGreaterThan(0);
    for (const name of capability.provedBy)
      expect(existsSync(new URL(`../${name}.test.ts`, import.meta.url))).toBe(true);
  }
});
