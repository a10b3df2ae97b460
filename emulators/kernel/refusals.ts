/** Refusals that the kernel makes on a provider's behalf, in the provider's shape. */
import type { ProviderErrors } from "./emulator.ts";
import type { Exchange } from "./exchange.ts";
import type { Overloaded } from "./overloaded.ts";

export interface ProviderFault {
  readonly status: number;
  /** The provider's error code, in its own form: 20429, `ThrottlingException`. */
  readonly code?: string | number;
  readonly message?: string;
}

/** An error with a status of the caller's choosing. */
export function refuse(exchange: Exchange, errors: ProviderErrors, fault: ProviderFault): Response {
  const { status, code, message } = fault;
  if (status === 429 && code === undefined && message === undefined) return throttle(exchange, errors, 1);
  return errors.fault(exchange, fault);
}

export const faultMessage = (status: number) => `Backlot was asked to answer this request with ${status}.`;

/** 429 in the provider's shape, with Retry-After whether or not the provider sends it itself. */
export function throttle(exchange: Exchange, errors: ProviderErrors, retryAfterSeconds: number): Response {
  const response = errors.throttled(exchange, retryAfterSeconds);
  sayWhenToComeBack(exchange, retryAfterSeconds);
  return response;
}

/** 503, not 429: it is not this client that asks too much, and whoever comes next is refused as well. */
export function overloaded(exchange: Exchange, errors: ProviderErrors, cause: Overloaded): Response {
  const response = errors.fault(exchange, { status: 503, message: `${cause.message}.` });
  sayWhenToComeBack(exchange, cause.retryAfterSeconds);
  return response;
}

function sayWhenToComeBack(exchange: Exchange, retryAfterSeconds: number): void {
  if (!Object.keys(exchange.answered?.headers ?? {}).some((name) => name.toLowerCase() === "retry-after"))
    addHeaders(exchange, { "retry-after": String(retryAfterSeconds) });
}

/** Adds headers to an answer that is already there. */
export function addHeaders(exchange: Exchange, headers: Readonly<Record<string, string>>): void {
  const { answered } = exchange;
  if (answered) exchange.answered = { ...answered, headers: { ...answered.headers, ...headers } };
}
