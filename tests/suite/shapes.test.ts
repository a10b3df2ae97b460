/** One set of control API tests for both shapes: all emulators in one process, and each in a process of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { packageRoot } from "../../emulators/kernel/package-root.ts";
import { createSuite, privatePorts, type Suite } from "../../emulators/suite/suite.ts";
import { startReceiver } from "../support/receiver.ts";
import { startStrictReceiver } from "../support/strict-receiver.ts";
import { watch } from "../support/viewer.ts";

const token = "shape-token";
const frozen = "frozen@2025-01-15T12:00:00Z";
const settings = { BACKLOT_CONTROL_TOKEN: token, BACKLOT_PACE: "1", BACKLOT_LOG_LEVEL: "silent" };
const names = ["twilio", "azure-policyinsights", "ec2-spot", "smtp"];

interface Shape {
  readonly suite: Suite;
  readonly children: readonly ChildProcess[];
}

async function oneProcess(): Promise<Shape> {
  return { suite: await createSuite({ clock: frozen, environment: settings }), children: [] };
}

/** Each emulator as `backlot up --only` runs it, on a clock of its own until the suite leads it. */
async function processesOfTheirOwn(): Promise<Shape> {
  const children: ChildProcess[] = [];
  const attach = await Promise.all(
    names.map(async (name) => {
      const main = join(packageRoot(), "emulators", "suite", "main.ts");
      const child = spawn(process.execPath, ["--import", "tsx", main, "up", "--json", "--only", name], {
        cwd: packageRoot(),
        env: { PATH: process.env.PATH, HOME: process.env.HOME, ...privatePorts(), ...settings, BACKLOT_ENV: "testing" },
        stdio: ["ignore", "pipe", "inherit"],
      });
      children.push(child);
      for await (const line of createInterface(child.stdout)) {
        const { services } = JSON.parse(line) as { services: Record<string, { url: string; httpUrl?: string }> };
        return `${name}=${services[name]?.httpUrl ?? services[name]?.url}`;
      }
      throw new Error(`${name} ended before it was ready`);
    }),
  );
  const environment = { ...settings, BACKLOT_ATTACH: attach.join(",") };
  return { suite: await createSuite({ clock: frozen, environment }), children };
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

type Call = (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer>;

function callerOf(base: string): Call {
  return async (method, path, body, headers = {}) => {
    const response = await fetch(base + path, {
      method,
      headers: { authorization: `Bearer ${token}`, ...headers },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const json = response.headers.get("content-type")?.startsWith("application/json");
    return { status: response.status, headers: response.headers, body: json ? JSON.parse(text) : text };
  };
}

/** What each shape said, to be compared at the end. */
const said = new Map<string, Record<string, unknown>>();

describe.each([
  ["one process", oneProcess],
  ["processes of their own", processesOfTheirOwn],
] as const)("%s", (shapeName, start) => {
  let shape: Shape;
  let call: Call;
  let member: Call;
  let mailbox = "";
  let twilio: () => Promise<Response>;
  const note = (name: string, value: unknown) => said.set(shapeName, { ...said.get(shapeName), [name]: value });

  beforeAll(async () => {
    shape = await start();
    call = callerOf(shape.suite.url ?? "");
    const urls = shape.suite.services;
    member = callerOf(urls.twilio?.url ?? "");
    mailbox = urls.smtp?.url ?? "";
    const { environment } = (await call("GET", "/_backlot/env")).body as { environment: Record<string, string> };
    twilio = () =>
      fetch(`${urls.twilio?.url}/2010-04-01/Accounts/${environment.TWILIO_ACCOUNT_SID}/Messages.json`, {
        method: "POST",
        headers: {
          authorization: `Basic ${btoa(`${environment.TWILIO_ACCOUNT_SID}:${environment.TWILIO_AUTH_TOKEN}`)}`,
        },
        body: new URLSearchParams({ To: "+12025550199", From: environment.TWILIO_PHONE_NUMBER ?? "", Body: "shape" }),
      });
  }, 60_000);
  afterAll(async () => {
    await shape.suite.close();
    for (const child of shape.children) child.kill("SIGKILL");
  });
  beforeEach(async () => {
    await call("PUT", "/_backlot/mode", { mode: "mock" });
    expect((await call("POST", "/_backlot/reset")).status).toBe(200);
  });

  test("health, live, ready and providers", async () => {
    for (const path of ["/health", "/api/v1/health", "/_backlot/health"]) {
      const { body } = await call("GET", path);
      expect(body).toMatchObject({ status: "healthy", mode: "mock", configuration_hints: [] });
      const { checks } = body as { checks: Record<string, object> };
      expect(Object.keys(checks)).toEqual(names);
      expect(checks.smtp).toMatchObject({ status: "healthy", latency_ms: expect.any(Number), failures: 0 });
    }
    expect((await call("GET", "/_backlot/live")).body).toEqual({ status: "alive" });
    expect((await call("GET", "/_backlot/ready")).body).toMatchObject({
      status: "ready",
      services: { twilio: { status: "ready", mode: "mock" } },
    });
    const providers = {
      app_mode: "mock",
      email: "backlot-smtp",
      sms: "backlot-twilio",
      policy: "backlot-azure-policyinsights",
      spot: "backlot-ec2-spot",
      features: { external_sends: false, rate_limit: true, webhook_signatures: true, cache_responses: true },
    };
    expect((await call("GET", "/_backlot/providers")).body).toEqual(providers);
    expect((await call("GET", "/api/v1/status/providers")).body).toEqual(providers);
    const { services } = (await call("GET", "/_backlot/services")).body as { services: { name: string }[] };
    expect(services.map(({ name }) => name)).toEqual(names);
  });

  test("mode: raised for all, refused by all, told by health, lowered again", async () => {
    expect((await call("PUT", "/_backlot/mode", { mode: "real" })).body).toMatchObject({ mode: "real" });
    expect((await call("GET", "/_backlot/mode")).body).toMatchObject({
      mode: "real",
      services: Object.fromEntries(names.map((name) => [name, { mode: "real", lowerable: true }])),
    });
    expect((await twilio()).status).toBe(503);
    expect((await call("GET", "/health")).body).toMatchObject({ status: "degraded", mode: "real" });
    expect((await call("GET", "/_backlot/ready")).status).toBe(200);
    expect((await call("PUT", "/_backlot/mode", { mode: "mock" })).status).toBe(200);
    expect((await twilio()).status).toBe(201);
    expect((await call("PUT", "/_backlot/mode", { mode: "fast" })).status).toBe(400);
  });

  test("clock: set, advanced by and to, never backward, one instant everywhere", async () => {
    const instants = async () => {
      const { now, services } = (await call("GET", "/_backlot/clock")).body as {
        now: string;
        services: Record<string, { now: string }>;
      };
      return [...new Set([now, ...Object.values(services).map((one) => one.now)])];
    };
    expect(await instants()).toEqual(["2025-01-15T12:00:00.000Z"]);
    await twilio();
    const advanced = await call("POST", "/_backlot/clock/advance", { minutes: 5 });
    expect(advanced).toMatchObject({ status: 200, body: { now: "2025-01-15T12:05:00.000Z" } });
    note("fired", (advanced.body as { fired: number }).fired);
    expect(await instants()).toEqual(["2025-01-15T12:05:00.000Z"]);
    await call("POST", "/_backlot/clock/advance", { to: "2025-01-15T13:00:00Z" });
    expect(await instants()).toEqual(["2025-01-15T13:00:00.000Z"]);
    expect(await call("POST", "/_backlot/clock/advance", { to: "2025-01-15T12:30:00Z" })).toMatchObject({
      status: 409,
      body: { error: "clock_backward" },
    });
    await call("POST", "/_backlot/clock", { mode: "frozen", at: "2025-03-01T00:00:00Z" });
    expect(await instants()).toEqual(["2025-03-01T00:00:00.000Z"]);
    expect((await call("POST", "/_backlot/clock/advance", { fortnights: 1 })).status).toBe(400);
  });

  test("reset and digest: back to the start, the same in both shapes", async () => {
    const fresh = (await call("GET", "/_backlot/digest")).body as { digest: string };
    await twilio();
    await call("POST", "/_backlot/clock/advance", { hours: 1 });
    const changed = (await call("GET", "/_backlot/digest")).body as { digest: string };
    expect(changed.digest).not.toBe(fresh.digest);
    note("digests", [fresh, changed]);
    expect((await call("POST", "/_backlot/reset")).body).toMatchObject({ status: "reset", digest: fresh.digest });
  });

  test("seed: a member starts anew from another one, and a wrong one changes nothing", async () => {
    const seed = { accounts: [{ friendlyName: "Other" }] };
    const before = (await member("GET", "/_backlot/digest")).body;
    const wrong = await member("POST", "/_backlot/seed", { accounts: [{ frindlyName: "Other" }] });
    expect(wrong).toMatchObject({ status: 400, body: { message: expect.stringContaining("frindlyName") } });
    expect((await member("GET", "/_backlot/digest")).body).toEqual(before);
    note("wrong seed", wrong.body);
    note("seed", (await member("POST", "/_backlot/seed", seed)).status);
    await restoreSeed(member);
  });

  test("snapshots: saved, listed, restored with the clock, deleted", async () => {
    expect((await call("POST", "/_backlot/snapshots", { name: "calm" })).status).toBe(201);
    const { digest } = (await call("GET", "/_backlot/digest")).body as { digest: string };
    await twilio();
    await call("POST", "/_backlot/clock/advance", { hours: 1 });
    expect((await call("POST", "/_backlot/snapshots/calm/restore")).body).toMatchObject({ status: "restored" });
    expect((await call("GET", "/_backlot/digest")).body).toMatchObject({ digest });
    expect((await call("GET", "/_backlot/clock")).body).toMatchObject({ now: "2025-01-15T12:00:00.000Z" });
    expect((await call("GET", "/_backlot/snapshots")).body).toMatchObject({ snapshots: [{ name: "calm" }] });
    expect((await call("DELETE", "/_backlot/snapshots/calm")).status).toBe(204);
    expect((await call("POST", "/_backlot/snapshots/calm/restore")).status).toBe(404);
  });

  test("journal: one list with one cursor, an archive, filters", async () => {
    await twilio();
    await fetch(`${mailbox}/api/v2/messages`);
    interface Page {
      readonly cursor: string;
      readonly entries: readonly { readonly emulator: string; readonly kind: string }[];
    }
    const read = async (query: string) => (await call("GET", `/_backlot/journal?${query}`)).body as Page;
    const page = await read("kind=request");
    expect(page.entries.map(({ emulator }) => emulator).sort()).toEqual(["smtp", "twilio"]);
    expect((await read(`kind=request&since=${page.cursor}`)).entries).toEqual([]);
    await twilio();
    expect((await read(`kind=request&since=${page.cursor}`)).entries).toHaveLength(1);
    const { log } = JSON.parse(String((await call("GET", "/_backlot/journal.har")).body)) as {
      log: { entries: object[] };
    };
    expect(log.entries).toHaveLength(3);
    expect((await call("GET", "/_backlot/journal?since=nowhere")).status).toBe(400);
  });

  test("events: a token, a stream, resumed without gap or double", async () => {
    const { token: ticket } = (await call("POST", "/_backlot/events/token")).body as { token: string };
    const stream = `${shape.suite.url}/_backlot/events?kind=request&token=${encodeURIComponent(ticket)}`;
    const first = await watch(stream);
    expect(first.status).toBe(200);
    await expect.poll(() => first.lastId.split(",").length, { timeout: 5_000 }).toBe(names.length + 1); // and the suite's own
    await twilio();
    await fetch(`${mailbox}/api/v2/messages`);
    await first.until((seen) => seen.length === 2);
    const resumeAt = first.seen[0]?.id ?? "";
    const known = [first.seen[0]?.data.subject, first.seen[1]?.data.subject];
    first.close();
    await twilio();
    const second = await watch(stream, { "last-event-id": resumeAt });
    await second.until((seen) => seen.length === 2);
    expect(second.seen.filter(({ data }) => data.subject === known[0])).toEqual([]);
    expect(second.seen.filter(({ data }) => data.subject === known[1])).toHaveLength(1);
    expect((await watch(`${shape.suite.url}/_backlot/events?token=forged`)).status).toBe(401);
  });

  test("webhooks: endpoints, deliveries, dead letters, replay, discard", async () => {
    const receiver = await startReceiver();
    onTestFinished(() => receiver.close());
    receiver.answer = (_call, _n, response) => void response.writeHead(500).end();
    const made = (
      await call("POST", "/_backlot/webhooks/endpoints", {
        url: receiver.url,
        events: ["message.*"],
        schedule: "short",
      })
    ).body as { secret: string; services: Record<string, { id: string; secret: string }> };
    expect(Object.keys(made.services)).toEqual(names);
    expect(new Set(Object.values(made.services).map(({ secret }) => secret))).toEqual(new Set([made.secret]));
    await twilio();
    await call("POST", "/_backlot/clock/advance", { hours: 1 });
    const dead = (await call("GET", "/_backlot/dead-letters")).body as {
      services: Record<string, { total: number; deadLetters: { id: string; attempts: unknown[] }[] }>;
    };
    const total = dead.services.twilio?.total ?? 0;
    expect(total).toBeGreaterThan(0);
    expect(dead.services.smtp?.total).toBe(0);
    expect(dead.services.twilio?.deadLetters[0]?.attempts).toHaveLength(4);
    const lines = String((await call("GET", "/_backlot/dead-letters/export")).body)
      .trim()
      .split("\n");
    expect(lines).toHaveLength(total);
    const id = dead.services.twilio?.deadLetters[0]?.id ?? "";
    expect((await call("GET", `/_backlot/webhooks/deliveries/${id}`)).body).toMatchObject({ id, state: "dead" });
    expect((await call("POST", "/_backlot/dead-letters/discard", { ids: [id], reason: "known" })).body).toMatchObject({
      discarded: 1,
    });
    receiver.answer = (_call, _n, response) => void response.writeHead(200).end();
    expect(await call("POST", "/_backlot/dead-letters/replay", {})).toMatchObject({
      status: 202,
      body: { replayed: total - 1, services: { twilio: { replayed: total - 1 }, smtp: { replayed: 0 } } },
    });
    await call("POST", "/_backlot/clock/advance", { seconds: 1 });
    expect((await call("GET", "/_backlot/webhooks/deliveries?state=delivered")).body).toMatchObject({
      services: { twilio: { counts: { delivered: total - 1, discarded: 1, dead: 0 } } },
    });
    const own = made.services.twilio?.id ?? "";
    expect((await call("GET", `/_backlot/webhooks/endpoints/${own}`)).body).toMatchObject({ id: own, enabled: true });
    expect(
      (await call("PATCH", `/_backlot/webhooks/endpoints/${own}`, { enabled: false, reason: "enough" })).body,
    ).toMatchObject({ enabled: false, disabledReason: "enough" });
    expect((await call("DELETE", `/_backlot/webhooks/endpoints/${own}`)).status).toBe(204);
    expect(await call("GET", "/_backlot/webhooks/deliveries/msg_none")).toMatchObject({
      status: 404,
      body: { error: "no_such_delivery" },
    });
  });

  test("probe: a strict receiver passes, by address and by endpoint", async () => {
    let secret = "";
    const receiver = await startStrictReceiver(() => [secret]);
    onTestFinished(() => receiver.close());
    const made = (await call("POST", "/_backlot/webhooks/endpoints", { url: receiver.url })).body as {
      secret: string;
      services: Record<string, { id: string }>;
    };
    secret = made.secret;
    const passed = { status: 200, body: { passed: true, summary: { failed: 0 } } };
    expect(await call("POST", "/_backlot/webhooks/probe", { url: receiver.url, secret })).toMatchObject(passed);
    expect(await call("POST", `/_backlot/webhooks/endpoints/${made.services.smtp?.id}/probe`, {})).toMatchObject(
      passed,
    );
    const gone = await call("POST", "/_backlot/webhooks/endpoints/ep_none/probe", {});
    expect(gone).toMatchObject({ status: 404, body: { error: "no_such_endpoint" } });
  });

  test("faults and limits: planned for one or all, met, counted, lifted", async () => {
    await call("POST", "/_backlot/faults", { id: "sms", emulator: "twilio", match: {}, action: { status: 503 } });
    const met = await twilio();
    expect([met.status, met.headers.get("x-backlot-fault")]).toEqual([503, "sms"]);
    expect((await call("GET", "/_backlot/faults")).body).toMatchObject({ faults: [{ id: "sms", fired: 1 }] });
    expect((await call("DELETE", "/_backlot/faults/sms")).status).toBe(204);
    expect((await call("DELETE", "/_backlot/faults/sms")).status).toBe(404);
    expect((await twilio()).status).toBe(201);
    await call("PUT", "/_backlot/limits", { emulator: "twilio", limit: "1/minute" });
    expect([(await twilio()).status, (await twilio()).status]).toEqual([201, 429]);
    expect((await call("GET", "/_backlot/limits")).body).toMatchObject({
      services: { twilio: { limit: "1/minute" }, smtp: { limit: "" } },
    });
    expect((await call("DELETE", "/_backlot/limits")).status).toBe(200);
    expect((await twilio()).status).toBe(201);
  });

  test("egress, capabilities, openapi, metrics, env, ca.pem", async () => {
    await call("POST", "/_backlot/webhooks/endpoints", { url: "http://192.0.2.1/hook", events: ["message.*"] });
    await twilio();
    await call("POST", "/_backlot/clock/advance", { seconds: 1 });
    const { refused } = (await call("GET", "/_backlot/egress")).body as { refused: object[] };
    expect(refused[0]).toMatchObject({ by: "webhook", target: "http://192.0.2.1" });
    const capabilities = (await call("GET", "/_backlot/capabilities")).body as { services: object };
    expect(Object.keys(capabilities.services)).toEqual(names);
    note("capabilities", capabilities);
    note("openapi", (await call("GET", "/_backlot/openapi.json")).body);
    const metrics = await call("GET", "/_backlot/metrics");
    expect(metrics.headers.get("content-type")).toContain("version=0.0.4");
    for (const name of names) expect(metrics.body).toContain(`backlot_commits_total{emulator="${name}"}`);
    const { environment } = (await call("GET", "/_backlot/env")).body as { environment: Record<string, string> };
    note("variables", Object.keys(environment).sort());
    note("credentials", [
      environment.TWILIO_AUTH_TOKEN,
      environment.AZURE_CLIENT_SECRET,
      environment.AWS_SECRET_ACCESS_KEY,
    ]);
    expect((await call("GET", "/_backlot/ca.pem")).body).toContain("BEGIN CERTIFICATE");
  });

  test("the token guards the suite and every member; what orchestrators ask stays open", async () => {
    for (const url of [shape.suite.url, shape.suite.services.twilio?.url, mailbox]) {
      expect((await fetch(`${url}/_backlot/journal`)).status).toBe(401);
      expect((await fetch(`${url}/_backlot/reset`, { method: "POST" })).status).toBe(401);
      for (const path of ["/health", "/_backlot/live", "/_backlot/ready"])
        expect((await fetch(url + path)).status).toBe(200);
    }
  });

  test("ETag and 304, Idempotency-Key and its refusal of another body", async () => {
    for (const path of ["/_backlot/services", "/_backlot/faults", "/_backlot/webhooks/endpoints"]) {
      const etag = (await call("GET", path)).headers.get("etag") ?? "";
      expect((await call("GET", path, undefined, { "if-none-match": etag })).status).toBe(304);
    }
    const advance = (seconds: number) =>
      call("POST", "/_backlot/clock/advance", { seconds }, { "idempotency-key": "once" });
    await advance(10);
    expect((await advance(10)).headers.get("idempotent-replayed")).toBe("true");
    expect((await advance(11)).status).toBe(422);
    expect((await call("GET", "/_backlot/clock")).body).toMatchObject({ now: "2025-01-15T12:00:10.000Z" });
  });
});

test("both shapes said the same", () => {
  const [one, other] = [...said.values()];
  expect(Object.keys(one ?? {})).toEqual(expect.arrayContaining(["fired", "digests", "capabilities", "credentials"]));
  expect(other).toEqual(one);
});

/** A reset goes back to the seed that came last: the first one again. */
async function restoreSeed(member: Call): Promise<void> {
  const { readFileSync } = await import("node:fs");
  const seed = readFileSync(join(packageRoot(), "fixtures", "seeds", "twilio.yaml"), "utf8");
  expect((await member("POST", "/_backlot/seed", seed)).status).toBe(200);
}
