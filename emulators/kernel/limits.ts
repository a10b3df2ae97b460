/**
 * Rate limits per account on the virtual clock: fixed windows that begin with an account's first request, so that
 * Retry-After is exact and a frozen clock refuses until it is advanced. What a test sets (`PUT /_backlot/limits`) is
 * state: a reset goes back to BACKLOT_RATE_LIMIT. Windows under way are forgotten by a reset, a restore and a restart.
 */
import type { Clock, Instant } from "./clock.ts";
import { createCeiling } from "./concurrency.ts";
import { accountOf } from "./credential.ts";
import type { Gate } from "./gate.ts";
import type { LimitsInput } from "./limits-input.ts";
import { parseRateLimit, type RateLimit } from "./rate-limit.ts";
import { throttle } from "./refusals.ts";
import type { Store } from "./state.ts";

export interface Limits {
  readonly gate: Gate;
  describe(): Record<string, unknown>;
  set(input: LimitsInput): void;
  /** Back to the setting, with fresh windows. */
  clear(): void;
  /** Reads what is set again, after a reset or restore. */
  load(): void;
}

interface Window {
  start: Instant;
  used: number;
}

/** Accounts whose windows are kept; past it the oldest are forgotten, which lets them through, never refuses more. */
const mostAccounts = 10_000;

export function createLimits(options: {
  readonly store: Store;
  readonly clock: Clock;
  readonly configured: readonly RateLimit[];
  /** FEATURE_RATE_LIMIT. */
  readonly enabled: boolean;
}): Limits {
  const { store, clock, configured, enabled } = options;
  const { db } = store;
  const put = db.prepare("INSERT OR REPLACE INTO kernel_limits (name, value) VALUES ('limits', ?)");
  const drop = db.prepare("DELETE FROM kernel_limits");
  const stored = db.prepare("SELECT value FROM kernel_limits WHERE name = 'limits'").pluck();
  let given: LimitsInput | undefined;
  let common = configured;
  let named = new Map<string, readonly RateLimit[]>();
  let windows = new Map<string, Window[]>();
  const ceiling = createCeiling(() => store.committed());

  const apply = (input: LimitsInput | undefined) => {
    given = input;
    ceiling.set(enabled ? input?.concurrency : undefined);
    common = input?.limit === undefined ? configured : (parseRateLimit(input.limit) ?? []);
    named = new Map(
      Object.entries(input?.accounts ?? {}).map(([account, text]) => [account, parseRateLimit(text) ?? []]),
    );
    windows = new Map();
  };

  /** Takes one request from every window of the account, or says which one is full and how long it stays so. */
  const take = (account: string, limits: readonly RateLimit[]): { limit: RateLimit; waitMs: number } | undefined => {
    const now = clock.now();
    let kept = windows.get(account);
    if (!kept) {
      kept = limits.map(() => ({ start: now, used: 0 }));
      const oldest = windows.size >= mostAccounts ? windows.keys().next().value : undefined;
      if (oldest !== undefined) windows.delete(oldest);
      windows.set(account, kept);
    }
    let full: { limit: RateLimit; waitMs: number } | undefined;
    for (const [index, limit] of limits.entries()) {
      const window = kept[index];
      if (!window) continue;
      // A clock that was set back leaves windows in the future behind: those begin anew as well.
      if (now >= window.start + limit.windowMs || now < window.start) Object.assign(window, { start: now, used: 0 });
      const waitMs = window.start + limit.windowMs - now;
      if (window.used >= limit.count && waitMs > (full?.waitMs ?? 0)) full = { limit, waitMs };
    }
    if (!full) for (const window of kept) window.used += 1;
    return full;
  };

  const limits: Limits = {
    gate: {
      before(exchange, errors) {
        if (!enabled || (common.length === 0 && named.size === 0)) return undefined;
        const account = accountOf(exchange);
        const own = named.get(account) ?? common;
        const full = own.length === 0 ? undefined : take(account, own);
        if (!full) return undefined;
        exchange.note("throttled", { account, limit: full.limit.text });
        return throttle(exchange, errors, Math.max(1, Math.ceil(full.waitMs / 1_000)));
      },
      around: ceiling.around,
    },
    describe: () => ({
      enabled,
      limit: common.map(({ text }) => text).join(";"),
      accounts: given?.accounts ?? {},
      ...(given?.concurrency === undefined ? {} : { concurrency: given.concurrency }),
      configured: configured.map(({ text }) => text).join(";"),
    }),
    set(input) {
      store.write(() => put.run(JSON.stringify(input)));
      apply(input);
    },
    clear() {
      store.write(() => drop.run());
      apply(undefined);
    },
    load() {
      const text = stored.get() as string | undefined;
      apply(text === undefined ? undefined : (JSON.parse(text) as LimitsInput));
    },
  };
  limits.load();
  return limits;
}
