import type { Address, Emulator, Runtime } from "../kernel/emulator.ts";
import { arm } from "./api/arm.ts";
import { evaluationTimer, finishEvaluation } from "./api/evaluation-jobs.ts";
import { identityHeader, identityPath } from "./api/managed-identity.ts";
import { advanceRemediation, remediationTimer } from "./api/remediations.ts";
import { capabilities } from "./capabilities.ts";
import { errors } from "./errors.ts";
import { deadLetterTimer, eventGridScheme, handshakeExpired, handshakeTimer, writeDeadLetter } from "./event-grid.ts";
import { health } from "./health.ts";
import { real } from "./real.ts";
import { factsOf } from "./request-facts.ts";
import { applySeed } from "./seed.ts";
import type { Seed } from "./seed-form.ts";
import { type AzureState, openAzure } from "./store.ts";
import { tables } from "./tables.ts";

const hosts = [
  "management.azure.com",
  "management.core.windows.net",
  "login.microsoftonline.com",
  "login.windows.net",
  "login.microsoft.com",
  "sts.windows.net",
];

export const azurePolicyInsights: Emulator<AzureState, Seed> = {
  name: "azure-policyinsights",
  title: "Azure Policy Insights",
  provides: "policy",
  hosts,
  http: [
    {
      name: "arm",
      ports: [
        { setting: "azurePort", tls: true },
        { setting: "azureHttpPort", tls: false },
      ],
      sites: (runtime) => [{ hosts, routes: arm(runtime), errors, facts: factsOf }],
      forPeople: true,
    },
  ],
  tables,
  open: openAzure,
  seed: {
    file: "azure-policyinsights.yaml",
    form: async () => (await import("./seed-form.ts")).Seed,
    apply: applySeed,
  },
  timers: {
    [remediationTimer]: advanceRemediation,
    [evaluationTimer]: finishEvaluation,
    [handshakeTimer]: handshakeExpired,
    [deadLetterTimer]: writeDeadLetter,
  },
  webhooks: [eventGridScheme],
  control: async (runtime) => (await import("./api/control.ts")).controlRoutes(runtime),
  health,
  real,
  environment,
  capabilities,
  spanning: ["resource", "scope"],
};

function environment(runtime: Runtime<AzureState>, addresses: readonly Address[]): Record<string, string> {
  const base = (scheme: Address["scheme"]) => {
    const found = addresses.find((address) => address.name === "arm" && address.scheme === scheme);
    return found && `${scheme}://${found.host}:${found.port}`;
  };
  const { state } = runtime;
  const https = base("https");
  const http = base("http");
  const application = state.anyApplication();
  return {
    AZURE_TENANT_ID: state.tenant().tenantId,
    AZURE_CLIENT_ID: application?.clientId ?? "",
    AZURE_CLIENT_SECRET: application?.clientSecret ?? "",
    AZURE_SUBSCRIPTION_ID: state.subscriptions()[0]?.id ?? "",
    ...(https === undefined ? {} : { AZURE_AUTHORITY_HOST: https, BACKLOT_AZURE_URL: https }),
    ...(http === undefined
      ? {}
      : {
          BACKLOT_AZURE_HTTP_URL: http,
          AZURE_POD_IDENTITY_AUTHORITY_HOST: http,
          IDENTITY_ENDPOINT: `${http}${identityPath}`,
          IDENTITY_HEADER: identityHeader(runtime),
        }),
  };
}
