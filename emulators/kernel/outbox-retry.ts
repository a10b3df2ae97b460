/** When a delivery that failed is tried again, if at all. */
import type { Instant } from "./clock.ts";
import { type Endpoint, schedules } from "./endpoints.ts";
import type { Ids } from "./ids.ts";
import type { Delivery } from "./outbox-store.ts";
import type { BoundScheme, Outcome, Try } from "./webhook.ts";

const longestRetryAfterMs = 86_400_000;

export interface FailedTry {
  readonly delivery: Delivery;
  readonly endpoint: Endpoint | undefined;
  readonly n: number;
  readonly at: Instant;
  readonly outcome: Exclude<Outcome, { tag: "delivered" }>;
}

/** Milliseconds to the next try after the `n`-th ended with `outcome`; undefined gives up. */
export function delayAfter(
  failed: FailedTry,
  scheme: BoundScheme | undefined,
  ids: Pick<Ids, "fixed">,
): number | undefined {
  const { delivery, endpoint, n, outcome } = failed;
  const tries = n - delivery.replayed_after;
  if (outcome.tag === "failed" && outcome.reason === "egress") return undefined;
  if (scheme) return scheme.retryDelay(delivery.url, tries, outcome, tryOf(delivery, n, failed.at, ids));
  if (!endpoint?.enabled || !isWorthRetrying(endpoint, outcome)) return undefined;
  const table: readonly number[] =
    typeof endpoint.schedule === "string" ? schedules[endpoint.schedule] : endpoint.schedule;
  const seconds = table[tries - 1];
  if (seconds === undefined) return undefined;
  const jitter = 1 + 0.2 * (ids.fixed("webhook.jitter", [delivery.id, n]).unit() - 0.5);
  const asked = outcome.tag === "answered" ? Math.min(outcome.retryAfterMs ?? 0, longestRetryAfterMs) : 0;
  return Math.max(Math.round(seconds * 1000 * jitter), asked);
}

/** 410 ends an endpoint; 408, 425, 429 and 5xx are worth a retry always, other answers as the endpoint asks. */
function isWorthRetrying(endpoint: Endpoint, outcome: Outcome): boolean {
  if (outcome.tag !== "answered") return true;
  const { status } = outcome;
  if (status === 410) return false;
  if (status >= 400 && status < 500 && ![408, 425, 429].includes(status)) return endpoint.retry4xx;
  return true;
}

/** What a scheme is told of the `n`-th try. */
export function tryOf(delivery: Delivery, n: number, at: Instant, ids: Pick<Ids, "fixed">): Try {
  return {
    id: delivery.id,
    type: delivery.type,
    credential: delivery.credential,
    url: delivery.url,
    contentType: delivery.content_type,
    body: delivery.body,
    occurredAt: delivery.occurred_at,
    at,
    n: n - delivery.replayed_after,
    get spread() {
      return ids.fixed("webhook.spread", [delivery.id, n]).unit();
    },
  };
}
