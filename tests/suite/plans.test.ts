/** Faults, limits, snapshots and the probe through the suite's own control API. */
import { expect, onTestFinished, test } from "vitest";
import { createSuite, type Suite } from "../../emulators/suite/suite.ts";
import { startStrictReceiver } from "../support/strict-receiver.ts";

async function suiteOfTwo(): Promise<{
  suite: Suite;
  call(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }>;
}> {
  const suite = await createSuite({
    only: ["twilio", "smtp"],
    clock: "frozen@2025-01-15T12:00:00Z",
    environment: { BACKLOT_LOG_LEVEL: "silent" },
  });
  onTestFinished(() => suite.close());
  return {
    suite,
    async call(method, path, body) {
      const response = await suite.control(method, path, body);
      const text = await response.text();
      return { status: response.status, body: text === "" ? undefined : JSON.parse(text) };
    },
  };
}

const mailbox = (suite: Suite) => `${suite.services.smtp?.url}/api/v2/messages`;
const messages = (suite: Suite) => `${suite.services.twilio?.url}/2010-04-01/Accounts/AC1/Messages.json`;

test("a fault goes to the emulator it names, or to all", async () => {
  const { suite, call } = await suiteOfTwo();
  const planned = await call("POST", "/_backlot/faults", {
    id: "mail",
    emulator: "smtp",
    match: {},
    action: { status: 503 },
  });
  expect(planned).toMatchObject({ status: 201, body: { faults: [{ id: "mail", emulator: "smtp" }] } });
  expect((await fetch(mailbox(suite))).headers.get("x-backlot-fault")).toBe("mail");
  expect((await fetch(messages(suite))).headers.get("x-backlot-fault")).toBeNull();
  await call("POST", "/_backlot/faults", [{ id: "all", match: { path: "/2010-04-01/**" }, action: { status: 500 } }]);
  expect((await call("GET", "/_backlot/faults")).body).toMatchObject({
    faults: [
      { id: "all", emulator: "twilio" },
      { id: "mail", emulator: "smtp", fired: 1 },
      { id: "all", emulator: "smtp" },
    ],
  });
  expect((await fetch(messages(suite))).headers.get("x-backlot-fault")).toBe("all");
  expect((await call("DELETE", "/_backlot/faults/state")).body).toMatchObject({
    faults: [{ fired: 0 }, { fired: 0 }, { fired: 0 }],
  });
  expect((await call("DELETE", "/_backlot/faults/mail")).status).toBe(204);
  expect((await call("DELETE", "/_backlot/faults/mail")).status).toBe(404);
  expect((await call("DELETE", "/_backlot/faults")).body).toEqual({ removed: 2 });
  expect(await call("POST", "/_backlot/faults", { emulator: "fax", action: { status: 500 } })).toMatchObject({
    status: 400,
    body: { error: "unknown_emulator" },
  });
});

test("limits go to one emulator or to all", async () => {
  const { suite, call } = await suiteOfTwo();
  expect(await call("PUT", "/_backlot/limits", { emulator: "smtp", limit: "1/minute" })).toMatchObject({ status: 200 });
  expect((await fetch(mailbox(suite))).status).toBe(200);
  const refused = await fetch(mailbox(suite));
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "60"]);
  expect((await call("GET", "/_backlot/limits")).body).toMatchObject({
    services: { twilio: { limit: "" }, smtp: { limit: "1/minute" } },
  });
  expect((await call("DELETE", "/_backlot/limits")).body).toMatchObject({ services: { smtp: { limit: "" } } });
});

test("a snapshot holds all emulators and the clock; one that not all have restores none", async () => {
  const { suite, call } = await suiteOfTwo();
  await call("POST", "/_backlot/snapshots", { name: "calm" });
  const digest = await suite.digest();
  await suite.clock.advance({ hours: 1 });
  expect((await call("POST", "/_backlot/snapshots/calm/restore")).status).toBe(200);
  expect(await suite.digest()).toBe(digest);
  expect((await call("GET", "/_backlot/clock")).body).toMatchObject({ now: "2025-01-15T12:00:00.000Z" });
  expect((await call("GET", "/_backlot/snapshots")).body).toMatchObject({
    snapshots: [{ name: "calm", services: { twilio: { savedAt: "2025-01-15T12:00:00.000Z" }, smtp: {} } }],
  });
  await fetch(`${suite.services.twilio?.url}/_backlot/snapshots/calm`, { method: "DELETE" });
  expect(await call("POST", "/_backlot/snapshots/calm/restore")).toMatchObject({
    status: 409,
    body: { error: "snapshot_incomplete", message: expect.stringContaining("twilio") },
  });
  expect((await call("DELETE", "/_backlot/snapshots/calm")).status).toBe(204);
  expect((await call("POST", "/_backlot/snapshots/calm/restore")).status).toBe(404);
});

test("the probe works from the suite, for an endpoint and for any address", async () => {
  const { call } = await suiteOfTwo();
  let secret = "";
  const receiver = await startStrictReceiver(() => [secret]);
  onTestFinished(() => receiver.close());
  const made = (await call("POST", "/_backlot/webhooks/endpoints", { url: receiver.url })).body as {
    secret: string;
    services: Record<string, { id: string }>;
  };
  secret = made.secret;
  expect(await call("POST", `/_backlot/webhooks/endpoints/${made.services.smtp?.id}/probe`, {})).toMatchObject({
    status: 200,
    body: { passed: true },
  });
  expect(await call("POST", "/_backlot/webhooks/probe", { url: receiver.url, secret })).toMatchObject({
    status: 200,
    body: { passed: true },
  });
  expect((await call("POST", "/_backlot/webhooks/endpoints/ep_none/probe", {})).status).toBe(404);
});

test("the suite's own control API has ETags and idempotent replays, which a reset forgets", async () => {
  const { suite } = await suiteOfTwo();
  const send = (method: string, path: string, headers: Record<string, string>, body?: unknown) =>
    fetch(suite.url + path, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  const etag = (await send("GET", "/_backlot/services", {})).headers.get("etag") ?? "";
  expect((await send("GET", "/_backlot/services", { "if-none-match": etag })).status).toBe(304);
  const advance = (seconds: number) => send("POST", "/_backlot/clock/advance", { "idempotency-key": "k" }, { seconds });
  await advance(10);
  expect((await advance(10)).headers.get("idempotent-replayed")).toBe("true");
  expect((await advance(11)).status).toBe(422);
  expect(suite.clock.now()).toBe(Date.parse("2025-01-15T12:00:10Z"));
  await send("POST", "/_backlot/reset", {});
  expect((await advance(11)).status).toBe(200);
});
