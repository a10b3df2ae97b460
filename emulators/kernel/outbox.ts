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
import type { Egress } from "./egress.ts";
import { createEndpoints, type Endpoint, type Endpoints, schedules } from "./endpoints.ts";
import type { Ids } from "./ids.ts";
import type { Journal } from "./journal.ts";
import type { Log } from "./log.ts";
import type { Mode } from "./mode.ts";
import {
  type Attempt,
  createDeliveries,
  type Delivery,
  type DeliveryFilter,
  type DeliveryState,
} from "./outbox-store.ts";
import { hexSha256, standardWebhooks } from "./signatures.ts";
import type { Store } from "./state.ts";
import type { Timers } from "./timers.ts";
import type { Tracer } from "./tracing.ts";
import type { BoundScheme, Callback, Outcome, Unsigned, WebhookEvent } from "./webhook.ts";

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
  counts(): Readonly<Record<DeliveryState | "inFlight" | "ready", number>>;
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
  readonly tracer: Pick<Tracer, "current" | "attempt">;
}

export interface OutboxEngine extends Outbox {
  /** A retry fell due. */
  due(id: string): void;
  /** Reads everything from the tables again: after a start, a reset or a restore. */
  load(): void;
  /** Sends what is ready; held back in real mode. */
  pump(): void;
}

export const retryTimer = "kernel.delivery";
const mostInFlight = 64;
const longestRetryAfterMs = 86_400_000;

/** What is kept in memory of a delivery that waits. */
interface Waiting {
  readonly id: string;
  readonly lane: string;
  readonly endpoint: string | null;
  due: number;
}

export function createOutbox(options: OutboxOptions): OutboxEngine {
  const { store, clock, timers, ids, journal, mode, egress, sender, log } = options;
  const deliveries = createDeliveries(store.db);
  const endpoints = createEndpoints(store.db, ids);
  const schemes = new Map(options.schemes.map((scheme) => [scheme.name, scheme]));
  let lanes = new Map<string, Waiting[]>();
  let ready: Waiting[] = [];
  let flying = new Map<string, number>();
  let inFlight = 0;
  let waiting = 0;
  let arrival = 0;
  /** Raised by reset and restore: what was under way then belongs to a state that is gone. */
  let epoch = 0;
  let idlers: (() => void)[] = [];

  const laneOf = (delivery: Pick<Delivery, "id" | "endpoint" | "url" | "subject">): string => {
    const endpoint = delivery.endpoint === null ? undefined : endpoints.get(delivery.endpoint);
    if (endpoint?.ordering === "shuffled") return delivery.id;
    return `${delivery.endpoint ?? delivery.url}\u0000${delivery.subject}`;
  };
  const targetOf = (entry: Waiting) => entry.endpoint ?? entry.lane.slice(0, entry.lane.indexOf("\u0000"));

  const admit = (entry: Waiting) => {
    const lane = lanes.get(entry.lane);
    if (lane) lane.push(entry);
    else {
      lanes.set(entry.lane, [entry]);
      headReady(entry);
    }
  };
  const headReady = (entry: Waiting) => {
    if (entry.due > clock.now()) timers.schedule({ kind: retryTimer, subject: entry.id, due: entry.due });
    else ready.push(entry);
  };
  const leaveLane = (entry: Waiting) => {
    const lane = lanes.get(entry.lane);
    lane?.shift();
    waiting -= 1;
    const next = lane?.[0];
    if (next) headReady(next);
    else lanes.delete(entry.lane);
  };

  const enqueue = (
    delivery: Omit<Delivery, "state" | "reason" | "attempts" | "replayed_after" | "ended_at" | "arrival" | "trace">,
  ) => {
    if (waiting >= options.capacity)
      throw new Overloaded(
        `${waiting} webhook deliveries are waiting, which is all that BACKLOT_WEBHOOK_QUEUE allows`,
        5,
      );
    arrival += 1;
    deliveries.insert({ ...delivery, arrival, trace: options.tracer.current ?? null });
    const entry: Waiting = { id: delivery.id, lane: laneOf(delivery), endpoint: delivery.endpoint, due: delivery.due };
    const now = epoch;
    store.afterCommit(() => {
      if (now !== epoch) return;
      waiting += 1;
      admit(entry);
      pump();
    });
  };

  const pump = () => {
    if (mode.current === "real") return;
    const kept: Waiting[] = [];
    for (let index = 0; index < ready.length; index += 1) {
      const entry = ready[index];
      if (!entry) continue;
      const target = targetOf(entry);
      const limit = (entry.endpoint === null ? undefined : endpoints.get(entry.endpoint)?.inFlight) ?? 4;
      const under = flying.get(target) ?? 0;
      if (inFlight >= mostInFlight) {
        kept.push(...ready.slice(index));
        break;
      }
      if (under >= limit) {
        kept.push(entry);
        continue;
      }
      flying.set(target, under + 1);
      inFlight += 1;
      const began = epoch;
      attempt(entry, began)
        .catch((cause: unknown) =>
          log.error({ delivery: entry.id, cause: String(cause) }, "a webhook attempt could not be recorded"),
        )
        .finally(() => {
          if (began !== epoch) return;
          const left = (flying.get(target) ?? 1) - 1;
          if (left <= 0) flying.delete(target);
          else flying.set(target, left);
          inFlight -= 1;
          pump();
        });
    }
    ready = kept;
    if (ready.length === 0 && inFlight === 0) {
      const rest = idlers;
      idlers = [];
      for (const resolve of rest) resolve();
    }
  };

  const attempt = async (entry: Waiting, began: number): Promise<void> => {
    const delivery = deliveries.get(entry.id);
    if (delivery?.state !== "waiting") return leaveLane(entry);
    const endpoint = delivery.endpoint === null ? undefined : endpoints.get(delivery.endpoint);
    const n = delivery.attempts + 1;
    const prepared = traced(prepare(delivery, endpoint), delivery, n);
    store.write(() => {
      deliveries.attempted(delivery.id, n);
      deliveries.addAttempt(delivery.id, n, clock.now(), clock.wall(), {
        method: delivery.method,
        url: prepared.url,
        headers: prepared.headers,
        bodySha256: createHash("sha256").update(delivery.body).digest("hex"),
      });
    });
    await store.committed();
    const sent = await transmit(delivery, prepared, endpoint);
    if (began !== epoch) return;
    store.write(() => conclude(entry, delivery, endpoint, n, sent));
  };

  /** A webhook that a traced request caused carries on its trace. */
  const traced = <T extends { readonly headers: Record<string, string> }>(
    prepared: T,
    delivery: Delivery,
    n: number,
  ): T =>
    delivery.trace === null
      ? prepared
      : {
          ...prepared,
          headers: { ...prepared.headers, ...options.tracer.attempt(delivery.trace, delivery.id, n).headers },
        };

  const prepare = (
    delivery: Delivery,
    endpoint: Endpoint | undefined,
  ): { url: string; headers: Record<string, string> } => {
    const scheme = schemes.get(delivery.scheme);
    const url = scheme ? scheme.address(delivery.url) : delivery.url;
    const at = endpoint?.signingTime === "virtual" ? clock.now() : clock.wall();
    const request: Unsigned = {
      id: delivery.event,
      method: delivery.method,
      url,
      body: delivery.body,
      contentType: delivery.content_type,
      at,
    };
    const headers: Record<string, string> = delivery.method === "GET" ? {} : { "content-type": delivery.content_type };
    if (scheme) {
      Object.assign(headers, scheme.headers);
      const secret = scheme.secretOf(delivery.credential);
      if (!options.signed || secret === undefined) return { url, headers };
      const signature = scheme.sign(request, secret);
      return { url: signature.url ?? url, headers: { ...headers, ...signature.headers } };
    }
    headers["user-agent"] = "Backlot-Webhooks/1";
    if (!endpoint || !options.signed) return { url, headers: { ...headers, "webhook-id": delivery.event } };
    const secrets =
      endpoint.previous && endpoint.previous.until > clock.now()
        ? [endpoint.secret, endpoint.previous.secret]
        : [endpoint.secret];
    for (const name of endpoint.schemes) {
      if (name === "standard") Object.assign(headers, standardWebhooks(request, secrets));
      else if (name === "hex-sha256") Object.assign(headers, hexSha256(request, endpoint.secret));
      else
        Object.assign(headers, schemes.get(name)?.headers, schemes.get(name)?.sign(request, endpoint.secret).headers);
    }
    return { url, headers };
  };

  const transmit = async (
    delivery: Delivery,
    prepared: { url: string; headers: Record<string, string> },
    endpoint: Endpoint | undefined,
  ): Promise<Sent> => {
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
    return sender.send({
      method: delivery.method,
      url,
      headers: prepared.headers,
      body: delivery.body,
      target: verdict.target,
      connectMs,
      totalMs,
    });
  };

  const conclude = (entry: Waiting, delivery: Delivery, endpoint: Endpoint | undefined, n: number, sent: Sent) => {
    const now = clock.now();
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
    journal.append("delivery", delivery.id, {
      event: delivery.event,
      type: delivery.type,
      resource: delivery.subject,
      ...(delivery.endpoint === null ? {} : { endpoint: delivery.endpoint }),
      url: delivery.url,
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
    if (outcome.tag === "delivered") deliveries.move(delivery.id, "delivered", null, now, now);
    else {
      deliveries.move(delivery.id, "dead", describe(outcome), now, now);
      if (endpoint && outcome.tag === "answered" && outcome.status === 410)
        endpoints.replace({ ...endpoint, enabled: false, disabledReason: "the receiver answered 410 Gone" });
    }
    leaveLane(entry);
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
    if (scheme) return scheme.retryDelay(delivery.url, tries, outcome);
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
    lanes = new Map();
    ready = [];
    flying = new Map();
    inFlight = 0;
    waiting = 0;
    arrival = deliveries.lastArrival();
    for (const delivery of deliveries.waiting()) {
      waiting += 1;
      admit({ id: delivery.id, lane: laneOf(delivery), endpoint: delivery.endpoint, due: delivery.due });
    }
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
          store.afterCommit(() => {
            waiting += 1;
            admit({ id: key, lane: laneOf(delivery), endpoint: delivery.endpoint, due: delivery.due });
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
        return dead.length;
      });
    },
    counts: () => ({ ...deliveries.counts(), inFlight, ready: ready.length }),
    async idle() {
      await store.committed();
      if (mode.current === "real" || (ready.length === 0 && inFlight === 0)) return;
      await new Promise<void>((resolve) => idlers.push(resolve));
      await outbox.idle();
    },
    due(id) {
      const delivery = deliveries.get(id);
      if (delivery?.state !== "waiting") return;
      const head = lanes.get(laneOf(delivery))?.[0];
      if (head?.id !== id) return;
      ready.push(head);
      store.afterCommit(pump);
    },
    load,
    pump,
  };
  load();
  return outbox;
}

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

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
