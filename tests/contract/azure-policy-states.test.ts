import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createSuite, type Suite } from "../../emulators/suite/suite.ts";

interface Row {
  readonly timestamp: string;
  readonly resourceId: string;
  readonly resourceGroup: string;
  readonly policyAssignmentId: string;
  readonly policyDefinitionId: string;
  readonly policyDefinitionReferenceId: string;
  readonly complianceState: string;
  readonly isCompliant: boolean;
}
interface Detail {
  readonly complianceState: string;
  readonly count: number;
}
interface Outcome {
  readonly rows: readonly Row[];
  readonly summary: {
    readonly value: readonly {
      readonly results: { readonly nonCompliantResources: number; readonly resourceDetails: readonly Detail[] };
      readonly policyAssignments: readonly { readonly policyAssignmentId: string }[];
    }[];
  };
  readonly failed: {
    readonly name: string;
    readonly code?: string;
    readonly statusCode?: number;
    readonly message: string;
  };
}

let suite: Suite;
beforeAll(async () => {
  suite = await createSuite({ only: ["azure-policyinsights"], clock: "frozen@2025-01-15T12:00:00Z" });
});
afterAll(() => suite.close());

const script = fileURLToPath(new URL("./clients/azure-policy.mjs", import.meta.url));
const run = promisify(execFile);

/** Runs one story of the client script with the suite's variables, and nothing else that could lead it elsewhere. */
async function story(...words: readonly string[]): Promise<Outcome> {
  const env = { PATH: process.env.PATH ?? "", ...suite.env, NODE_EXTRA_CA_CERTS: suite.caPath };
  const { stdout } = await run(process.execPath, [script, ...words], { env, maxBuffer: 64 * 1024 * 1024 });
  return JSON.parse(stdout) as Outcome;
}

/** Distinct resources by the worst of their states, as a summary counts them. */
function countResources(rows: readonly Row[]): Record<string, number> {
  const rank = ["NonCompliant", "Compliant", "Conflict", "Exempt", "Unknown"];
  const worst = new Map<string, number>();
  for (const { resourceId, complianceState } of rows)
    worst.set(resourceId, Math.min(worst.get(resourceId) ?? rank.length, rank.indexOf(complianceState)));
  const counts: Record<string, number> = {};
  for (const state of worst.values()) {
    const name = (rank[state] ?? "").toLowerCase();
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

function expectSummaryOf({ rows, summary }: Outcome): void {
  const [first] = summary.value;
  const details = Object.fromEntries(
    first?.results.resourceDetails.map((each) => [each.complianceState, each.count]) ?? [],
  );
  expect(details).toEqual(countResources(rows));
  expect(first?.results.nonCompliantResources).toBe(countResources(rows).noncompliant);
  expect(first?.policyAssignments.map((each) => each.policyAssignmentId).toSorted()).toEqual(
    [...new Set(rows.map((row) => row.policyAssignmentId))].toSorted(),
  );
}

test("all states of a subscription come page by page, each once, and the summary counts the same", async () => {
  const outcome = await story("subscription");
  const { rows } = outcome;
  expect(rows.length).toBeGreaterThan(4000);
  const keys = rows.map((row) =>
    [row.resourceId, row.policyAssignmentId, row.policyDefinitionId, row.policyDefinitionReferenceId].join(),
  );
  expect(new Set(keys).size).toBe(rows.length);
  expect(rows.every((row) => row.isCompliant === (row.complianceState !== "NonCompliant"))).toBe(true);
  expectSummaryOf(outcome);
});

test("a filter selects", async () => {
  const { rows } = await story("filtered");
  expect(rows.length).toBeGreaterThan(10);
  for (const row of rows) {
    expect(row.complianceState).toBe("NonCompliant");
    expect(row.resourceId).toContain("/microsoft.keyvault/vaults/");
  }
});

test("a resource group has its own states and summary", async () => {
  const outcome = await story("resourceGroup", "RG-Payments-Prod-01");
  expect(outcome.rows.length).toBeGreaterThan(100);
  expect(new Set(outcome.rows.map((row) => row.resourceGroup))).toEqual(new Set(["rg-payments-prod-01"]));
  expectSummaryOf(outcome);
});

test("a wrong secret is refused as Entra ID refuses it", async () => {
  const { failed } = await story("wrongSecret");
  expect(failed).toMatchObject({ name: "AuthenticationRequiredError" });
  expect(failed.message).toContain("AADSTS7000215");
});

test("a filter that cannot be read names the place", async () => {
  const { failed } = await story("badFilter");
  expect(failed).toMatchObject({ name: "RestError", statusCode: 400, code: "InvalidFilterInQueryString" });
  expect(failed.message).toContain("at position 18");
});

test("in real mode the client is told what the real service needs", async () => {
  const { failed } = await story("realRequest");
  expect(failed).toMatchObject({ name: "RestError", statusCode: 503, code: "ServiceUnavailable" });
  expect(failed.message).toContain("AZURE_CLIENT_SECRET");
  await suite.control("PUT", "/_backlot/mode", { mode: "real" });
  try {
    // The client asks for the openid-configuration first and hides the text of whatever refuses it.
    expect((await story("subscription")).failed.message).toContain("endpoints_resolution_error");
  } finally {
    await suite.control("PUT", "/_backlot/mode", { mode: "mock" });
  }
});
