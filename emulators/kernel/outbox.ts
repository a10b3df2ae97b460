/**
 * The webhook dispatcher. An event commits with the change it tells about; after the commit it is signed, sent, retried
 * on the virtual clock, and in the end delivered or a dead letter that can be read and replayed. No answer to a client
 * waits for a receiver. At least once: an attempt is recorded before it is sent.
 *
 * Deliveries about one resource to one target form a lane: the next waits until the head is delivered or dead.
 */
import { createHash } from "node:crypto";
import type { Clock } from "./clock.ts";
import type { Sender, Sent } from "./delivery.ts";
import { keepAnswers } from "./delivery-answers.ts";
import type { Egress } from "./egress.ts";
import { createEndpoints, type Endpoint, type Endpoints, schedules } from "./endpoints.ts";
import type { Ids } from "./ids.ts";
import type { Journal } from "./journal.ts";
import type { Log } from "./log.ts";
import type { Mode } from "./mode.ts";
import { createLanes, type Lanes, type Waiting } from "./outbox-lanes.ts";
import { createPace, type Traffic } from "./outbox-pace.ts";
import { type Prepared, prepare } from "./outbox-prepare.ts";
import {
  type Attempt,
  createDeliveries,
  type Delivery,
  type DeliveryFilter,
  type DeliveryState,
} from "./outbox-store.ts";
import type { Store } from "./state.ts";
import type { Timers } from "./timers.ts";
import type { Tracer } from "./tracing.ts";
import type { BoundScheme, Callback, Outcome, Try, WebhookEvent } from "./webhook.ts";

export type { Callback, Outcome, Unsigned, WebhookEvent, WebhookScheme } from "./webhook.ts";

export interface Outbox {
  /** Inside a write: committed with the change it tells about, sent after the commit. */
  emit(event: WebhookEvent): void;
  /** Inside a write: the same for one provider-native request. */
  callback(callback: Callback): void;
  readonly endpoints: Endpoints;
  /** Deliveries, newest first. */
  list(filter: DeliveryFilter): readonly Delivery[];
  get(id: string): Delivery | undefined;
  history(id: string): readonly Attempt[];
  /** Sends dead letters again; answers how many. */
  replay(ids: readonly string[]): number;
  discard(ids: readonly string[], reason: string): number;
  /** Deliveries by state; `forgotten` are finished ones that are no longer kept. */
  counts(): Readonly<Record<DeliveryState | "inFlight" | "ready" | "forgotten", number>>;
  /** Resolves when nothing is ready or under way; tries that wait for a later instant do not count. */
  idle(): Promise<void>;
}

/** New work was refused because a queue is full; nothing of it was stored. */
export class Overloaded extends Error {
  readonly retryAfterSeconds: number;
  constructor(message: string, retryAfterSeconds: number) {
    super(message);
    this.name = "Overloaded";
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

export interface OutboxOptions {
  readonly emulator: string;
  readonly store: Store;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly ids: Ids;
  readonly journal: Journal;
  readonly mode: Mode;
  readonly egress: Egress;
  readonly sender: Sender;
  readonly log: Log;
  readonly schemes: readonly BoundScheme[];
  /** False sends everything without a signature (FEATURE_WEBHOOK_SIGNATURES). */
  readonly signed: boolean;
  /** Most deliveries waiting; more are refused rather than lost. */
  readonly capacity: number;
  /** How many delivered and discarded deliveries are kept. */
  readonly keep: number;
  /** Whether clients are being served, who come before webhooks. */
  readonly traffic: Pick<Traffic, "recent">;
  readonly tracer: Pick<Tracer, "current" | "attempt">;
}

export interface OutboxEngine extends Outbox {
  /** A retry fell due. */
  due(id: string): void;
  /** Reads everything from the tables again: after a start, a reset or a restore. */
  load(): void;
  /** Sends what is ready; held back in real mode. */
  pump(): void;
  /** Sends nothing more; what is under way is sent again after the next start. */
  close(): void;
}

export const retryTimer = "kernel.delivery";
const longestRetryAfterMs = 86_400_000;
const mostInFlight = 256;
/** To one origin that callbacks go to; a registered endpoint says it itself. */
const mostToOneOrigin = 16;
/** What goes beyond the count that is kept before the oldest are dropped together. */
const keepSlack = 128;

export function createOutbox(options: OutboxOptions): OutboxEngine {
  const { store, clock, timers, ids, journal, mode, egress, sender, log } = options;
  const deliveries = createDeliveries(store.db);
  const answers = keepAnswers(deliveries);
  const endpoints = createEndpoints(store.db, ids);
  const schemes = new Map(options.schemes.map((scheme) => [scheme.name, scheme]));
  const newLanes = (): Lanes =>
    createLanes({
      mostInFlight,
      limitOf: (target) => endpoints.get(target)?.inFlight ?? mostToOneOrigin,
      postpone(entry) {
        if (entry.due <= clock.now()) return false;
        timers.schedule({ kind: retryTimer, subject: entry.id, due: entry.due });
        return true;
      },
    });
  let lanes = newLanes();
  let arrival = 0;
  let finished = 0;
  /** Raised by reset, restore and the end: what was under way then belongs to a state that is gone. */
  let epoch = 0;
  let closed = false;
  let idlers: (() => void)[] = [];
  // Whoever waits for everything to settle is not to be slowed down by requests of a moment ago.
  const pace = createPace({ busy: () => idlers.length === 0 && options.traffic.recent, resume: () => pump() });

  const waitingFor = (delivery: Pick<Delivery, "id" | "endpoint" | "url" | "subject" | "due" | "scheme">): Waiting => {
    const { id, due } = delivery;
    const endpoint = delivery.endpoint === null ? undefined : endpoints.get(delivery.endpoint);
    const target = delivery.endpoint ?? URL.parse(delivery.url)?.origin ?? delivery.url;
    const lane = `${delivery.endpoint ?? delivery.url}\u0000${delivery.subject}`;
    const alone = endpoint?.ordering === "shuffled" || schemes.get(delivery.scheme)?.ordered === false;
    return { id, due, target, lane: alone ? id : lane };
  };

  const enqueue = (
    delivery: Omit<Delivery, "state" | "reason" | "attempts" | "replayed_after" | "ended_at" | "arrival" | "trace">,
  ) => {
    if (lanes.waiting >= options.capacity)
      throw new Overloaded(
        `${lanes.waiting} webhook deliveries are waiting, which is all that BACKLOT_WEBHOOK_QUEUE allows`,
        5,
      );
    arrival += 1;
    deliveries.insert({ ...delivery, arrival, trace: options.tracer.current ?? null });
    const entry = waitingFor(delivery);
    const now = epoch;
    store.afterCommit(() => {
      if (now !== epoch) return;
      lanes.admit(entry);
      pump();
    });
  };

  const pump = () => {
    if (closed || mode.current === "real") return;
    while (lanes.ready > 0 && pace.grant()) {
      const entry = lanes.take();
      if (!entry) break;
      void fly(entry, epoch);
    }
    if (lanes.ready > 0 || lanes.inFlight > 0) return;
    const rest = idlers;
    idlers = [];
    for (const resolve of rest) resolve();
  };

  const fly = async (entry: Waiting, began: number): Promise<void> => {
    try {
      await attempt(entry, began);
    } catch (cause) {
      if (began === epoch)
        log.error({ delivery: entry.id, cause: String(cause) }, "a webhook attempt could not be recorded");
    }
    if (began !== epoch) return;
    lanes.land(entry);
    pump();
  };

  const attempt = async (entry: Waiting, began: number): Promise<void> => {
    const delivery = deliveries.get(entry.id);
    if (delivery?.state !== "waiting") return lanes.leave(entry);
    const n = delivery.attempts + 1;
    const endpoint = delivery.endpoint === null ? undefined : endpoints.get(delivery.endpoint);
    const closed = delivery.endpoint === null ? undefined : whyNot(endpoint);
    if (closed !== undefined) return store.write(() => withhold(entry, delivery, closed));
    const now = clock.now();
    const context = { schemes, signed: options.signed, now, wall: clock.wall(), next: tryOf(delivery, n, now) };
    const prepared = traced(prepare(delivery, endpoint, context), delivery, n);
    store.write(() => {
      deliveries.attempted(delivery.id, n);
      deliveries.addAttempt(delivery.id, n, context.now, context.wall, {
        method: delivery.method,
        url: prepared.url,
        headers: prepared.headers,
        bodySha256: createHash("sha256").update(delivery.body).digest("hex"),
      });
    });
    await store.committed();
    if (began !== epoch) return;
    const sent = await transmit(delivery, prepared, endpoint);
    if (began !== epoch) return;
    store.write(() => conclude(entry, delivery, n, sent));
  };

  /** A webhook that a traced request caused carries on its trace. */
  const traced = (prepared: Prepared, delivery: Delivery, n: number): Prepared =>
    delivery.trace === null
      ? prepared
      : {
          ...prepared,
          headers: { ...prepared.headers, ...options.tracer.attempt(delivery.trace, delivery.id, n).headers },
        };

  const transmit = async (delivery: Delivery, prepared: Prepared, endpoint: Endpoint | undefined): Promise<Sent> => {
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
    const sent = await sender.send({
      method: delivery.method,
      url,
      headers: prepared.headers,
      body: delivery.body,
      target: verdict.target,
      connectMs,
      totalMs,
    });
    if (sent.outcome.tag !== "delivered" || schemes.get(delivery.scheme)?.accepts(sent.outcome.status) !== false)
      return sent;
    return { ...sent, outcome: { tag: "answered", status: sent.outcome.status } };
  };

  const tryOf = (delivery: Delivery, n: number, at: number): Try => ({
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
  });

  /** Ends a delivery for good, inside a write; what follows in its lane goes after the commit. */
  const end = (entry: Waiting, state: "delivered" | "dead", reason: string | null) => {
    const now = clock.now();
    deliveries.move(entry.id, state, reason, now, now);
    if (state === "delivered") finish(1);
    const began = epoch;
    store.afterCommit(() => {
      if (began !== epoch) return;
      lanes.leave(entry);
      pump();
    });
  };

  const finish = (n: number) => {
    finished += n;
    if (finished < options.keep + keepSlack) return;
    deliveries.forget(finished - options.keep);
    finished = options.keep;
  };

  /** Nothing goes to an endpoint that was removed or disabled; what waited for it can be replayed once it is back. */
  const withhold = (entry: Waiting, delivery: Delivery, detail: string) => {
    journal.append("delivery", delivery.id, { ...aboutDelivery(delivery), outcome: "withheld", detail, final: "dead" });
    end(entry, "dead", `withheld: ${detail}`);
  };

  const conclude = (entry: Waiting, delivery: Delivery, n: number, sent: Sent) => {
    const now = clock.now();
    // Read again: it may have been changed or removed while the receiver was thinking.
    const endpoint = delivery.endpoint === null ? undefined : endpoints.get(delivery.endpoint);
    const { outcome } = sent;
    const delay = outcome.tag === "delivered" ? undefined : delayAfter(delivery, endpoint, n, outcome);
    const next = delay === undefined ? null : now + delay;
    const status = outcome.tag === "failed" ? null : outcome.status;
    deliveries.endAttempt(delivery.id, {
      n,
      outcome: outcome.tag === "failed" ? outcome.reason : outcome.tag,
      status,
      detail: outcome.tag === "failed" ? outcome.detail : null,
      response:
        status === null ? null : { headers: sent.headers, body: sent.body.toString("utf8"), bodyBytes: sent.bodyBytes },
      wall_ms: sent.wallMs,
      next_due: next,
    });
    answers.added(delivery.id, n, sent.body.length);
    journal.append("delivery", delivery.id, {
      ...aboutDelivery(delivery),
      attempt: n,
      wallMs: sent.wallMs,
      ...(delivery.trace === null ? {} : { trace: options.tracer.attempt(delivery.trace, delivery.id, n).span }),
      outcome: outcome.tag === "failed" ? outcome.reason : outcome.tag,
      ...(status === null ? {} : { status }),
      ...(outcome.tag === "failed" ? { detail: outcome.detail } : {}),
      ...(next === null ? { final: outcome.tag === "delivered" ? "delivered" : "dead" } : { nextAt: next }),
    });
    if (next !== null) {
      entry.due = next;
      deliveries.move(delivery.id, "waiting", null, next, null);
      timers.schedule({ kind: retryTimer, subject: delivery.id, due: next });
      return;
    }
    tellScheme(delivery, sent, n, now);
    if (outcome.tag === "delivered") return end(entry, "delivered", null);
    if (endpoint && outcome.tag === "answered" && outcome.status === 410)
      endpoints.replace({ ...endpoint, enabled: false, disabledReason: "the receiver answered 410 Gone" });
    end(entry, "dead", describe(outcome));
  };

  /** A change of its own: a scheme that fails on an answer does not take the record of the attempt with it. */
  const tellScheme = (
    delivery: Delivery,
    { outcome, headers, body, bodyBytes }: Sent,
    attempts: number,
    at: number,
  ) => {
    const { id, type, subject, url, credential, occurred_at: occurredAt } = delivery;
    const about = { id, credential, attempts, type, subject, url, occurredAt, at };
    try {
      store.write(() => schemes.get(delivery.scheme)?.concluded({ ...about, outcome, headers, body, bodyBytes }));
    } catch (cause) {
      journal.append("incident", delivery.id, { scheme: delivery.scheme, cause: String(cause) });
      log.error({ delivery: delivery.id, cause: String(cause) }, "the answer to a webhook could not be acted on");
    }
  };

  const delayAfter = (
    delivery: Delivery,
    endpoint: Endpoint | undefined,
    n: number,
    outcome: Exclude<Outcome, { tag: "delivered" }>,
  ): number | undefined => {
    const tries = n - delivery.replayed_after;
    if (outcome.tag === "failed" && outcome.reason === "egress") return undefined;
    const scheme = schemes.get(delivery.scheme);
    if (scheme) return scheme.retryDelay(delivery.url, tries, outcome, tryOf(delivery, n, clock.now()));
    if (!endpoint?.enabled || !isWorthRetrying(endpoint, outcome)) return undefined;
    const table: readonly number[] =
      typeof endpoint.schedule === "string" ? schedules[endpoint.schedule] : endpoint.schedule;
    const seconds = table[tries - 1];
    if (seconds === undefined) return undefined;
    const jitter = 1 + 0.2 * (ids.fixed("webhook.jitter", [delivery.id, n]).unit() - 0.5);
    const asked = outcome.tag === "answered" ? Math.min(outcome.retryAfterMs ?? 0, longestRetryAfterMs) : 0;
    return Math.max(Math.round(seconds * 1000 * jitter), asked);
  };

  const load = () => {
    epoch += 1;
    endpoints.load();
    lanes = newLanes();
    arrival = deliveries.lastArrival();
    finished = deliveries.finished();
    answers.load();
    for (const delivery of deliveries.waiting()) lanes.admit(waitingFor(delivery));
    pump();
  };

  const outbox: OutboxEngine = {
    endpoints,
    emit(event) {
      const wanting = endpoints.wanting(event.type);
      if (wanting.length === 0) return;
      const id = `msg_${ids.derive("webhook.event", [options.emulator, event.type, event.subject, event.occurredAt]).text(27, base62)}`;
      const body = Buffer.from(
        JSON.stringify({ type: event.type, timestamp: new Date(event.occurredAt).toISOString(), data: event.data }),
      );
      for (const endpoint of wanting) {
        for (let copy = 1; copy <= endpoint.copies; copy += 1) {
          const key = `${id}_${endpoint.id.slice(3)}${copy > 1 ? `_${copy}` : ""}`;
          const shuffle =
            endpoint.ordering === "shuffled" ? Math.floor(ids.fixed("webhook.shuffle", [key]).unit() * 5_000) : 0;
          enqueue({
            id: key,
            event: id,
            endpoint: endpoint.id,
            type: event.type,
            subject: event.subject,
            occurred_at: event.occurredAt,
            method: "POST",
            url: endpoint.url,
            content_type: "application/json",
            body,
            scheme: "endpoint",
            credential: "",
            due: event.occurredAt + shuffle,
          });
        }
      }
    },
    callback(callback) {
      const id = `msg_${ids.derive("webhook.callback", [options.emulator, callback.type, callback.subject, callback.url, callback.occurredAt]).text(27, base62)}`;
      enqueue({
        id,
        event: id,
        endpoint: null,
        type: callback.type,
        subject: callback.subject,
        occurred_at: callback.occurredAt,
        method: callback.method,
        url: callback.url,
        content_type: callback.contentType,
        body: Buffer.from(callback.body),
        scheme: callback.scheme,
        credential: callback.credential,
        due: callback.occurredAt,
      });
    },
    list: (filter) => deliveries.list(filter),
    get: (id) => deliveries.get(id),
    history: (id) => deliveries.history(id),
    replay(keys) {
      return store.write(() => {
        let replayed = 0;
        for (const key of keys) {
          if (!deliveries.again(key, clock.now())) continue;
          replayed += 1;
          const delivery = deliveries.get(key);
          if (!delivery) continue;
          const began = epoch;
          store.afterCommit(() => {
            if (began !== epoch) return;
            lanes.admit(waitingFor(delivery));
            pump();
          });
        }
        return replayed;
      });
    },
    discard(keys, reason) {
      return store.write(() => {
        const dead = keys.filter((key) => deliveries.get(key)?.state === "dead");
        for (const key of dead) deliveries.move(key, "discarded", reason, clock.now(), clock.now());
        finish(dead.length);
        return dead.length;
      });
    },
    counts: () => ({
      ...deliveries.counts(),
      inFlight: lanes.inFlight,
      ready: lanes.ready,
      forgotten: deliveries.forgotten(),
    }),
    async idle() {
      await store.committed();
      if (mode.current === "real" || (lanes.ready === 0 && lanes.inFlight === 0)) return;
      await new Promise<void>((resolve) => idlers.push(resolve));
      await outbox.idle();
    },
    due(id) {
      lanes.wake(id);
      store.afterCommit(pump);
    },
    load,
    pump,
    close() {
      closed = true;
      epoch += 1;
      pace.close();
    },
  };
  load();
  return outbox;
}

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

function whyNot(endpoint: Endpoint | undefined): string | undefined {
  if (!endpoint) return "the endpoint was removed";
  return endpoint.enabled ? undefined : `the endpoint is disabled: ${endpoint.disabledReason ?? "no reason was given"}`;
}

function aboutDelivery({ event, type, subject, endpoint, url }: Delivery): Record<string, unknown> {
  return { event, type, resource: subject, ...(endpoint === null ? {} : { endpoint }), url };
}

/** 410 ends an endpoint; 408, 425, 429 and 5xx are worth a retry always, other answers as the endpoint asks. */
function isWorthRetrying(endpoint: Endpoint, outcome: Outcome): boolean {
  if (outcome.tag !== "answered") return true;
  const { status } = outcome;
  if (status === 410) return false;
  if (status >= 400 && status < 500 && ![408, 425, 429].includes(status)) return endpoint.retry4xx;
  return true;
}

function describe(outcome: Outcome): string {
  return outcome.tag === "failed" ? `${outcome.reason}: ${outcome.detail}` : `HTTP ${outcome.status}`;
}
