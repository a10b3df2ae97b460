/** Entra ID: tokens for client credentials, and the documents by which clients find the token endpoint. */
import type { Hono } from "hono";
import type { KernelEnv, Runtime } from "../../kernel/emulator.ts";
import { answerJson, type Exchange } from "../../kernel/exchange.ts";
import { refusalOf } from "../assertion.ts";
import type { Claims } from "../entra.ts";
import { refuseToken } from "../errors.ts";
import type { Application, AzureState } from "../store.ts";
import { renderDiscovery, renderMetadata, renderOpenId } from "../wire/entra.ts";

export const lifetimeSeconds = 3599;

export function signIn(app: Hono<KernelEnv>, runtime: Runtime<AzureState>): void {
  const { state, clock } = runtime;
  for (const path of ["/:tenant/oauth2/v2.0/token", "/:tenant/oauth2/token"])
    app.post(path, async (c) => {
      const { exchange } = c.env;
      exchange.note("operation", "entra.token");
      const now = clock.wall();
      tenantNamed(state, now, tenantOf(exchange));
      const form = new URLSearchParams(exchange.body.toString("utf8"));
      const grant = form.get("grant_type") ?? refuseToken("missingParameter", now, "grant_type");
      if (grant !== "client_credentials") refuseToken("unsupportedGrant", now, grant);
      const application = authenticate(exchange, state, form, now);
      const audience = audienceOf(form, now);
      const claims = claimsOf(application, audience, state.tenant().tenantId, now, exchange.id);
      exchange.note("account", application.clientId);
      return answerJson(
        exchange,
        200,
        {
          token_type: "Bearer",
          expires_in: lifetimeSeconds,
          ext_expires_in: lifetimeSeconds,
          access_token: await state.signer.issue(claims),
        },
        { "cache-control": "no-store, no-cache", pragma: "no-cache" },
      );
    });
  for (const path of ["/:tenant/v2.0/.well-known/openid-configuration", "/:tenant/.well-known/openid-configuration"])
    app.get(path, (c) => {
      const { exchange } = c.env;
      const tenant = tenantOf(exchange);
      const tenantId = tenantNamed(state, clock.wall(), tenant);
      const version = path.includes("v2.0") ? "v2" : tenant.toLowerCase() === "adfs" ? "adfs" : "v1";
      return answerJson(exchange, 200, renderOpenId(exchange.base, tenantId, version));
    });
  for (const path of ["/:tenant/discovery/v2.0/keys", "/:tenant/discovery/keys"])
    app.get(path, async (c) => answerJson(c.env.exchange, 200, { keys: await state.signer.jwks() }));
  app.get("/common/discovery/instance", (c) => answerJson(c.env.exchange, 200, renderDiscovery(c.env.exchange.base)));
  app.get("/metadata/endpoints", (c) => {
    const version = new URL(c.req.url).searchParams.get("api-version") ?? "2019-05-01";
    return answerJson(c.env.exchange, 200, renderMetadata(c.env.exchange.base, version));
  });
}

/** For what asks Azure Resource Manager from inside, as the application whose credentials are handed out. */
export async function ownToken({ state, clock }: Runtime<AzureState>, { id }: Exchange): Promise<string> {
  const application = state.anyApplication();
  if (!application) throw new Error("no application is seeded");
  const audience = "https://management.azure.com/";
  return state.signer.issue(claimsOf(application, audience, state.tenant().tenantId, clock.wall(), id));
}

function tenantOf({ target }: Exchange): string {
  return decodeURIComponent(target.split(/[/?]/)[1] ?? "");
}

/** The tenant's id. `adfs` and `common` stand for the one tenant there is. */
function tenantNamed(state: AzureState, now: number, name: string): string {
  const { tenantId, domain } = state.tenant();
  const known = [tenantId, domain, "adfs", "common", "organizations"].includes(name.toLowerCase());
  return known ? tenantId : refuseToken("unknownTenant", now, name);
}

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const assertionRefusals = {
  malformed: "malformedAssertion",
  otherClient: "foreignAssertion",
  notNow: "expiredAssertion",
  unknownCertificate: "unknownCertificate",
} as const;

function authenticate(exchange: Exchange, state: AzureState, form: URLSearchParams, now: number): Application {
  const basic = /^Basic\s+(\S+)$/i.exec(exchange.header("authorization") ?? "")?.[1];
  const [user, password] = basic === undefined ? [] : splitBasic(basic);
  const clientId = form.get("client_id") ?? user ?? refuseToken("missingParameter", now, "client_id");
  const application = state.application(clientId.toLowerCase());
  if (!application || application.managed)
    return refuseToken("unknownApplication", now, clientId, state.tenant().displayName);
  const assertion = form.get("client_assertion");
  if (assertion !== null) {
    if (form.get("client_assertion_type") !== assertionType) refuseToken("malformedAssertion", now);
    const refusal = refusalOf(assertion, { ...application, strict: state.strict(), now });
    if (refusal) refuseToken(assertionRefusals[refusal], now, clientId);
    return application;
  }
  const secret = form.get("client_secret") ?? password ?? refuseToken("noCredential", now);
  if (secret !== application.clientSecret) return refuseToken("wrongSecret", now, clientId);
  return application;
}

/** RFC 6749 2.3.1: both parts are form-encoded before they are joined. */
function splitBasic(encoded: string): readonly [string | undefined, string | undefined] {
  const pair = Buffer.from(encoded, "base64").toString("utf8");
  const colon = pair.indexOf(":");
  if (colon < 0) return [undefined, undefined];
  const fields = new URLSearchParams(`user=${pair.slice(0, colon)}&password=${pair.slice(colon + 1)}`);
  return [fields.get("user") ?? undefined, fields.get("password") ?? undefined];
}

/** What the token is for: `resource`, or `scope` without its `/.default` (az sends two slashes: one belongs to it). */
function audienceOf(form: URLSearchParams, now: number): string {
  const resource = form.get("resource");
  if (resource) return resource;
  const scope = form.get("scope") ?? refuseToken("missingParameter", now, "scope");
  const wanted = scope.split(" ").find((word) => word.endsWith("/.default"));
  if (wanted === undefined || wanted === "/.default") return refuseToken("invalidScope", now, scope);
  return wanted.slice(0, -"/.default".length);
}

export function claimsOf(
  { clientId, objectId }: Application,
  aud: string,
  tid: string,
  wallAt: number,
  id: string,
): Claims {
  const now = Math.floor(wallAt / 1000);
  const iss = `https://sts.windows.net/${tid}/`;
  return {
    aud,
    iss,
    iat: now,
    nbf: now,
    exp: now + lifetimeSeconds + 1,
    appid: clientId,
    appidacr: "1",
    idp: iss,
    idtyp: "app",
    oid: objectId,
    sub: objectId,
    tid,
    uti: Buffer.from(id, "hex").toString("base64url"),
    ver: "1.0",
  };
}
