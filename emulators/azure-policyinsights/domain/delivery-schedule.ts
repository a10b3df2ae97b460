/** When Event Grid tries again. https://learn.microsoft.com/azure/event-grid/delivery-and-retry */
import type { RetryPolicy } from "./event-subscription.ts";

const second = 1_000;
const minute = 60 * second;
/** Waits after the first, second, ... try; then the last again and again. */
const waits = [10 * second, 30 * second, minute, 5 * minute, 10 * minute, 30 * minute, 60 * minute];

/** What an answer makes the next wait at least. */
const least: Readonly<Record<number, number>> = {
  401: 5 * minute,
  403: 5 * minute,
  404: 5 * minute,
  408: 2 * minute,
  503: 30 * second,
};

export type GivingUp = "MaxDeliveryAttemptsExceeded" | "TimeToLiveExceeded" | "UndeliverableDueToClientError";

export interface LastTry {
  /** Tries made. */
  readonly attempts: number;
  /** Of the answer; undefined when there was none. */
  readonly status: number | undefined;
  readonly publishedAt: number;
  readonly at: number;
  /** In [0, 1): Event Grid spreads its waits a little. */
  readonly spread: number;
}

/** The wait before the next try, or why there is none. */
export function nextTry(
  policy: RetryPolicy,
  { attempts, status, publishedAt, at, spread }: LastTry,
): number | GivingUp {
  // Neither a body that cannot be read nor one that is too large gets better by itself.
  if (status === 400 || status === 413) return "UndeliverableDueToClientError";
  if (attempts >= policy.attempts) return "MaxDeliveryAttemptsExceeded";
  const wait = waits[Math.min(attempts, waits.length) - 1] ?? 60 * minute;
  const spreadWait = Math.round(Math.max(wait, least[status ?? 0] ?? 0) * (1 + 0.1 * spread));
  return at + spreadWait > publishedAt + policy.timeToLiveMs ? "TimeToLiveExceeded" : spreadWait;
}

/** How dead letters name the last outcome. */
export function outcomeName(status: number | undefined, reason: string | undefined): string {
  const names: Readonly<Record<number, string>> = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    408: "TimedOut",
    413: "PayloadTooLarge",
    429: "Busy",
    503: "Busy",
  };
  if (status !== undefined) return names[status] ?? "GenericError";
  return reason === "timeout" ? "TimedOut" : "Aborted";
}
