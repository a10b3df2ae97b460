import { constants, generateKeyPairSync, sign } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { actionOf, isAllowed } from "../../emulators/azure-policyinsights/domain/roles.ts";
import { azurePolicyInsights } from "../../emulators/azure-policyinsights/index.ts";
import type { AzureState } from "../../emulators/azure-policyinsights/store.ts";
import { openCertificates } from "../../emulators/kernel/certificates.ts";
import { type RunningEmulator, startEmulator } from "../../emulators/kernel/start.ts";
import { base, startArm } from "./arm-client.ts";

let emulator: RunningEmulator<AzureState>;
beforeAll(async () => {
  emulator = await startEmulator(azurePolicyInsights, { listen: false });
});
afterAll(() => emulator.close());

interface TokenAnswer {
  readonly access_token: string;
  readonly client_id: string;
  readonly expires_in: unknown;
  readonly expires_on: string;
  readonly resource: string;
  readonly error: string;
  readonly error_description: string;
  readonly error_codes: readonly number[];
}

async function get(path: string, headers: Record<string, string>, on = emulator) {
  const response = await on.fetch(new Request(base + path, { headers }));
  return { status: response.status, body: (await response.json()) as TokenAnswer };
}

async function subscriptions(token: string, on = emulator) {
  const headers = { authorization: `Bearer ${token}` };
  const response = await on.fetch(new Request(`${base}/subscriptions?api-version=2022-12-01`, { headers }));
  return { status: response.status, body: (await response.json()) as { value: { id: string }[] } };
}

describe("managed identity", () => {
  const resource = "resource=https://management.azure.com/";
  const imds = `/metadata/identity/oauth2/token?api-version=2018-02-01&${resource}`;

  test("a virtual machine's: with and without a slash at the end, numbers as texts, a token that Azure takes", async () => {
    for (const path of [imds, imds.replace("token?", "token/?")]) {
      const { status, body } = await get(path, { metadata: "true" });
      expect(status).toBe(200);
      expect(body).toMatchObject({
        expires_in: "3599",
        resource: "https://management.azure.com/",
        token_type: "Bearer",
      });
      expect(Number(body.expires_on)).toBeGreaterThan(0);
      expect((await subscriptions(body.access_token)).body.value).toHaveLength(3);
    }
  });

  test.each([
    ["no header", imds, {}, "Required metadata header not specified"],
    ["forwarded", imds, { metadata: "true", "x-forwarded-for": "10.0.0.1" }, "Request was forwarded by a proxy"],
    ["no resource", imds.replace(resource, ""), { metadata: "true" }, "Required audience parameter not specified"],
    [
      "no version",
      imds.replace("2018-02-01", ""),
      { metadata: "true" },
      "Required query variable 'api-version' is missing or invalid",
    ],
    ["another identity", `${imds}&client_id=nobody`, { metadata: "true" }, "Identity not found"],
  ])("%s is refused", async (_, path, headers, description) => {
    const { status, body } = await get(path, headers as Record<string, string>);
    expect([status, body.error, body.error_description]).toEqual([400, "invalid_request", description]);
  });

  test("App Service's, by the header it hands out; an identity by name", async () => {
    const { IDENTITY_HEADER = "" } = azurePolicyInsights.environment(emulator.runtime, [
      { name: "arm", scheme: "http", host: "127.0.0.1", port: 4112 },
    ]);
    const path = `/msi/token?api-version=2019-08-01&${resource}`;
    expect((await get(path, {})).status).toBe(401);
    const { body } = await get(path, { "x-identity-header": IDENTITY_HEADER });
    expect((await subscriptions(body.access_token)).status).toBe(200);
    const named = await get(`${path}&client_id=${body.client_id}`, { "x-identity-header": IDENTITY_HEADER });
    expect(named.body.client_id).toBe(body.client_id);
  });
});

describe("client assertions", () => {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");

  function assertion(clientId: string, changes: object = {}, algorithm = "PS256"): string {
    const now = Math.floor(emulator.runtime.clock.wall() / 1000);
    const claims = {
      iss: clientId,
      sub: clientId,
      aud: `${base}/adfs/oauth2/token`,
      nbf: now,
      exp: now + 600,
      ...changes,
    };
    const signed = `${part({ alg: algorithm, typ: "JWT" })}.${part(claims)}`;
    const padding = algorithm === "PS256" ? constants.RSA_PKCS1_PSS_PADDING : constants.RSA_PKCS1_PADDING;
    return `${signed}.${sign("sha256", Buffer.from(signed), { key: privateKey, padding, saltLength: 32 }).toString("base64url")}`;
  }

  async function token(clientId: string, client_assertion: string) {
    const form = new URLSearchParams({
      grant_type: "client_credentials",
      client_id: clientId,
      client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
      client_assertion,
      scope: "https://management.azure.com/.default",
    });
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const request = new Request(`${base}/adfs/oauth2/token`, { method: "POST", body: form.toString(), headers });
    const response = await emulator.fetch(request);
    return { status: response.status, body: (await response.json()) as TokenAnswer };
  }

  test("an application without certificates takes any; time, issuer and form are looked at", async () => {
    const clientId = emulator.runtime.state.anyApplication()?.clientId ?? "";
    for (const algorithm of ["PS256", "RS256"])
      expect((await token(clientId, assertion(clientId, {}, algorithm))).status).toBe(200);
    const codes = async (text: string) => (await token(clientId, text)).body.error_codes;
    expect(await codes("a.b")).toEqual([50027]);
    expect(await codes(assertion("11111111-1111-4111-8111-111111111111"))).toEqual([700213]);
    expect(await codes(assertion(clientId, { exp: 1_000 }))).toEqual([700024]);
  });

  test("one with a certificate takes no other's signature", async () => {
    const clientId = "22222222-2222-4222-8222-222222222222";
    const { store, state, clock } = emulator.runtime;
    const folder = mkdtempSync(join(tmpdir(), "backlot-certificates-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const certificates = [openCertificates(folder, ["example.test"], clock).caPem];
    const application = { clientId, displayName: "with", objectId: clientId, clientSecret: "x", managed: false };
    store.write(() => state.addApplication({ ...application, role: "Owner", certificates }, 9));
    expect((await token(clientId, assertion(clientId))).body.error_codes).toEqual([700027]);
  });
});

describe("roles", () => {
  test.each([
    ["GET", "subscriptions/s/resourceGroups/g", "Microsoft.Resources/subscriptions/resourceGroups/read", "Reader"],
    [
      "POST",
      "subscriptions/s/providers/Microsoft.PolicyInsights/policyStates/latest/queryResults",
      "Microsoft.PolicyInsights/policyStates/queryResults/action",
      "Reader",
    ],
    [
      "PUT",
      "subscriptions/s/providers/Microsoft.PolicyInsights/remediations/r",
      "Microsoft.PolicyInsights/remediations/write",
      "Contributor",
    ],
    [
      "DELETE",
      "subscriptions/s/providers/Microsoft.Authorization/policyAssignments/a",
      "Microsoft.Authorization/policyAssignments/delete",
      "Owner",
    ],
  ] as const)("%s %s is %s, which a %s may", (method, path, action, role) => {
    expect(actionOf(method, path.split("/")).action).toBe(action);
    const order = ["None", "Reader", "Contributor", "Owner"] as const;
    expect(order.map((each) => isAllowed(each, action))).toEqual(order.map((_, at) => at >= order.indexOf(role)));
  });

  test("who has no role signs in, sees no subscription, and is refused by name", async () => {
    const { store, state } = emulator.runtime;
    const clientId = "33333333-3333-4333-8333-333333333333";
    const nobody = {
      clientId,
      displayName: "nobody",
      objectId: "44444444-4444-4444-8444-444444444444",
      clientSecret: "",
    };
    store.write(() => state.addApplication({ ...nobody, role: "None", certificates: [], managed: true }, 9));
    const path = `/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://management.azure.com/&client_id=${clientId}`;
    const { access_token } = (await get(path, { metadata: "true" })).body;
    expect((await subscriptions(access_token)).body.value).toEqual([]);
    const scope = `/subscriptions/${state.subscriptions()[0]?.id}`;
    const states = `${scope}/providers/Microsoft.PolicyInsights/policyStates/latest/summarize?api-version=2024-10-01`;
    const headers = { authorization: `Bearer ${access_token}` };
    const refused = await emulator.fetch(new Request(base + states, { method: "POST", headers }));
    expect(refused.status).toBe(403);
    const { error } = (await refused.json()) as { error: { code: string; message: string } };
    expect(error.code).toBe("AuthorizationFailed");
    expect(error.message).toContain(
      `The client '${clientId}' with object id '${nobody.objectId}' does not have authorization to perform action 'Microsoft.PolicyInsights/policyStates/summarize/action' over scope '${scope}'`,
    );
  });
});

test("a strict seed counts down and then answers 429 with Retry-After, until the clock moves on", async () => {
  const arm = await startArm();
  onTestFinished(() => arm.emulator.close());
  const { store, state, clock } = arm.emulator.runtime;
  const path = `${arm.subscription}/resourceGroups/none/providers/Microsoft.PolicyInsights/policyStates/latest/queryResults`;
  const left = async () =>
    (await arm.call("POST", path)).headers.get("x-ms-ratelimit-remaining-policy-insights-requests");
  expect([await left(), await left()]).toEqual(["149", "149"]);
  store.write(() => state.setEstate({ seed: "s", groupsPerSubscription: 1, resourcesPerGroup: 1, strict: true }));
  expect([await left(), await left()]).toEqual(["149", "148"]);
  for (let n = 0; n < 148; n += 1) await left();
  const refused = await arm.call("POST", path);
  expect([refused.status, refused.body.error.code, refused.headers.get("retry-after")]).toEqual([
    429,
    "ResourceRequestsThrottled",
    "300",
  ]);
  await arm.emulator.advance(clock.now() + 300_000);
  expect(await left()).toBe("149");
});
