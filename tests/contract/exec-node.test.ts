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

const reportingHome = `await import(process.argv[1]); await fetch("https://telemetry.example.com/v1/events").catch(() => {});`;

test.each([
  "twilio.mjs",
  "aws.mjs",
  "azure.mjs",
  "mail.mjs",
])("%s with a line that reports home: its work done, exit 70, that host named and no other", async (name) => {
  const path = join(packageRoot(), "tests/contract/clients/exec", name);
  const { code, stdout, stderr } = await run([
    ...["exec", "--", process.execPath, "--input-type=module", "-e", reportingHome],
    path,
  ]);
  expect(code, stderr).toBe(70);
  expect(JSON.parse(stdout)).toEqual(expect.any(Object));
  expect(stderr).toMatch(/telemetry\.example\.com:443 +1 x +CONNECT/);
  expect(stderr.match(/^ {2}\S+:\d+ /gm)).toHaveLength(1);
});
