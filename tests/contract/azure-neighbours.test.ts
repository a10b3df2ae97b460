import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { createSuite, type Suite } from "../../emulators/suite/suite.ts";
import { startReceiver } from "../support/receiver.ts";

let suite: Suite;
beforeAll(async () => {
  suite = await createSuite({ only: ["azure-policyinsights"], clock: "frozen@2025-01-15T12:00:00Z" });
});
afterAll(() => suite.close());

const script = fileURLToPath(new URL("./clients/azure-neighbours.mjs", import.meta.url));
const run = promisify(execFile);

async function story(
  name: string,
  more: readonly string[] = [],
  variables: Record<string, string> = {},
): Promise<unknown> {
  const env = { PATH: process.env.PATH ?? "", ...suite.env, NODE_EXTRA_CA_CERTS: suite.caPath, ...variables };
  const { stdout } = await run(process.execPath, [script, name, ...more], { env, maxBuffer: 16 * 1024 * 1024 });
  return JSON.parse(stdout);
}

test("@azure/arm-policy: definitions, sets and assignments, made, read, listed, and what they do to states", async () => {
  const outcome = (await story("policy")) as { failing: string[]; lists: Record<string, unknown> };
  const scope = `/subscriptions/${suite.env.AZURE_SUBSCRIPTION_ID}`;
  expect(outcome).toMatchObject({
    assigned: scope,
    again: ["At all", "At all", "At all", "At all"],
    selectors: 1,
    reads: [
      "Custom",
      "All",
      "Secure transfer to storage accounts should be enabled",
      1,
      "Set",
      "BuiltIn",
      "No caches here",
    ],
    missing: { statusCode: 404, code: "PolicyDefinitionNotFound" },
    left: 0,
  });
  expect(new Set(outcome.failing)).toEqual(new Set(["Microsoft.Cache/redis"]));
  expect(outcome.lists).toMatchObject({
    definitions: Number(outcome.lists.builtIn) + 1,
    above: Number(outcome.lists.builtIn) + 1,
    sets: 3,
    builtInSets: 2,
    setsAbove: 3,
    assignments: expect.arrayContaining([
      "SecurityCenterBuiltIn",
      "no-caches",
      "audit-managed-disks",
      "require-costcenter",
    ]),
    ofGroup: expect.arrayContaining(["SecurityCenterBuiltIn", "audit-managed-disks", "require-costcenter"]),
    ofManagementGroup: expect.arrayContaining(["require-costcenter"]),
    ofResource: expect.arrayContaining(["SecurityCenterBuiltIn", "no-caches"]),
  });
});

test("@azure/arm-policy: versions of definitions and sets; states follow the newest", async () => {
  const [redis, vault] = [["Microsoft.Cache/redis"], ["Microsoft.KeyVault/vaults"]];
  expect(await story("versions")).toEqual({
    types: [redis, redis, vault, redis],
    made: ["0.9.0", "Microsoft.Authorization/policyDefinitions/versions", true],
    known: ["1.1.0", ["1.1.0", "1.0.0", "0.9.0"]],
    read: [redis[0], redis[0]],
    listed: ["1.1.0", "1.0.0", "0.9.0"],
    refused: [
      { statusCode: 400, code: "InvalidRequestContent" },
      { statusCode: 404, code: "PolicyDefinitionVersionNotFound" },
      { statusCode: 400, code: "InvalidRequestContent" },
      { statusCode: 404, code: "PolicyDefinitionNotFound" },
    ],
    above: [["2.0.0", "1.0.0"], vault[0], ["2.0.0"]],
    builtIn: [true, "BuiltIn"],
    counts: [0, 1, 2],
    sets: {
      listed: ["2.0.0", "1.0.0"],
      read: "one",
      above: ["2.0.0", "1.0.0"],
      readAbove: "two",
      builtIn: "BuiltIn",
      counts: [0, 2, 2],
      newest: "one",
    },
    left: 0,
  });
});

test("@azure/arm-resourcegraph: the same states, counted; pages; a query that cannot be read", async () => {
  const outcome = (await story("graph")) as { answer: { data: { n: number }[] }; states: number };
  expect(outcome.answer).toMatchObject({ resultTruncated: "false" });
  expect(outcome.answer.data.reduce((all, { n }) => all + n, 0)).toBe(outcome.states);
  expect(outcome).toMatchObject({
    page: [10, "true", "string"],
    broken: { statusCode: 400, code: "BadRequest" },
    operations: 1,
  });
});

test("@azure/arm-costmanagement: a month by day and service, a forecast, dimensions", async () => {
  expect(await story("costs")).toMatchObject({
    columns: [{ name: "PreTaxCost" }, { name: "UsageDate" }, { name: "ServiceName" }, { name: "Currency" }],
    rows: expect.any(Number),
    forecast: 31,
    dimensions: 13,
    broken: { statusCode: 400, code: "BadRequest" },
  });
});

test("@azure/arm-eventgrid: subscriptions wait for the receiver's consent, in both schemas", async () => {
  const hook = await startReceiver();
  onTestFinished(() => hook.close());
  hook.answer = (call, _n, response) => {
    if (call.method === "OPTIONS") return void response.writeHead(200, { "webhook-allowed-origin": "*" }).end();
    const [event] = JSON.parse(call.body) as [{ data: { validationCode?: string } }];
    response.writeHead(200).end(JSON.stringify({ validationResponse: event.data.validationCode }));
  };
  expect(await story("events", [], { HOOK: `${hook.url}?code=1` })).toEqual({
    states: ["Succeeded", "Succeeded", "Succeeded"],
    labels: ["a"],
    url: `${hook.url}?code=1`,
    lists: [1, 1, 1, 1],
    gone: { statusCode: 404, code: "ResourceNotFound" },
  });
});

test("a managed identity of App Service, and one of a virtual machine, by the environment alone", async () => {
  for (const without of [{}, { IDENTITY_ENDPOINT: "", IDENTITY_HEADER: "" }])
    expect(await story("costs", ["identity"], without)).toMatchObject({ forecast: 31 });
});
