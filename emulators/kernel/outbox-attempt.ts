/**
 * One try of a delivery: recorded, signed, sent if its target may be called at all, and concluded - delivered, tried
 * again later, or dead. At least once: an attempt is recorded before it is sent.
 */
import { createHash } from "node:crypto";
import type { Clock } from "./clock.ts";
import type { Sender, Sent } from "./delivery.ts";
import { keepAnswers } from "./delivery-answers.ts";
import type { Egress } from "./egress.ts";
import type { Endpoint, Endpoints } from "./endpoints.ts";
import type { Ids } from "./ids.ts";
import type { Journal } from "./journal.ts";
import type { Log } from "./log.ts";
import type { Waiting } from "./outbox-lanes.ts";
import { type Prepared, prepare } from "./outbox-prepare.ts";
import { delayAfter, tryOf } from "./outbox-retry.ts";
import type { Deliveries, Delivery } from "./outbox-store.ts";
import type { Store } from "./state.ts";
import type { Tracer } from "./tracing.ts";
import type { BoundScheme, Outcome } from "./webhook.ts";

/** What a dispatcher is given to send with. */
export interface Means {
  readonly store: Store;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly journal: Journal;
  readonly egress: Egress;
  readonly sender: Sender;
  readonly log: Log;
  /** False sends everything without a signature (FEATURE_WEBHOOK_SIGNATURES). */
  readonly signed: boolean;
  readonly tracer: Pick<Tracer, "current" | "attempt">;
}

export type Next =
  /** No longer waiting: was discarded, or its state is gone. */
  | { readonly tag: "gone" }
  | { readonly tag: "again"; readonly due: number }
  | { readonly tag: "ended"; readonly state: "delivered" | "dead"; readonly reason: string | null };

export interface AttemptOptions extends Means {
  readonly deliveries: Deliveries;
  readonly endpoints: Endpoints;
  readonly schemes: ReadonlyMap<string, BoundScheme>;
  /** Inside the write that records how the try ended. */
  readonly concluded: (entry: Waiting, next: Next) => void;
  readonly unbounded: (action: () => void) => void;
}

export interface Attempts {
  /** Does nothing more as soon as the state it belongs to is gone. */
  make(entry: Waiting, isCurrent: () => boolean): Promise<void>;
  load(): void;
}

export function createAttempts(options: AttemptOptions): Attempts {
  const { store, clock, journal, deliveries, endpoints, schemes, tracer } = options;
  const answers = keepAnswers(deliveries);
  const endpointOf = ({ endpoint }: Delivery) => (endpoint === null ? undefined : endpoints.get(endpoint));
  const transmit = createTransmitter(options);
  const tellScheme = createTeller(options);

  /** A webhook that a traced request caused carries on its trace. */
  const traced = (prepared: Prepared, { id, trace }: Delivery, n: number): Prepared =>
    trace === null
      ? prepared
      : { ...prepared, headers: { ...prepared.headers, ...tracer.attempt(trace, id, n).headers } };

  const conclude = (entry: Waiting, delivery: Delivery, n: number, sent: Sent) => {
    const now = clock.now();
    // Read again: it may have been changed or removed while the receiver was thinking.
    const endpoint = endpointOf(delivery);
    const { outcome } = sent;
    const delay =
      outcome.tag === "delivered"
        ? undefined
        : delayAfter({ delivery, endpoint, n, at: now, outcome }, schemes.get(delivery.scheme), options.ids);
    const next = delay === undefined ? null : now + delay;
    deliveries.endAttempt(delivery.id, ended(n, sent, next));
    answers.added(delivery.id, n, sent.body.length);
    journal.append("delivery", delivery.id, {
      ...about(delivery),
      attempt: n,
      wallMs: sent.wallMs,
      ...(delivery.trace === null ? {} : { trace: tracer.attempt(delivery.trace, delivery.id, n).span }),
      ...told(outcome),
      ...(next === null ? { final: outcome.tag === "delivered" ? "delivered" : "dead" } : { nextAt: next }),
    });
    if (next !== null) return options.concluded(entry, { tag: "again", due: next });
    tellScheme(delivery, sent, n, now);
    if (outcome.tag === "delivered")
      return options.concluded(entry, { tag: "ended", state: "delivered", reason: null });
    if (endpoint && outcome.tag === "answered" && outcome.status === 410)
      endpoints.replace({ ...endpoint, enabled: false, disabledReason: "the receiver answered 410 Gone" });
    const reason = outcome.tag === "failed" ? `${outcome.reason}: ${outcome.detail}` : `HTTP ${outcome.status}`;
    options.concluded(entry, { tag: "ended", state: "dead", reason });
  };

  /** Nothing goes to an endpoint that was removed or disabled; what waited for it can be replayed once it is back. */
  const withhold = (entry: Waiting, delivery: Delivery, detail: string) => {
    journal.append("delivery", delivery.id, { ...about(delivery), outcome: "withheld", detail, final: "dead" });
    options.concluded(entry, { tag: "ended", state: "dead", reason: `withheld: ${detail}` });
  };

  return {
    async make(entry, isCurrent) {
      const { id } = entry;
      const delivery = deliveries.get(id);
      if (delivery?.state !== "waiting") return options.concluded(entry, { tag: "gone" });
      const n = delivery.attempts + 1;
      const endpoint = endpointOf(delivery);
      const closed = delivery.endpoint === null ? undefined : whyNot(endpoint);
      if (closed !== undefined) return store.write(() => withhold(entry, delivery, closed));
      const now = clock.now();
      const next = tryOf(delivery, n, now, options.ids);
      const context = { schemes, signed: options.signed, now, wall: clock.wall(), next };
      const prepared = traced(prepare(delivery, endpoint, context), delivery, n);
      store.write(() => {
        deliveries.attempted(id, n);
        deliveries.addAttempt(id, n, context.now, context.wall, {
          method: delivery.method,
          url: prepared.url,
          headers: prepared.headers,
          bodySha256: createHash("sha256").update(delivery.body).digest("hex"),
        });
      });
      await store.committed();
      if (!isCurrent()) return;
      const sent = await transmit(delivery, prepared, endpoint);
      if (isCurrent()) store.write(() => conclude(entry, delivery, n, sent));
    },
    load: answers.load,
  };
}

/** Sends the bytes of one try, unless its target may not be called. */
function createTransmitter({ schemes, egress, journal, sender }: AttemptOptions) {
  return async (delivery: Delivery, prepared: Prepared, endpoint: Endpoint | undefined): Promise<Sent> => {
    const { connectMs, totalMs } = schemes.get(delivery.scheme)?.timeouts(delivery.url) ?? {
      connectMs: 2_000,
      totalMs: endpoint?.timeoutMs ?? 15_000,
    };
    const nothing = { headers: {}, body: Buffer.alloc(0), bodyBytes: 0, wallMs: 0 };
    const url = URL.parse(prepared.url);
    if (!url)
      return { ...nothing, outcome: { tag: "failed", reason: "egress", detail: `${prepared.url} is not a URL` } };
    const verdict = await egress.check(url);
    if (!verdict.allowed) {
      journal.append("egress", delivery.id, { target: url.origin, reason: verdict.reason, by: "webhook" });
      return { ...nothing, outcome: { tag: "failed", reason: "egress", detail: verdict.reason } };
    }
    const { method, body } = delivery;
    const { headers } = prepared;
    const sent = await sender.send({ method, url, headers, body, target: verdict.target, connectMs, totalMs });
    if (sent.outcome.tag !== "delivered" || schemes.get(delivery.scheme)?.accepts(sent.outcome.status) !== false)
      return sent;
    return { ...sent, outcome: { tag: "answered", status: sent.outcome.status } };
  };
}

/** A change of its own: a scheme that fails on an answer does not take the record of the attempt with it. */
function createTeller({ store, schemes, journal, log, unbounded }: AttemptOptions) {
  return (delivery: Delivery, { outcome, headers, body, bodyBytes }: Sent, attempts: number, at: number): void => {
    const { id, type, subject, url, credential, occurred_at: occurredAt } = delivery;
    const about = { id, credential, attempts, type, subject, url, occurredAt, at };
    try {
      unbounded(() =>
        store.write(() => schemes.get(delivery.scheme)?.concluded({ ...about, outcome, headers, body, bodyBytes })),
      );
    } catch (cause) {
      journal.append("incident", delivery.id, { scheme: delivery.scheme, cause: String(cause) });
      log.error({ delivery: delivery.id, cause: String(cause) }, "the answer to a webhook could not be acted on");
    }
  };
}

function whyNot(endpoint: Endpoint | undefined): string | undefined {
  if (!endpoint) return "the endpoint was removed";
  return endpoint.enabled ? undefined : `the endpoint is disabled: ${endpoint.disabledReason ?? "no reason was given"}`;
}

function about({ event, type, subject, endpoint, url }: Delivery): Record<string, unknown> {
  return { event, type, resource: subject, ...(endpoint === null ? {} : { endpoint }), url };
}

function told(outcome: Outcome): Record<string, unknown> {
  return outcome.tag === "failed"
    ? { outcome: outcome.reason, detail: outcome.detail }
    : { outcome: outcome.tag, status: outcome.status };
}

/** How a try ended, as its row keeps it. */
function ended(n: number, { outcome, headers, body, bodyBytes, wallMs }: Sent, nextDue: number | null) {
  const result = { n, wall_ms: wallMs, next_due: nextDue };
  if (outcome.tag === "failed")
    return { ...result, outcome: outcome.reason, status: null, detail: outcome.detail, response: null };
  const response = { headers, body: body.toString("utf8"), bodyBytes };
  return { ...result, outcome: outcome.tag, status: outcome.status, detail: null, response };
}
