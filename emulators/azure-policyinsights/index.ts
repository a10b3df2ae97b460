import { Hono } from "hono";
import type { Address, Emulator, KernelEnv, Runtime } from "../kernel/emulator.ts";
import { attestations } from "./api/attestations.ts";
import { authorization } from "./api/authorization.ts";
import { controlRoutes } from "./api/control.ts";
import { costs } from "./api/costs.ts";
import { evaluationJobs, evaluationTimer, finishEvaluation } from "./api/evaluation-jobs.ts";
import { eventGrid } from "./api/event-grid.ts";
import { exemptions } from "./api/exemptions.ts";
import { insights } from "./api/insights.ts";
import { identityHeader, identityPath, managedIdentity } from "./api/managed-identity.ts";
import { policyEvents } from "./api/policy-events.ts";
import { policyStates } from "./api/policy-states.ts";
import { providers } from "./api/providers.ts";
import { advanceRemediation, remediations, remediationTimer } from "./api/remediations.ts";
import { resourceGraph } from "./api/resource-graph.ts";
import { resources, singleResources } from "./api/resources.ts";
import { signIn } from "./api/sign-in.ts";
import { subscriptions } from "./api/subscriptions.ts";
import { capabilities } from "./capabilities.ts";
import { errors } from "./errors.ts";
import { deadLetterTimer, eventGridScheme, handshakeExpired, handshakeTimer, writeDeadLetter } from "./event-grid.ts";
import { health } from "./health.ts";
import { real } from "./real.ts";
import { applySeed, Seed } from "./seed.ts";
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
      sites: (runtime) => [{ hosts, routes: arm(runtime), errors }],
    },
  ],
  tables,
  open: openAzure,
  seed: { file: "azure-policyinsights.yaml", schema: Seed, apply: applySeed },
  timers: {
    [remediationTimer]: advanceRemediation,
    [evaluationTimer]: finishEvaluation,
    [handshakeTimer]: handshakeExpired,
    [deadLetterTimer]: writeDeadLetter,
  },
  webhooks: [eventGridScheme],
  control: controlRoutes,
  health,
  real,
  environment,
  capabilities,
};

function arm(runtime: Runtime<AzureState>): Hono<KernelEnv> {
  // Azure's paths are case-insensitive; handlers take names from the target as it came.
  const app = new Hono<KernelEnv>({ getPath: routedPath });
  signIn(app, runtime);
  managedIdentity(app, runtime);
  subscriptions(app, runtime);
  resources(app, runtime);
  authorization(app, runtime);
  exemptions(app, runtime);
  insights(app, runtime);
  evaluationJobs(app, runtime);
  remediations(app, runtime);
  attestations(app, runtime);
  policyStates(app, runtime);
  policyEvents(app, runtime);
  providers(app, runtime);
  eventGrid(app, runtime);
  costs(app, runtime);
  resourceGraph(app, runtime);
  singleResources(app, runtime);
  return app;
}

/** Lower-cased, without a slash at the end, and one where clients that were given a scope with its slash send two. */
function routedPath(request: Request): string {
  const { url } = request;
  const start = url.indexOf("/", url.indexOf("//") + 2);
  const mark = url.indexOf("?", start);
  const asked = url.slice(start, mark < 0 ? undefined : mark).toLowerCase();
  const path = asked.includes("//") ? asked.replaceAll(/\/{2,}/g, "/") : asked;
  return path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path;
}

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
