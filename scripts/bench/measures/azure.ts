import { backlotCommand, startBacklot } from "../backlot.ts";
import { measureLargeAnswer } from "./large-answer.ts";
import type { Bench, Measure } from "./measure.ts";

const apiVersion = "2024-10-01";

export const azure: Measure = { name: "azure", round };

async function round(bench: Bench): Promise<void> {
  const server = await startBacklot(backlotCommand());
  const environment = await server.environment();
  const origin = server.services["azure-policyinsights"]?.httpUrl ?? "";
  const states = `/subscriptions/${environment.AZURE_SUBSCRIPTION_ID}/providers/Microsoft.PolicyInsights/policyStates/latest`;
  const headers = { authorization: `Bearer ${await accessToken(origin, environment)}`, accept: "application/json" };
  await measureLargeAnswer(bench, {
    latency: "policyPage",
    request: {
      method: "POST",
      url: new URL(`${states}/queryResults?api-version=${apiVersion}&$top=1000`, origin),
      headers,
      body: "",
    },
    check(body) {
      const { value } = JSON.parse(body) as { value: unknown[] };
      return value.length === 1000 ? undefined : `${value.length} records instead of 1,000`;
    },
  });
  await measureLargeAnswer(bench, {
    latency: "summarize",
    request: {
      method: "POST",
      url: new URL(`${states}/summarize?api-version=${apiVersion}`, origin),
      headers,
      body: "",
    },
    check(body) {
      const { value } = JSON.parse(body) as { value: unknown[] };
      return value.length === 1 ? undefined : `${value.length} summaries instead of 1`;
    },
  });
  await server.stop();
}

async function accessToken(origin: string, environment: Readonly<Record<string, string>>): Promise<string> {
  const { AZURE_TENANT_ID, AZURE_CLIENT_ID = "", AZURE_CLIENT_SECRET = "" } = environment;
  const form = {
    grant_type: "client_credentials",
    client_id: AZURE_CLIENT_ID,
    client_secret: AZURE_CLIENT_SECRET,
    scope: "https://management.azure.com/.default",
  };
  const response = await fetch(`${origin}/${AZURE_TENANT_ID}/oauth2/v2.0/token`, {
    method: "POST",
    body: new URLSearchParams(form),
  });
  if (!response.ok) throw new Error(`the token endpoint answered ${response.status}: ${await response.text()}`);
  return ((await response.json()) as { access_token: string }).access_token;
}
