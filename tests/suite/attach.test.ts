/** Emulators in processes of their own, led by one suite: the shape of the containers. */
import { expect, onTestFinished, test } from "vitest";
import { createSuite, type Suite } from "../../emulators/suite/suite.ts";
import { freePorts, start } from "../support/command.ts";

const frozen = "frozen@2025-01-15T12:00:00Z";

async function apart(): Promise<{
  suite: Suite;
  twilio: { url: string; kill(): Promise<unknown>; restart(): Promise<void> };
}> {
  const env = { ...freePorts, BACKLOT_CLOCK: frozen, BACKLOT_LOG_LEVEL: "silent" };
  const run = (name: string, ports: Record<string, string> = {}) =>
    start(["up", "--json", "--only", name], { env: { ...env, ...ports } });
  let twilio = run("twilio");
  const smtp = run("smtp");
  const { services: first } = JSON.parse(await twilio.line());
  const { services: second } = JSON.parse(await smtp.line());
  const suite = await createSuite({
    only: ["ec2-spot"],
    clock: frozen,
    environment: { BACKLOT_ATTACH: `twilio=${first.twilio.url},smtp=${second.smtp.url}`, BACKLOT_LOG_LEVEL: "silent" },
  });
  onTestFinished(() => suite.close());
  return {
    suite,
    twilio: {
      url: first.twilio.url,
      kill() {
        twilio.child.kill("SIGKILL");
        return twilio.finished;
      },
      async restart() {
        twilio = run("twilio", { BACKLOT_TWILIO_PORT: new URL(first.twilio.url).port });
        await twilio.line();
      },
    },
  };
}

test("one clock, one reset, one health over processes", async () => {
  const { suite } = await apart();
  expect(suite.members.map(({ name }) => name)).toEqual(["twilio", "ec2-spot", "smtp"]);
  const fresh = await suite.digest();
  await suite.clock.advance({ minutes: 10 });
  const clocks = async () =>
    (await (await suite.control("GET", "/_backlot/clock")).json()) as { services: Record<string, { now: string }> };
  expect(Object.values((await clocks()).services).map(({ now }) => now)).toEqual(
    Array(3).fill("2025-01-15T12:10:00.000Z"),
  );
  expect(await (await suite.control("GET", "/health")).json()).toMatchObject({
    status: "healthy",
    checks: { twilio: { status: "healthy" }, smtp: { status: "healthy" } },
  });
  expect(await suite.reset()).toBe(fresh);
  expect(Object.values((await clocks()).services).map(({ now }) => now)).toEqual(
    Array(3).fill("2025-01-15T12:00:00.000Z"),
  );
  expect((await (await suite.control("PUT", "/_backlot/mode", { mode: "real" })).json()) as object).toMatchObject({
    services: { twilio: { mode: "real" }, smtp: { mode: "real" } },
  });
});

test("a member that goes away is named, and is led again when it is back", async () => {
  const { suite, twilio } = await apart();
  await suite.clock.advance({ minutes: 10 });
  await twilio.kill();
  expect(await (await suite.control("GET", "/health")).json()).toMatchObject({
    status: "unhealthy",
    checks: { twilio: { status: "unhealthy" }, smtp: { status: "healthy" } },
  });
  const refused = await suite.control("POST", "/_backlot/clock/advance", { minutes: 1 });
  expect([refused.status, await refused.json()]).toMatchObject([502, { error: "service_failed", service: "twilio" }]);
  await twilio.restart();
  await expect
    .poll(async () => ((await (await fetch(`${twilio.url}/_backlot/clock`)).json()) as { now: string }).now, {
      timeout: 10_000,
      interval: 100,
    })
    .toBe("2025-01-15T12:10:00.000Z");
  await suite.clock.advance({ minutes: 5 });
  expect(((await (await fetch(`${twilio.url}/_backlot/clock`)).json()) as { now: string }).now).toBe(
    "2025-01-15T12:15:00.000Z",
  );
});
