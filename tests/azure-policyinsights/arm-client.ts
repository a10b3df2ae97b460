/** An emulator in process and a way to call it as a signed-in application. */
import { azurePolicyInsights } from "../../emulators/azure-policyinsights/index.ts";
import type { AzureState } from "../../emulators/azure-policyinsights/store.ts";
import { type RunningEmulator, startEmulator } from "../../emulators/kernel/start.ts";

export const base = "http://127.0.0.1:4112";

export interface Answer<Body> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
}

export interface ArmClient {
  readonly emulator: RunningEmulator<AzureState>;
  readonly subscription: string;
  call<Body = Anything>(method: string, path: string, body?: unknown): Promise<Answer<Body>>;
  /** Records of all pages of a query. */
  all(scope: string, query?: string, collection?: string): Promise<readonly Anything[]>;
}

/** What answers may hold, as far as tests look into them. */
export interface Anything {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly timestamp: string;
  readonly resourceId: string;
  readonly policyAssignmentId: string;
  readonly policyDefinitionId: string;
  readonly policyDefinitionReferenceId: string;
  readonly complianceState: string;
  readonly n: number;
  readonly properties: {
    readonly policyAssignmentId: string;
    readonly policyType: string;
    readonly provisioningState: string;
    readonly supportsHttpsTrafficOnly: boolean;
  };
  readonly results: { readonly nonCompliantResources: number };
  readonly error: { readonly code: string; readonly message: string };
  readonly value: readonly Anything[];
  readonly "@odata.nextLink"?: string;
}

export async function startArm(environment: Readonly<Record<string, string>> = {}): Promise<ArmClient> {
  const emulator = await startEmulator(azurePolicyInsights, {
    environment: { BACKLOT_CLOCK: "frozen@2025-01-15T12:00:00Z", ...environment },
    listen: false,
  });
  const { state } = emulator.runtime;
  const application = state.anyApplication();
  const form = new URLSearchParams({
    grant_type: "client_credentials",
    client_id: application?.clientId ?? "",
    client_secret: application?.clientSecret ?? "",
    scope: "https://management.azure.com/.default",
  });
  const signIn = new Request(`${base}/adfs/oauth2/token`, {
    method: "POST",
    body: form.toString(),
    headers: { "content-type": "application/x-www-form-urlencoded" },
  });
  const { access_token } = (await (await emulator.fetch(signIn)).json()) as { access_token: string };
  const call = async <Body>(method: string, path: string, body?: unknown): Promise<Answer<Body>> => {
    const version = path.includes("api-version=") ? "" : `${path.includes("?") ? "&" : "?"}api-version=2024-10-01`;
    const request = new Request((path.startsWith("http") ? path : base + path) + version, {
      method,
      headers: { authorization: `Bearer ${access_token}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const response = await emulator.fetch(request);
    const text = await response.text();
    const parsed: Body = text === "" ? undefined : JSON.parse(text);
    return { status: response.status, headers: response.headers, body: parsed };
  };
  return {
    emulator,
    subscription: `/subscriptions/${state.subscriptions()[0]?.id ?? ""}`,
    call,
    async all(scope, query = "", collection = "policyStates/latest") {
      const rows: Anything[] = [];
      let next: string | undefined =
        `${scope}/providers/Microsoft.PolicyInsights/${collection}/queryResults?api-version=2019-10-01${query}`;
      while (next) {
        const page: Answer<{ value: Anything[]; "@odata.nextLink": string | null; error?: unknown }> = await call(
          "POST",
          next,
        );
        if (page.status !== 200) throw new Error(JSON.stringify(page.body));
        rows.push(...page.body.value);
        next = page.body["@odata.nextLink"] ?? undefined;
      }
      return rows;
    },
  };
}
