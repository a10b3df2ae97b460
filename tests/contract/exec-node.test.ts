/** Scripts that know nothing of Backlot, with Node's official SDKs, run by `backlot exec`. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { packageRoot } from "../../emulators/kernel/package-root.ts";
import { run } from "../support/command.ts";

const script = (name: string) => [
  "exec",
  "--",
  process.execPath,
  join(packageRoot(), "tests/contract/clients/exec", name),
];

test.each([
  ["twilio.mjs", { sid: expect.stringMatching(/^SM[0-9a-f]{32}$/), status: "queued", listed: expect.any(Number) }],
  [
    "aws.mjs",
    {
      account: expect.stringMatching(/^\d{12}$/),
      zones: expect.any(Number),
      price: expect.stringMatching(/^0\.\d{6}$/),
    },
  ],
  ["azure.mjs", { nonCompliant: expect.any(Number), states: 2500 }],
  ["mail.mjs", { response: expect.stringMatching(/^250 /) }],
])("%s", async (name, said) => {
  const { code, stdout, stderr } = await run(script(name));
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(JSON.parse(stdout)).toEqual(said);
});

test("the same with a line that reports home: exit 70, the host named", async () => {
  const { code, stderr } = await run(script("foreign.mjs"));
  expect(code).toBe(70);
  expect(stderr).toMatch(/telemetry\.example\.com:443 +1 x +CONNECT/);
  expect(stderr).not.toContain("twilio.com");
});
