/** The README's examples, run as they stand there. */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { packageRoot } from "../../emulators/kernel/package-root.ts";
import { createSuite, type Suite } from "../../emulators/suite/suite.ts";

const readme = readFileSync(join(packageRoot(), "README.md"), "utf8");
const examples = new Map(
  [...readme.matchAll(/```js\n\/\/ (\S+)\n([\s\S]*?)```/g)].map((match) => [match[1] ?? "", match[2] ?? ""]),
);
let suite: Suite;

beforeAll(async () => {
  suite = await createSuite();
});
afterAll(() => suite.close());

/** Runs one example where its packages are found, with the variables that `backlot env` prints. */
async function example(name: string, where: string): Promise<string> {
  const folder = mkdtempSync(join(packageRoot(), where, ".readme-"));
  try {
    writeFileSync(join(folder, name), examples.get(name) ?? "throw new Error('the README has no such example')");
    const env = {
      PATH: process.env.PATH ?? "",
      HOME: process.env.HOME ?? "",
      ...suite.env,
      NODE_EXTRA_CA_CERTS: suite.caPath,
    };
    const { stdout } = await promisify(execFile)(process.execPath, [join(folder, name)], { env });
    return stdout;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("the README has all its examples", () => {
  expect([...examples.keys()]).toEqual(["twilio.mjs", "azure.mjs", "spot.mjs", "mail.mjs", "suite.mjs"]);
});

test.each([
  ["twilio.mjs", "tests/contract", /^SM[0-9a-f]{32} queued\n$/],
  ["azure.mjs", "tests/contract", /^[1-9]\d* resources are not compliant\n$/],
  ["spot.mjs", "tests/contract", /^us-east-1[a-f] 0\.\d{6} 20\d\d-/],
  ["mail.mjs", "tests", /^1 message, subject Hello\n$/],
  ["suite.mjs", "tests", /^http:\/\/127\.0\.0\.1:\d+ AC[0-9a-f]{32}\n$/],
])("%s", async (name, where, said) => {
  expect(await example(name, where)).toMatch(said);
});
