import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createSuite, type Suite } from "../../emulators/suite/suite.ts";

let suite: Suite;
beforeAll(async () => {
  suite = await createSuite({ only: ["azure-policyinsights"], clock: "ticking@2025-01-15T12:00:00Z" });
});
afterAll(() => suite.close());

const script = fileURLToPath(new URL("./clients/azure-policy-operations.mjs", import.meta.url));
const run = promisify(execFile);

test("every operation of the official client is answered as the client describes it", { timeout: 60_000 }, async () => {
  const env = { PATH: process.env.PATH ?? "", ...suite.env, NODE_EXTRA_CA_CERTS: suite.caPath };
  const { stdout } = await run(process.execPath, [script], { env, maxBuffer: 64 * 1024 * 1024 });
  const outcome = JSON.parse(stdout) as {
    readonly operations: readonly (readonly [string, number])[];
    readonly problems: readonly string[];
    readonly empty: readonly string[];
  };
  expect(outcome.problems).toEqual([]);
  expect(outcome.empty).toEqual([]);
  // Neither further pages nor the polls of a long-running operation are operations of their own.
  const operations = outcome.operations.filter(([name]) => /^[A-Z]+ \/(?!.*asyncOperationResults)/.test(name));
  expect(operations.map(([name]) => name).toSorted()).toHaveLength(78);
});
