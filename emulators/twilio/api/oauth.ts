/** oauth.twilio.com/v2/token: client credentials for a bearer token. */
import type { Hono } from "hono";
import type { KernelEnv } from "../../kernel/emulator.ts";
import type { Exchange } from "../../kernel/exchange.ts";
import { reject } from "../errors.ts";
import { apiKey, oauthApp } from "../kinds.ts";
import { issueToken, tokenSeconds } from "./access-token.ts";
import { formOf, respondJson, type TwilioRuntime } from "./call.ts";

export function mountOauth(app: Hono<KernelEnv>, runtime: TwilioRuntime): void {
  for (const path of ["/v2/token", "/v1/token"])
    app.post(path, (c) => createToken(runtime, c.env.exchange, path === "/v1/token" ? 201 : 200));
}

function createToken(runtime: TwilioRuntime, exchange: Exchange, status: number): Response {
  exchange.note("operation", "CreateToken");
  const form = formOf(exchange);
  // The older path takes the names in Pascal case as well.
  const read = (name: string, pascal: string) => form.get(name) || form.get(pascal) || reject("missingParameter", name);
  const grant = read("grant_type", "GrantType");
  if (grant !== "client_credentials") reject("invalidParameter", "grant_type", grant);
  const clientId = read("client_id", "ClientSid");
  const secret = read("client_secret", "ClientSecret");
  const app = runtime.state.resource(oauthApp, clientId) ?? runtime.state.resource(apiKey, clientId);
  const accountSid = app?.data.secret === secret ? app.accountSid : reject("badPassword");
  exchange.note("account", accountSid);
  const body = {
    access_token: issueToken(runtime, accountSid, clientId),
    refresh_token: null,
    id_token: null,
    token_type: "bearer",
    expires_in: tokenSeconds,
  };
  return respondJson(exchange, "oauth.twilio.com", status, JSON.stringify(body));
}
