/** The bundle reads seeds that the build did not parse ahead: a changed file, or one that comes by the control API. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { packageRoot } from "../../emulators/kernel/package-root.ts";

const script = `
import { createSuite } from "backlot";
const suite = await createSuite({ only: ["azure-policyinsights"] });
const { host, port } = suite.emulators[0].addresses.find(({ scheme }) => scheme === "http");
const answer = await fetch("http://" + host + ":" + port + "/_backlot/seed", {
  method: "POST",
  headers: { "content-type": "application/yaml" },
  body: "size: tiny\\napplications:\\n  - name: own\\n",
});
console.log(answer.status, suite.emulators[0].runtime.state.subscriptions().length);
await suite.close();
`;

test("a seed in YAML by the control API", async () => {
  const run = promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script], {
    cwd: packageRoot(),
    env: { PATH: process.env.PATH ?? "", HOME: process.env.HOME ?? "" },
  });
  expect((await run).stdout).toMatch(/^2\d\d 1\n$/);
});
