/**
 * `Idempotency-Key`: the first answer is given again. A key belongs to a credential, method and path; another query or
 * body under it is refused with 422. A duplicate that comes while the first is under way waits for it: whoever retries
 * after a timeout gets the answer that was lost, and the outcome does not depend on who was faster (409 would).
 */
import { createHash } from "node:crypto";
import type { Clock, Instant } from "./clock.ts";
import { credentialOf } from "./credential.ts";
import type { ProviderErrors } from "./emulator.ts";
import { type Answered, answer, type Exchange, inOnePiece } from "./exchange.ts";
import type { Gate, Work } from "./gate.ts";
import { refuse } from "./refusals.ts";
import type { Store } from "./state.ts";

export interface Replay {
  readonly at: Instant;
  readonly fingerprint: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | null;
}

export interface ReplayKeeper {
  get(key: string): Replay | undefined;
  put(key: string, replay: Replay): void;
}

const keptMs = 24 * 3_600_000;
const mostReplays = 10_000;
const longestKey = 255;

/** Answers that say nothing final about the request: a retry is meant to get another one. */
const passing = new Set([401, 403, 408, 421, 425, 429]);

export function createIdempotencyGate(options: {
  readonly keeper: ReplayKeeper;
  readonly clock: Clock;
  /** Provider operations: POST. The control API: everything that changes something. */
  readonly methods: ReadonlySet<string>;
}): Gate {
  const { keeper, clock, methods } = options;
  const underWay = new Map<string, { readonly fingerprint: string; readonly ended: Promise<void> }>();

  const first = async (exchange: Exchange, key: string, fingerprint: string, run: () => Work) => {
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    underWay.set(key, { fingerprint, ended });
    try {
      await run();
      const replay = replayOf(exchange.answered, fingerprint, clock.now());
      if (replay) keeper.put(key, replay);
    } finally {
      underWay.delete(key);
      end();
    }
  };

  const once = async (exchange: Exchange, given: string, errors: ProviderErrors, run: () => Work) => {
    const key = scopeOf(exchange, given);
    const fingerprint = fingerprintOf(exchange);
    let other = underWay.get(key);
    while (other?.fingerprint === fingerprint) {
      await other.ended;
      other = underWay.get(key);
    }
    const kept = keeper.get(key);
    const age = kept && clock.now() - kept.at;
    const known = age !== undefined && age >= 0 && age < keptMs ? kept : undefined;
    const taken = other?.fingerprint ?? known?.fingerprint;
    if (taken !== undefined && taken !== fingerprint) {
      exchange.note("idempotency", "conflict");
      refuse(exchange, errors, {
        status: 422,
        message: "This Idempotency-Key was used with another body; use a new key for a new request.",
      });
    } else if (known) {
      exchange.note("idempotency", "replayed");
      answer(exchange, known.status, known.body, { ...known.headers, "idempotent-replayed": "true" });
    } else await first(exchange, key, fingerprint, run);
  };

  return {
    around(exchange, { errors }, run) {
      const given = exchange.header("idempotency-key");
      if (given === undefined || given === "" || !methods.has(exchange.method)) return run();
      if (given.length <= longestKey) return once(exchange, given, errors, run);
      refuse(exchange, errors, {
        status: 400,
        message: `An Idempotency-Key has at most ${longestKey} characters; this one has ${given.length}.`,
      });
      return undefined;
    },
  };
}

export const providerMethods: ReadonlySet<string> = new Set(["POST"]);
export const controlMethods: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH", "DELETE"]);

function scopeOf(exchange: Exchange, key: string): string {
  const [path = ""] = exchange.target.split("?");
  return createHash("sha256")
    .update([credentialOf(exchange), exchange.method, exchange.base + path, key].join("\u0000"))
    .digest("base64url");
}

function fingerprintOf(exchange: Exchange): string {
  const query = exchange.target.indexOf("?");
  return createHash("sha256")
    .update(query < 0 ? "" : exchange.target.slice(query))
    .update("\u0000")
    .update(exchange.body)
    .digest("base64url");
}

function replayOf(answered: Answered | undefined, fingerprint: string, at: Instant): Replay | undefined {
  if (!answered || answered.status >= 500 || passing.has(answered.status)) return undefined;
  const { status, headers, body } = answered;
  if (body instanceof ReadableStream) return undefined;
  return { at, fingerprint, status, headers, body: body === null ? null : Buffer.from(inOnePiece(body)) };
}

/** Kept with the state: reset clears it, a snapshot restores it. The oldest go first when it is full. */
export function tableReplays(store: Store): ReplayKeeper {
  const { db } = store;
  const one = db.prepare("SELECT at, fingerprint, status, headers, body FROM kernel_replays WHERE key = ?");
  const put = db.prepare(
    "INSERT OR REPLACE INTO kernel_replays (key, arrival, at, fingerprint, status, headers, body) VALUES (?, (SELECT coalesce(max(arrival), 0) + 1 FROM kernel_replays), ?, ?, ?, ?, ?)",
  );
  const trim = db.prepare(
    `DELETE FROM kernel_replays WHERE arrival <= (SELECT max(arrival) FROM kernel_replays) - ${mostReplays}`,
  );
  return {
    get(key) {
      const row = one.get(key) as (Omit<Replay, "headers"> & { headers: string }) | undefined;
      return row && { ...row, headers: JSON.parse(row.headers) as Replay["headers"] };
    },
    put(key, { at, fingerprint, status, headers, body }) {
      store.write(() => {
        put.run(key, at, fingerprint, status, JSON.stringify(headers), body);
        trim.run();
      });
    },
  };
}

/** For the suite, which has no store of its own. */
export function memoryReplays(): ReplayKeeper & { clear(): void } {
  const kept = new Map<string, Replay>();
  return {
    get: (key) => kept.get(key),
    put(key, replay) {
      const oldest = kept.size >= mostReplays ? kept.keys().next().value : undefined;
      if (oldest !== undefined) kept.delete(oldest);
      kept.set(key, replay);
    },
    clear: () => kept.clear(),
  };
}
