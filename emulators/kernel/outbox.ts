/**
 * The webhook dispatcher. An event commits with the change it tells about; after the commit it is signed, sent, retried
 * on the virtual clock, and in the end delivered or a dead letter that can be read and replayed. No answer to a client
 * waits for a receiver.
 *
 * Deliveries about one resource to one target form a lane: the next waits until the head is delivered or dead.
 */
import type { DeliveryState } from "./control-answers.ts";
import { createEndpoints, type Endpoints } from "./endpoints.ts";
import type { Mode } from "./mode.ts";
import { createAttempts, type Means, type Next } from "./outbox-attempt.ts";
import { callbackDelivery, eventDeliveries, type NewDelivery } from "./outbox-fan-out.ts";
import { createLanes, type Lanes, type Waiting } from "./outbox-lanes.ts";
import { createPace, type Traffic } from "./outbox-pace.ts";
import { type Attempt, createDeliveries, type Delivery, type DeliveryFilter } from "./outbox-store.ts";
import { Overloaded } from "./overloaded.ts";
import type { Timers } from "./timers.ts";
import type { BoundScheme, Callback, WebhookEvent } from "./webhook.ts";

export type { Callback, Outcome, Unsigned, WebhookEvent, WebhookScheme } from "./webhook.ts";

export interface Outbox {
  /** Inside a write: committed with the change it tells about, sent after the commit. */
  emit(event: WebhookEvent): void;
  /** Whether an endpoint asked for events of this type: what nobody hears needs no data. */
  isWanted(type: string): boolean;
  /** Inside a write: the same for one provider-native request. */
  callback(callback: Callback): void;
  /** Inside a write that tells nobody now but will later: refuses it while the queue is full. @throws Overloaded */
  expectCallbacks(): void;
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

export interface OutboxOptions extends Means {
  readonly emulator: string;
  readonly timers: Timers;
  readonly mode: Mode;
  readonly schemes: readonly BoundScheme[];
  /** Most deliveries waiting; work that would add more is refused rather than lost. */
  readonly capacity: number;
  /** How many delivered and discarded deliveries are kept. */
  readonly keep: number;
  /** Whether clients are being served, who come before webhooks. */
  readonly traffic: Pick<Traffic, "recent">;
}

export interface OutboxEngine extends Outbox {
  /** A retry fell due. */
  due(id: string): void;
  /** What is told meanwhile is taken whether or not the queue is full: it follows from work that was accepted. */
  unbounded(action: () => void): void;
  /** Reads everything from the tables again: after a start, a reset or a restore. */
  load(): void;
  /** Sends what is ready; held back in real mode. */
  pump(): void;
  /** Sends nothing more; what is under way is sent again after the next start. */
  close(): void;
}

export const retryTimer = "kernel.delivery";
const mostInFlight = 256;
/** To one origin that callbacks go to; a registered endpoint says it itself. */
const mostToOneOrigin = 16;
/** What goes beyond the count that is kept before the oldest are dropped together. */
const keepSlack = 128;

export function createOutbox(options: OutboxOptions): OutboxEngine {
  const { store, clock, timers, ids, mode, log, emulator } = options;
  const deliveries = createDeliveries(store.db);
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
  let bounded = true;
  let idlers: (() => void)[] = [];
  // Whoever waits for everything to settle is not to be slowed down by requests of a moment ago.
  const pace = createPace({ busy: () => idlers.length === 0 && options.traffic.recent, resume: () => pump() });

  /** Once the change under way is durable, unless its state is gone by then. */
  const afterwards = (action: () => void) => {
    const began = epoch;
    store.afterCommit(() => {
      if (began !== epoch) return;
      action();
      pump();
    });
  };
  const waitingFor = (delivery: Pick<Delivery, "id" | "endpoint" | "url" | "subject" | "due" | "scheme">): Waiting => {
    const { id, due } = delivery;
    const endpoint = delivery.endpoint === null ? undefined : endpoints.get(delivery.endpoint);
    const target = delivery.endpoint ?? URL.parse(delivery.url)?.origin ?? delivery.url;
    const lane = `${delivery.endpoint ?? delivery.url}\u0000${delivery.subject}`;
    const alone = endpoint?.ordering === "shuffled" || schemes.get(delivery.scheme)?.ordered === false;
    return { id, due, target, lane: alone ? id : lane };
  };
  const expectCallbacks = () => {
    if (bounded && lanes.waiting >= options.capacity)
      throw new Overloaded(
        `${lanes.waiting} webhook deliveries are waiting, which is all that BACKLOT_WEBHOOK_QUEUE allows`,
        5,
      );
  };
  const unbounded = (action: () => void) => {
    const before = bounded;
    bounded = false;
    try {
      action();
    } finally {
      bounded = before;
    }
  };
  const enqueue = (delivery: NewDelivery) => {
    expectCallbacks();
    arrival += 1;
    deliveries.insert({ ...delivery, arrival, trace: options.tracer.current ?? null });
    const entry = waitingFor(delivery);
    afterwards(() => lanes.admit(entry));
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
      await attempts.make(entry, () => began === epoch);
    } catch (cause) {
      if (began === epoch)
        log.error({ delivery: entry.id, cause: String(cause) }, "a webhook attempt could not be recorded");
    }
    if (began !== epoch) return;
    lanes.land(entry);
    pump();
  };

  const finish = (n: number) => {
    finished += n;
    if (finished < options.keep + keepSlack) return;
    deliveries.forget(finished - options.keep);
    finished = options.keep;
  };

  const conclude = (entry: Waiting, next: Next) => {
    if (next.tag === "gone") return lanes.leave(entry);
    if (next.tag === "again") {
      entry.due = next.due;
      deliveries.move(entry.id, "waiting", null, next.due, null);
      timers.schedule({ kind: retryTimer, subject: entry.id, due: next.due });
      return;
    }
    const now = clock.now();
    deliveries.move(entry.id, next.state, next.reason, now, now);
    if (next.state === "delivered") finish(1);
    afterwards(() => lanes.leave(entry));
  };
  const attempts = createAttempts({ ...options, deliveries, endpoints, schemes, concluded: conclude, unbounded });

  const outbox: OutboxEngine = {
    endpoints,
    isWanted: (type) => endpoints.wanting(type).length > 0,
    emit(event) {
      const wanting = endpoints.wanting(event.type);
      if (wanting.length === 0) return;
      for (const delivery of eventDeliveries(emulator, event, wanting, ids)) enqueue(delivery);
    },
    callback: (callback) => enqueue(callbackDelivery(emulator, callback, ids)),
    expectCallbacks,
    list: (filter) => deliveries.list(filter),
    get: (id) => deliveries.get(id),
    history: (id) => deliveries.history(id),
    replay: (keys) =>
      store.write(() => {
        const dead = keys.filter((key) => deliveries.again(key, clock.now()));
        for (const delivery of dead.map((key) => deliveries.get(key)))
          if (delivery) afterwards(() => lanes.admit(waitingFor(delivery)));
        return dead.length;
      }),
    discard: (keys, reason) =>
      store.write(() => {
        const dead = keys.filter((key) => deliveries.get(key)?.state === "dead");
        for (const key of dead) deliveries.move(key, "discarded", reason, clock.now(), clock.now());
        finish(dead.length);
        return dead.length;
      }),
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
    unbounded,
    load() {
      epoch += 1;
      endpoints.load();
      lanes = newLanes();
      arrival = deliveries.lastArrival();
      finished = deliveries.finished();
      attempts.load();
      for (const delivery of deliveries.waiting()) lanes.admit(waitingFor(delivery));
      pump();
    },
    pump,
    close() {
      closed = true;
      epoch += 1;
      pace.close();
    },
  };
  outbox.load();
  return outbox;
}
