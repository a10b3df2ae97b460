/** In real mode the control API shows nothing of what is emulated and changes none of it; what orchestrators ask stays up. */
import { expect, onTestFinished, test } from "vitest";
import { createSuite } from "../../emulators/suite/suite.ts";

const emulated: Readonly<Record<string, readonly (readonly [method: string, path: string])[]>> = {
  twilio: [
    ["GET", "messages"],
    ["GET", "calls"],
    ["GET", "verifications"],
    ["POST", "inbound-messages"],
    ["POST", "inbound-calls"],
    ["PUT", "sending-rates"],
  ],
  "ec2-spot": [
    ["GET", "instances"],
    ["GET", "requests"],
    ["GET", "markets"],
    ["GET", "prices?type=m5.large"],
    ["POST", "interrupt"],
  ],
  smtp: [
    ["GET", "messages"],
    ["GET", "inboxes"],
    ["GET", "export"],
    ["DELETE", "messages"],
  ],
  "azure-policyinsights": [
    ["GET", "arm/subscriptions?api-version=2022-12-01"],
    ["GET", "event-subscriptions"],
    ["GET", "dead-letters"],
  ],
};

test("every emulator's own control routes refuse in real mode, and answer again afterwards", async () => {
  const suite = await createSuite({ environment: { BACKLOT_LOG_LEVEL: "silent" } });
  onTestFinished(() => suite.close());
  const ask = (name: string, method: string, path: string) => {
    const member = suite.members.find((one) => one.name === name);
    if (!member) throw new Error(`${name} is not there`);
    return member.request(method, `/_backlot/${path}`, method === "GET" || method === "DELETE" ? undefined : {});
  };
  const digest = await suite.digest();
  await suite.control("PUT", "/_backlot/mode", { mode: "real" });
  for (const [name, routes] of Object.entries(emulated)) {
    for (const [method, path] of routes) {
      const response = await ask(name, method, `${name}/${path}`);
      expect(response.status, `${method} ${name}/${path}`).toBe(503);
      expect(await response.json()).toMatchObject({
        error: "real_mode",
        message: expect.stringContaining("PUT /_backlot/mode"),
      });
    }
    for (const path of ["health", "live", "ready", "mode", "clock", "journal?limit=1", "capabilities"])
      expect((await ask(name, "GET", path)).status, path).toBe(200);
  }
  await suite.control("PUT", "/_backlot/mode", { mode: "mock" });
  for (const [name, routes] of Object.entries(emulated))
    for (const [method, path] of routes.filter(([verb]) => verb === "GET"))
      expect((await ask(name, method, `${name}/${path}`)).status, path).toBe(200);
  expect(await suite.digest()).toBe(digest);
});
