/** What may stand between a request and its route: planned faults, rate limits, idempotent replays, ETags. */
import type { ProviderErrors, RequestFacts } from "./emulator.ts";
import type { Exchange } from "./exchange.ts";

/** Nothing, unless it has to wait: most requests go from their first byte to their answer without a promise. */
export type Work = void | Promise<void>;

/** Stands before the routes: planned faults, rate limits, idempotent replays. */
export interface Gate {
  /** Before the body is read: may answer instead of the route. */
  before?(exchange: Exchange, errors: ProviderErrors): Response | undefined | Promise<Response | undefined>;
  /** With the body there: may answer instead of `run`, run it more than once, or change what it answered. */
  around?(exchange: Exchange, routed: Routed, run: () => Work): Work;
}

/** Where a request is about to go. */
export interface Routed {
  readonly errors: ProviderErrors;
  /** Its operation as the route, the capabilities and the site call it: `GET /notes/{id}`, `RunInstances`. */
  facts(): RequestFacts;
}

/** Runs `run` inside every gate from `from` on; the first is the outermost. */
export function through(gates: readonly Gate[], exchange: Exchange, routed: Routed, run: () => Work, from = 0): Work {
  for (let index = from; index < gates.length; index += 1) {
    const gate = gates[index];
    if (gate?.around) return gate.around(exchange, routed, () => through(gates, exchange, routed, run, index + 1));
  }
  return run();
}
