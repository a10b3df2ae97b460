/** Who is calling, and for which account. */
import type { Exchange } from "../../kernel/exchange.ts";
import { reject, resourcePath } from "../errors.ts";
import { apiKey, type Secret, signingKey } from "../kinds.ts";
import type { Account } from "../store.ts";
import type { Resource } from "../store-resources.ts";
import { accountOfToken } from "./access-token.ts";
import type { TwilioRuntime } from "./call.ts";

/**
 * The account in the path, if the credentials may act for it: those of the account itself, one of its API keys, or its
 * parent's. Throws 20003 for bad credentials, 20404 for somebody else's account, 20008 for test credentials where `test`
 * does not allow them.
 */
export function signIn(
  runtime: TwilioRuntime,
  exchange: Exchange,
  accountSid: string,
  options: { readonly test?: boolean } = {},
): Account {
  return actFor(runtime, exchange, authenticate(runtime, exchange), accountSid, options);
}

/** The same for credentials that were already looked at. */
export function actFor(
  runtime: TwilioRuntime,
  exchange: Exchange,
  caller: Account,
  accountSid: string,
  options: { readonly test?: boolean } = {},
): Account {
  if (caller.test === 1 && options.test !== true) reject("testCredentials");
  const account = caller.sid === accountSid ? caller : runtime.state.account(accountSid);
  if (!account || (account.sid !== caller.sid && account.ownerSid !== caller.sid))
    reject("notFound", resourcePath(exchange));
  // A parent's key is none of its subaccounts'. https://www.twilio.com/docs/api/errors/20003
  if (account.sid !== caller.sid && keyOf(runtime, exchange)) reject("badPassword");
  if (account.status !== "active") reject("accountNotActive");
  exchange.note("account", account.sid);
  return account;
}

/**
 * Accounts and keys are managed with an auth token or a main key: those of the seed are, those made through the API are
 * standard keys. https://www.twilio.com/docs/iam/api-keys
 */
export function requireFullAccess(runtime: TwilioRuntime, exchange: Exchange): void {
  const key = keyOf(runtime, exchange);
  if (key && !key.data.isMain) reject("badUsername");
}

/** The account whose token, key or bearer token the request carries. */
export function authenticate(runtime: TwilioRuntime, exchange: Exchange): Account {
  const header = exchange.header("authorization");
  if (header !== undefined && /^bearer /i.test(header)) {
    const sid = accountOfToken(runtime, header.slice(7).trim());
    return (sid === undefined ? undefined : runtime.state.account(sid)) ?? reject("badPassword");
  }
  const { user, password } = basicPair(header) ?? reject("noCredentials");
  if (!/^(AC|SK)[0-9a-fA-F]{32}$/.test(user)) reject("badUsername");
  if (user.startsWith("SK")) {
    const key = keyNamed(runtime, user);
    const account = key?.data.secret === password ? runtime.state.account(key.accountSid) : undefined;
    return account ?? reject("badPassword");
  }
  const account = runtime.state.account(user);
  return account?.authToken === password ? account : reject("badPassword");
}

function keyOf(runtime: TwilioRuntime, exchange: Exchange): Resource<Secret> | undefined {
  const pair = basicPair(exchange.header("authorization"));
  return pair?.user.startsWith("SK") ? keyNamed(runtime, pair.user) : undefined;
}

function keyNamed({ state }: TwilioRuntime, sid: string): Resource<Secret> | undefined {
  return state.resource(apiKey, sid) ?? state.resource(signingKey, sid);
}

function basicPair(header: string | undefined): { readonly user: string; readonly password: string } | undefined {
  if (header === undefined || !/^basic /i.test(header)) return undefined;
  const pair = Buffer.from(header.slice(6), "base64").toString("utf8");
  const colon = pair.indexOf(":");
  return colon < 0 ? undefined : { user: pair.slice(0, colon), password: pair.slice(colon + 1) };
}
