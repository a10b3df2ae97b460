/** What every handler needs of a request and of an answer. */
import type { Runtime } from "../../kernel/emulator.ts";
import { answer, type Exchange } from "../../kernel/exchange.ts";
import type { Pieces } from "../../kernel/pieces.ts";
import type { Account, TwilioState } from "../store.ts";
import { responseHeaders, wantsXml } from "../wire/headers.ts";

export type TwilioRuntime = Runtime<TwilioState>;

/** A request whose caller is known. */
export interface Call {
  readonly runtime: TwilioRuntime;
  readonly exchange: Exchange;
  readonly account: Account;
  /** The account whose credentials were used: the parent, where it acts for a subaccount. */
  readonly caller: Account;
  readonly form: URLSearchParams;
  readonly query: URLSearchParams;
  /** A segment of the path by its name, decoded and without `.json`; empty when the route has none of that name. */
  param(name: string): string;
}

export const apiDomain = "api.twilio.com";

/** The parameters of a form body. A body of another kind has none, as on the real service. */
export function formOf(exchange: Exchange): URLSearchParams {
  const type = exchange.header("content-type") ?? "application/x-www-form-urlencoded";
  if (!type.toLowerCase().startsWith("application/x-www-form-urlencoded")) {
    exchange.note("ignoredBody", type);
    return new URLSearchParams();
  }
  return new URLSearchParams(exchange.body.toString("utf8"));
}

export function queryOf(exchange: Exchange): URLSearchParams {
  const query = exchange.target.indexOf("?");
  return new URLSearchParams(query < 0 ? "" : exchange.target.slice(query + 1));
}

/** A parameter that was sent and is not empty. */
export function given(form: URLSearchParams, name: string): string | undefined {
  return form.get(name) || undefined;
}

/** The sid in the last path segment, with or without its `.json`. */
export function sidOf(segment: string): string {
  return segment.endsWith(".json") ? segment.slice(0, -5) : segment;
}

/** Answers in the form that the path asks for. `createdSid` names the request after what it created. */
export function respond(
  exchange: Exchange,
  status: number,
  body: { json(): string | Pieces; xml(): string | Pieces },
  createdSid?: string,
): Response {
  return wantsXml(exchange)
    ? answer(exchange, status, body.xml(), responseHeaders(exchange, apiDomain, "application/xml", createdSid))
    : answer(exchange, status, body.json(), responseHeaders(exchange, apiDomain, "application/json", createdSid));
}

/** The answer of a product API, which only speaks JSON. */
export function respondJson(
  exchange: Exchange,
  domain: string,
  status: number,
  body: string,
  createdSid?: string,
): Response {
  return answer(exchange, status, body, responseHeaders(exchange, domain, "application/json", createdSid));
}

export function respondEmpty(exchange: Exchange, domain = apiDomain): Response {
  return answer(exchange, 204, null, responseHeaders(exchange, domain, undefined));
}
