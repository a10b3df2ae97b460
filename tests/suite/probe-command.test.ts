/** `backlot probe`: the rejection matrix as a table, expected against received. */
import { expect, onTestFinished, test } from "vitest";
import { freePorts, run, start } from "../support/command.ts";
import { startReceiver } from "../support/receiver.ts";
import { startStrictReceiver } from "../support/strict-receiver.ts";

const secret = `whsec_${Buffer.from("a secret of twenty-four b").toString("base64")}`;
const alone = { BACKLOT_PORT: "9" };

test("a strict receiver passes with every status as listed, and again although it remembers ids", async () => {
  const receiver = await startStrictReceiver(() => [secret]);
  onTestFinished(() => receiver.close());
  for (const _ of [1, 2]) {
    const { code, stdout } = await run(["probe", receiver.url, "--secret", secret, "--exact-status"], { env: alone });
    expect(stdout).toMatch(/^15 of 15 as expected\.$/m);
    expect(stdout).toMatch(/^ok +unsigned +4xx \(401\) +401 /m);
    expect(stdout).toMatch(/^ok +tampered-body +4xx \(403\) +403 /m);
    expect(stdout).toMatch(/^ok +future +4xx \(401\) +401 /m);
    expect(stdout).toMatch(/^ok +rotated +2xx +200 /m);
    expect(stdout).not.toMatch(/WRONG|note/);
    expect(code).toBe(0);
  }
});

test("one that accepts everything is told so row by row; the suite that runs is asked, and writes it down", async () => {
  const receiver = await startReceiver();
  onTestFinished(() => receiver.close());
  const backlot = start(["up", "--json", "--only", "smtp"], { env: freePorts });
  const { services } = JSON.parse(await backlot.line()) as { services: { suite: { url: string } } };
  const { code, stdout } = await run(["probe", receiver.url, "--secret", secret], {
    env: { BACKLOT_PORT: new URL(services.suite.url).port },
  });
  expect(stdout).toMatch(/^ok +genuine +2xx +200 /m);
  expect(stdout).toMatch(/^WRONG +expired +4xx \(401\) +200 /m);
  expect(stdout).toMatch(/^note +replayed-id +4xx \(409\) +200 /m);
  expect(stdout).toMatch(/^4 of 15 as expected; 1 more to think about\.$/m);
  expect(code).toBe(1);
  const journal = await fetch(`${services.suite.url}/_backlot/journal?kind=control`);
  expect(await journal.text()).toContain(`"probe":"${receiver.url}"`);
});

test("what cannot be probed is told: no receiver, no such scheme, no secret", async () => {
  const at = "http://127.0.0.1:9/hooks";
  const nobody = await run(["probe", at, "--secret", secret], { env: alone });
  expect(nobody).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/^WRONG +genuine +2xx +connect: .*ECONNREFUSED/m),
  });
  const scheme = await run(["probe", at, "--secret", secret, "--scheme", "nix"], { env: alone });
  expect(scheme).toMatchObject({ code: 1, stderr: expect.stringContaining("nix is not a scheme of") });
  expect(await run(["probe", at], { env: alone })).toMatchObject({ code: 2 });
});
