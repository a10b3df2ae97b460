/**
 * A ceiling on the requests of one account that are under way at once, as providers have that count no windows. A request is
 * under way from when its headers are read until its writes are committed, so a planned delay keeps it there.
 */
import { accountOf } from "./credential.ts";
import type { Exchange } from "./exchange.ts";
import type { Gate, Routed, Work } from "./gate.ts";
import { throttle } from "./refusals.ts";

export interface Ceiling {
  /** Undefined lifts it. */
  set(most: number | undefined): void;
  readonly around: NonNullable<Gate["around"]>;
}

const retryAfterSeconds = 1;

export function createCeiling(committed: () => Work): Ceiling {
  let most: number | undefined;
  const underWay = new Map<string, number>();
  const counted = async (ceiling: number, exchange: Exchange, { errors }: Routed, run: () => Work) => {
    const account = accountOf(exchange);
    const now = (underWay.get(account) ?? 0) + 1;
    exchange.concurrent = now;
    if (now > ceiling) {
      exchange.note("throttled", { account, limit: `${ceiling} at once` });
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
  };
  return {
    set(ceiling) {
      most = ceiling;
    },
    around: (exchange, routed, run) => (most === undefined ? run() : counted(most, exchange, routed, run)),
  };
}
