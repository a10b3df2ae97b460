/**
 * A ceiling on the requests of one account that are under way at once, as providers have that count no windows. A request is
 * under way from when its headers are read until its writes are committed, so a planned delay keeps it there.
 */
import { accountOf } from "./credential.ts";
import type { Gate } from "./gate.ts";
import { throttle } from "./refusals.ts";

export interface Ceiling {
  /** Undefined lifts it. */
  set(most: number | undefined): void;
  readonly around: NonNullable<Gate["around"]>;
}

const retryAfterSeconds = 1;

export function createCeiling(committed: () => Promise<void> | void): Ceiling {
  let most: number | undefined;
  const underWay = new Map<string, number>();
  return {
    set(ceiling) {
      most = ceiling;
    },
    async around(exchange, { errors }, run) {
      if (most === undefined) return run();
      const account = accountOf(exchange);
      const now = (underWay.get(account) ?? 0) + 1;
      exchange.concurrent = now;
      if (now > most) {
        exchange.note("throttled", { account, limit: `${most} at once` });
        throttle(exchange, errors, retryAfterSeconds);
        return;
      }
      underWay.set(account, now);
      try {
        await run();
        await committed();
      } finally {
        const left = (underWay.get(account) ?? 1) - 1;
        if (left > 0) underWay.set(account, left);
        else underWay.delete(account);
      }
    },
  };
}
