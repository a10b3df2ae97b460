import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { azurePolicyInsights } from "../../emulators/azure-policyinsights/index.ts";
import type { AzureState } from "../../emulators/azure-policyinsights/store.ts";
import { type RunningEmulator, startEmulator } from "../../emulators/kernel/start.ts";

const base = "http://127.0.0.1:4112";
const version = "api-version=2019-10-01";
const json = "application/x-www-form-urlencoded";

/** What answers may hold, as far as these tests look. */
interface Body {
  readonly "@odata.context": string;
  readonly "@odata.count": number;
  readonly "@odata.nextLink": string | null;
  readonly error: { readonly code: string; readonly message: string };
  readonly count: unknown;
  readonly value: readonly Item[];
  readonly token_endpoint: string;
  readonly jwks_uri: string;
  readonly keys: readonly { readonly kty: string }[];
  readonly tenant_discovery_endpoint: string;
  readonly authentication: { readonly loginEndpoint: string };
}
interface Item extends Record<StateText, string> {
  readonly id: string;
  readonly tenantId: string;
  readonly isCompliant: boolean;
  readonly results: Results;
  readonly policyAssignments: readonly {
    readonly policyAssignmentId: string;
    readonly policyDefinitions: readonly { readonly policyDefinitionReferenceId: string; readonly results: Results }[];
  }[];
}
type StateText =
  | "timestamp"
  | "resourceId"
  | "resourceGroup"
  | "resourceTags"
  | "policyAssignmentId"
  | "policyDefinitionId"
  | "policyDefinitionReferenceId"
  | "resourceType"
  | "complianceState";
interface Results {
  readonly queryResultsUri: string;
  readonly nonCompliantResources: number;
  readonly nonCompliantPolicies: number;
  readonly resourceDetails: readonly { readonly count: number }[];
}
interface TokenBody {
  readonly access_token: string;
  readonly error: string;
  readonly error_codes: readonly number[];
  readonly error_description: string;
}

let emulator: RunningEmulator<AzureState>;
let bearer = "";
let subscription = "";
let tenant = "";

beforeAll(async () => {
  emulator = await startEmulator(azurePolicyInsights, {
    environment: { BACKLOT_CLOCK: "frozen@2025-01-15T12:00:00Z" },
    listen: false,
  });
  subscription = emulator.runtime.state.subscriptions()[0]?.id ?? "";
  tenant = emulator.runtime.state.tenant().tenantId;
  const answer = await token({});
  bearer = `Bearer ${answer.body.access_token}`;
});
afterAll(() => emulator.close());

async function token(changes: Record<string, string>, path = `/${tenant}/oauth2/v2.0/token`) {
  const application = emulator.runtime.state.anyApplication();
  const form = new URLSearchParams({
    grant_type: "client_credentials",
    client_id: application?.clientId ?? "",
    client_secret: application?.clientSecret ?? "",
    scope: "https://management.azure.com/.default",
    ...changes,
  });
  const headers = { "content-type": json };
  const response = await emulator.fetch(new Request(base + path, { method: "POST", body: form.toString(), headers }));
  return { status: response.status, body: (await response.json()) as TokenBody };
}

async function call(method: string, path: string, authorization = bearer) {
  const url = path.startsWith("http") ? path : base + path;
  const response = await emulator.fetch(
    new Request(url, { method, headers: authorization === "" ? {} : { authorization } }),
  );
  return { status: response.status, headers: response.headers, body: (await response.json()) as Body };
}

const states = (scope: string, query = "", set = "latest") =>
  call("POST", `${scope}/providers/Microsoft.PolicyInsights/policyStates/${set}/queryResults?${version}${query}`);

async function allPages(scope: string, query = "", set = "latest") {
  const rows: Item[] = [];
  let page = await states(scope, query, set);
  for (;;) {
    rows.push(...page.body.value);
    const next = page.body["@odata.nextLink"];
    if (!next) return rows;
    page = await call("POST", next);
  }
}

describe("sign-in", () => {
  test.each([
    ["wrong secret", { client_secret: "nope" }, 401, "invalid_client", 7000215],
    ["unknown application", { client_id: "11111111-1111-4111-8111-111111111111" }, 400, "unauthorized_client", 700016],
    ["invalid scope", { scope: "https://management.azure.com" }, 400, "invalid_scope", 70011],
    ["other grant", { grant_type: "password" }, 400, "unsupported_grant_type", 70003],
  ])("%s", async (_, changes, status, error, code) => {
    const answer = await token(changes);
    const { body } = answer;
    expect([answer.status, body.error, body.error_codes]).toEqual([status, error, [code]]);
    expect(body.error_description).toMatch(
      new RegExp(`^AADSTS${code}: .* Trace ID: .* Correlation ID: .* Timestamp: `),
    );
  });

  test("an unknown tenant is not found", async () => {
    const answer = await token({}, "/22222222-2222-4222-8222-222222222222/oauth2/v2.0/token");
    expect(answer.body.error_codes).toEqual([90002]);
  });

  test("adfs and v1 give tokens too", async () => {
    expect((await token({}, "/adfs/oauth2/token")).status).toBe(200);
    expect(
      (await token({ scope: "", resource: "https://management.azure.com/" }, `/${tenant}/oauth2/token`)).status,
    ).toBe(200);
  });

  test("discovery documents point to this host", async () => {
    for (const path of [`/${tenant}/v2.0`, `/${tenant}`, "/adfs"]) {
      const { body } = await call("GET", `${path}/.well-known/openid-configuration`, "");
      expect(body.token_endpoint.startsWith(`${base}/`)).toBe(true);
      const keys = await call("GET", body.jwks_uri, "");
      expect(keys.body.keys[0]?.kty).toBe("RSA");
    }
    const { body } = await call("GET", "/common/discovery/instance?api-version=1.1", "");
    expect(body.tenant_discovery_endpoint).toContain(base);
    expect(
      (await call("GET", "/metadata/endpoints?api-version=2015-01-01", "")).body.authentication.loginEndpoint,
    ).toBe(`${base}/adfs`);
  });
});

describe("who may ask", () => {
  test("no token, a foreign token, a token for something else", async () => {
    const missing = await call("GET", "/subscriptions?api-version=2022-12-01", "");
    expect([missing.status, missing.body.error.code]).toEqual([401, "AuthenticationFailed"]);
    expect(missing.headers.get("www-authenticate")).toContain(`Bearer authorization_uri="${base}/${tenant}"`);
    const foreign = await call("GET", "/subscriptions?api-version=2022-12-01", "Bearer a.b.c");
    expect(foreign.body.error.code).toBe("InvalidAuthenticationToken");
    const other = await token({ scope: "https://graph.microsoft.com/.default" });
    const wrong = await call("GET", "/subscriptions?api-version=2022-12-01", `Bearer ${other.body.access_token}`);
    expect(wrong.body.error.code).toBe("InvalidAuthenticationTokenAudience");
  });
});

describe("real mode", () => {
  const refused = async (path: string) => {
    const headers = { "x-backlot-mode": "real" };
    const response = await emulator.fetch(new Request(base + path, { method: "POST", headers }));
    return { status: response.status, body: await response.text() };
  };

  test("Resource Manager and sign-in refuse, each in its own shape", async () => {
    const arm = await refused(
      `/subscriptions/${subscription}/providers/Microsoft.PolicyInsights/policyStates/latest/queryResults`,
    );
    expect(arm.status).toBe(503);
    expect(JSON.parse(arm.body).error).toMatchObject({ code: "ServiceUnavailable", details: expect.any(Array) });
    const signIn = await refused(`/${tenant}/oauth2/v2.0/token`);
    expect(signIn.status).toBe(503);
    expect(JSON.parse(signIn.body)).toMatchObject({ error: "temporarily_unavailable", error_codes: [] });
    for (const { body } of [arm, signIn]) {
      expect(body).toContain("AZURE_CLIENT_SECRET");
      expect(body).not.toContain(emulator.runtime.state.anyApplication()?.clientSecret);
    }
  });
});

describe("directory", () => {
  test("subscriptions, resource groups, tenants", async () => {
    const list = await call("GET", "/subscriptions?api-version=2019-11-01");
    expect(list.body.count).toEqual({ type: "Total", value: 3 });
    expect((await call("GET", `/subscriptions/${subscription}?api-version=2022-12-01`)).body).toEqual(
      list.body.value[0],
    );
    const groups = await call("GET", `/subscriptions/${subscription}/resourcegroups?api-version=2021-04-01`);
    expect(groups.body.value).toHaveLength(20);
    const first = groups.body.value[0] ?? expect.fail("no group");
    expect((await call("GET", `${first.id}?api-version=2021-04-01`)).body).toEqual(first);
    expect((await call("GET", "/tenants?api-version=2022-12-01")).body.value[0]?.tenantId).toBe(tenant);
  });

  test("resources, providers, locations, management groups", async () => {
    const scope = `/subscriptions/${subscription}`;
    const resources = await call("GET", `${scope}/resources?api-version=2021-04-01&$filter=`);
    expect(resources.body.value.length).toBe(1000);
    const ofGroup = await call("GET", `${scope}/resourceGroups/rg-web-prod-01/resources?api-version=2021-04-01`);
    expect(ofGroup.body.value).toHaveLength(55);
    const first = ofGroup.body.value[0] ?? expect.fail("no resource");
    expect((await call("GET", `${first.id}?api-version=2021-04-01`)).body).toMatchObject({ id: first.id });
    const providers = await call("GET", `${scope}/providers?api-version=2021-04-01`);
    expect(providers.body.value.map((each) => each.id)).toContain(`${scope}/providers/Microsoft.PolicyInsights`);
    expect((await call("GET", `${scope}/providers/microsoft.storage?api-version=2021-04-01`)).status).toBe(200);
    const registered = await call("POST", `${scope}/providers/Microsoft.Management/register?api-version=2021-04-01`);
    expect(registered.body).toMatchObject({ registrationState: "Registered" });
    expect((await call("GET", `${scope}/providers/Nope?api-version=2021-04-01`)).body.error.code).toBe(
      "InvalidResourceNamespace",
    );
    expect((await call("GET", `${scope}/locations?api-version=2022-12-01`)).body.value).toHaveLength(4);
    const groups = "/providers/Microsoft.Management/managementGroups";
    expect((await call("GET", `${groups}?api-version=2021-04-01`)).body.value).toHaveLength(4);
    const root = await call("GET", `${groups}/${tenant}?api-version=2021-04-01&$expand=children&$recurse=true`);
    expect(JSON.stringify(root.body)).toContain(subscription);
    expect((await call("GET", `${groups}/nope?api-version=2021-04-01`)).body.error.code).toBe(
      "ManagementGroupNotFound",
    );
  });

  test("what does not exist or is not served", async () => {
    const id = "33333333-3333-4333-8333-333333333333";
    expect((await call("GET", `/subscriptions/${id}?${version}`)).body.error.code).toBe("SubscriptionNotFound");
    expect((await call("GET", `/subscriptions/nope?${version}`)).body.error.code).toBe("InvalidSubscriptionId");
    expect((await call("GET", `/subscriptions/${subscription}/resourceGroups/no?${version}`)).body.error.code).toBe(
      "ResourceGroupNotFound",
    );
    expect((await call("GET", "/nothing/here")).body.error.code).toBe("InvalidResourceType");
    const wrong = await call("DELETE", `/Subscriptions?${version}`);
    expect([wrong.status, wrong.headers.get("allow")]).toEqual([405, "GET"]);
  });
});

describe("policy states", () => {
  test("records carry every member in the order of the wire, within the last day", async () => {
    const { body, headers } = await states(`/subscriptions/${subscription}`, "&$top=5");
    expect(body["@odata.count"]).toBe(5);
    expect(body["@odata.context"]).toBe(
      `${base}/subscriptions/${subscription}/providers/Microsoft.PolicyInsights/policyStates/$metadata#latest`,
    );
    expect(headers.get("x-ms-ratelimit-remaining-policy-insights-requests")).toBe("149");
    const record = body.value[0] ?? expect.fail("no record");
    expect(Object.keys(record).slice(0, 6)).toEqual([
      "@odata.id",
      "@odata.context",
      "timestamp",
      "resourceId",
      "policyAssignmentId",
      "policyDefinitionId",
    ]);
    expect(Object.keys(record)).toHaveLength(33);
    expect(record.resourceTags).toBe("tbd");
    expect(record.timestamp).toMatch(/^2025-01-1[45]T\d\d:\d\d:\d\d\.\d{7}Z$/);
    const times = body.value.map((row) => row.timestamp);
    expect(times).toEqual(times.toSorted().reverse());
  });

  test("paths are case-insensitive; GET follows a link but starts nothing", async () => {
    const path = `/SUBSCRIPTIONS/${subscription}/providers/microsoft.policyinsights/policystates/LATEST/queryresults?${version}`;
    const page = await call("POST", path);
    expect(page.body["@odata.count"]).toBe(1000);
    const viaGet = await call("GET", page.body["@odata.nextLink"] ?? "");
    const viaPost = await call("POST", page.body["@odata.nextLink"] ?? "");
    expect(viaGet.body).toEqual(viaPost.body);
    expect((await call("GET", path)).body.error.code).toBe("ResourceTypeNotSupported");
  });

  test.each([
    "",
    "&$orderby=resourceId desc, policyDefinitionReferenceId",
    "&$filter=isCompliant eq false",
    "&$top=1500",
  ])("all pages together hold each row once: %s", async (query) => {
    const rows = await allPages(`/subscriptions/${subscription}`, query);
    const keys = rows.map((row) => [row.resourceId, row.policyAssignmentId, row.policyDefinitionId].join());
    expect(new Set(keys).size).toBe(keys.length);
    if (query.includes("$top")) expect(rows).toHaveLength(1500);
    if (query.includes("$filter")) expect(rows.every((row) => row.complianceState === "NonCompliant")).toBe(true);
    if (query.includes("$orderby")) {
      const ids = rows.map((row) => row.resourceId);
      expect(ids).toEqual(ids.toSorted().reverse());
    }
  });

  test("the estate has about 18,000 rows, a fifth of them non-compliant", async () => {
    const root = `/providers/Microsoft.Management/managementGroups/${tenant}`;
    const rows = await allPages(root, "&$select=complianceState,timestamp,resourceType");
    expect(rows.length).toBeGreaterThan(17_500);
    expect(rows.length).toBeLessThan(18_500);
    expect(new Set(rows.map((row) => row.resourceType)).size).toBeGreaterThanOrEqual(25);
    const failing = rows.filter((row) => row.complianceState === "NonCompliant").length / rows.length;
    expect(failing).toBeGreaterThan(0.15);
    expect(failing).toBeLessThan(0.25);
    const times = rows.map((row) => row.timestamp);
    expect(times).toEqual(times.toSorted().reverse());
    expect((times.at(-1) ?? "") > "2025-01-14T12:00:00").toBe(true);
  });

  test("scopes are parts of each other", async () => {
    const all = await allPages(`/subscriptions/${subscription}`);
    const group = all[0]?.resourceGroup || "rg-payments-prod-01";
    const ofGroup = await allPages(`/subscriptions/${subscription}/resourceGroups/${group.toUpperCase()}`);
    const sorted = (rows: readonly Item[]) =>
      rows.map((row) => [row.timestamp, row.resourceId, row.policyDefinitionId].join()).toSorted();
    expect(sorted(ofGroup)).toEqual(sorted(all.filter((row) => row.resourceGroup === group)));
    const resource = ofGroup.find((row) => row.resourceId.includes("/providers/"))?.resourceId ?? "";
    expect(sorted(await allPages(resource))).toEqual(sorted(all.filter((row) => row.resourceId === resource)));
    const assignment = `/subscriptions/${subscription}/providers/Microsoft.Authorization/policyAssignments/SecurityCenterBuiltIn`;
    const ofAssignment = await allPages(assignment);
    expect(sorted(ofAssignment)).toEqual(
      sorted(all.filter((row) => row.policyAssignmentId === assignment.toLowerCase())),
    );
    expect(await allPages(`/subscriptions/${subscription}/resourceGroups/none`)).toEqual([]);
    expect(await allPages("/providers/Microsoft.Management/managementGroups/none")).toEqual([]);
  });

  test("default shows every evaluation in the window", async () => {
    const scope = `/subscriptions/${subscription}/resourceGroups/rg-payments-prod-01`;
    const latest = await allPages(scope);
    expect(await allPages(scope, "", "default")).toEqual(
      JSON.parse(JSON.stringify(latest).replaceAll("#latest", "#default")),
    );
    expect(await allPages(scope, "&$from=2025-01-12T12:00:00Z", "default")).toHaveLength(latest.length * 3);
    expect(await allPages(scope, "&$from=2025-01-12T12:00:00Z")).toHaveLength(latest.length);
  });

  test.each([
    ["&$filter=isCompliant eq 'x'", "InvalidFilterInQueryString", /at position 15/],
    ["&$filter=nonsense eq 'x'", "InvalidFilterInQueryString", /property named 'nonsense'.*at position 0/],
    ["&$filter=isCompliant eq", "InvalidFilterInQueryString", /at position 14/],
    ["&$orderby=nonsense", "InvalidOrderByInQueryString", /nonsense/],
    ["&$select=nonsense", "InvalidSelectInQueryString", /nonsense/],
    ["&$top=-1", "InvalidTopInQueryString", /-1/],
    ["&$from=yesterday", "InvalidFromInQueryString", /yesterday/],
    ["&$skiptoken=garbage", "InvalidSkipToken", /skip token/],
    ["&$apply=aggregate($count n)", "InvalidApplyInQueryString", /at position 17/],
    ["&$apply=groupby((nope))", "InvalidApplyInQueryString", /'nope'.*at position 9/],
    ["&$expand=nothing", "InvalidExpandInQueryString", /nothing/],
  ])("%s is refused", async (query, code, message) => {
    const { status, body } = await states(`/subscriptions/${subscription}`, query);
    expect([status, body.error.code]).toEqual([400, code]);
    expect(body.error.message).toMatch(message);
  });

  test("api-versions", async () => {
    const path = `/subscriptions/${subscription}/providers/Microsoft.PolicyInsights/policyStates/latest/queryResults`;
    expect((await call("POST", path)).body.error.code).toBe("MissingApiVersionParameter");
    expect((await call("POST", `${path}?api-version=x`)).body.error.code).toBe("InvalidApiVersionParameter");
    expect((await call("POST", `${path}?api-version=2016-01-01`)).body.error.code).toBe("NoRegisteredProviderFound");
  });

  test("a summary counts what a query lists, and its links lead there", async () => {
    const scope = `/subscriptions/${subscription}`;
    const { body } = await call(
      "POST",
      `${scope}/providers/Microsoft.PolicyInsights/policyStates/latest/summarize?${version}`,
    );
    const rows = await allPages(scope);
    const failing = rows.filter((row) => !row.isCompliant);
    const summary = body.value[0] ?? expect.fail("no summary");
    expect(summary.results.nonCompliantResources).toBe(new Set(failing.map((row) => row.resourceId)).size);
    expect(summary.results.nonCompliantPolicies).toBe(new Set(failing.map((row) => row.policyAssignmentId)).size);
    expect(summary.results.resourceDetails.reduce((sum, { count }) => sum + count, 0)).toBe(
      new Set(rows.map((row) => row.resourceId)).size,
    );
    const first = summary.policyAssignments[0] ?? expect.fail("no assignment");
    const definition = first.policyDefinitions[0] ?? expect.fail("no definition");
    const link = await call("POST", definition.results.queryResultsUri);
    expect(link.body["@odata.count"]).toBe(
      rows.filter(
        (row) =>
          row.policyAssignmentId === first.policyAssignmentId &&
          row.policyDefinitionReferenceId === definition.policyDefinitionReferenceId,
      ).length,
    );
    const empty = await call(
      "POST",
      `${scope}/resourceGroups/none/providers/Microsoft.PolicyInsights/policyStates/latest/summarize?${version}`,
    );
    expect(empty.body.value[0]?.policyAssignments).toEqual([]);
    expect(empty.body.value[0]?.results).toMatchObject({
      nonCompliantResources: 0,
      nonCompliantPolicies: 0,
      resourceDetails: [],
    });
  });
});
