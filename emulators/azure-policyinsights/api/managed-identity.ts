/**
 * Tokens for managed identities: the instance metadata service of virtual machines, and the endpoint that App Service puts
 * into a site's environment. Both are plain HTTP. https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token
 */
import type { Context, Hono } from "hono";
import type { KernelEnv, Runtime } from "../../kernel/emulator.ts";
import { answerJson, type Exchange } from "../../kernel/exchange.ts";
import type { Application, AzureState } from "../store.ts";
import { claimsOf, lifetimeSeconds } from "./sign-in.ts";

export const identityPath = "/msi/token";

export function managedIdentity(app: Hono<KernelEnv>, runtime: Runtime<AzureState>): void {
  app.get("/metadata/identity/oauth2/token", (c) => {
    const { exchange } = c.env;
    // A request that a page or a proxy was tricked into has neither: SDKs probe for this very refusal.
    if (exchange.header("metadata")?.toLowerCase() !== "true")
      return refused(exchange, 400, "Required metadata header not specified");
    if (exchange.header("x-forwarded-for") !== undefined)
      return refused(exchange, 400, "Request was forwarded by a proxy");
    return token(c, runtime);
  });
  app.get(identityPath, (c) => {
    const { exchange } = c.env;
    const given = exchange.header("x-identity-header") ?? exchange.header("secret");
    if (given !== identityHeader(runtime)) return refused(exchange, 401, "The X-IDENTITY-HEADER is missing or wrong");
    return token(c, runtime);
  });
}

/** What App Service hands to a site as IDENTITY_HEADER. */
export function identityHeader({ ids }: Pick<Runtime<AzureState>, "ids">): string {
  return ids.fixed("azure.identity-header", []).uuid().toUpperCase();
}

async function token(c: Context<KernelEnv>, { state, clock }: Runtime<AzureState>): Promise<Response> {
  const { exchange } = c.env;
  exchange.note("operation", "entra.managedIdentity");
  const query = new URL(c.req.url).searchParams;
  if (!/^20\d{2}-\d{2}-\d{2}$/.test(query.get("api-version") ?? ""))
    return refused(exchange, 400, "Required query variable 'api-version' is missing or invalid");
  const resource = query.get("resource") ?? "";
  if (resource === "") return refused(exchange, 400, "Required audience parameter not specified");
  const identity = identityNamed(state, query);
  if (!identity) return refused(exchange, 400, "Identity not found");
  exchange.note("account", identity.clientId);
  const wall = clock.wall();
  const claims = claimsOf(identity, resource, state.tenant().tenantId, wall, exchange.id);
  return answerJson(exchange, 200, {
    access_token: await state.signer.issue(claims),
    client_id: identity.clientId,
    // Numbers are texts here, unlike at the token endpoint.
    expires_in: String(lifetimeSeconds),
    expires_on: String(claims.exp),
    ext_expires_in: String(lifetimeSeconds),
    not_before: String(claims.nbf),
    resource,
    token_type: "Bearer",
  });
}

/** The one that is asked for, or the machine's own. */
function identityNamed(state: AzureState, query: URLSearchParams): Application | undefined {
  const identities = state.identities();
  const client = query.get("client_id")?.toLowerCase();
  const object = (query.get("object_id") ?? query.get("principal_id"))?.toLowerCase();
  const resource = (query.get("msi_res_id") ?? query.get("mi_res_id"))?.toLowerCase();
  if (client !== undefined) return identities.find((each) => each.clientId === client);
  if (object !== undefined) return identities.find((each) => each.objectId === object);
  if (resource !== undefined)
    return identities.find(({ displayName }) =>
      resource.endsWith(`/userassignedidentities/${displayName.toLowerCase()}`),
    );
  return identities[0];
}

function refused(exchange: Exchange, status: number, description: string): Response {
  return answerJson(exchange, status, { error: "invalid_request", error_description: description });
}
