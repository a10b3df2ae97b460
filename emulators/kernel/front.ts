/**
 * What a browser finds at `/` of an emulator's own port. The kernel has no page: whoever starts the emulator may bring one,
 * with what it asks for under `/_backlot/console`.
 */
import type { Hono } from "hono";
import type { KernelEnv } from "./emulator.ts";
import type { Exchange } from "./exchange.ts";
import type { FeedTokens } from "./feed-token.ts";

type Guard = (exchange: Exchange) => Response | undefined;

export interface Front {
  page(exchange: Exchange): Promise<Response>;
  /** Adds what the page asks for to the control API. */
  mount(control: Hono<KernelEnv>): void;
  /** Opens to a short-lived token what a page cannot ask for with a header. */
  guard(guard: Guard, tokens: FeedTokens): Guard;
}

/** Browsers say that they take HTML; SDKs, CLIs and curl do not, and keep what stands at `/` for them. */
export function asksForPage(exchange: Exchange): boolean {
  return (
    (exchange.method === "GET" || exchange.method === "HEAD") &&
    exchange.target === "/" &&
    /\btext\/html\b/.test(exchange.header("accept") ?? "")
  );
}
