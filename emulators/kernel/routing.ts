/**
 * An exchange's way through a Hono app. Of a web Request the router reads only the method and the address; a real one costs
 * 6 us each time, and the first 50 ms of a start, because it loads undici.
 */
import type { Hono } from "hono";
import type { KernelEnv } from "./emulator.ts";
import type { Exchange } from "./exchange.ts";

/** What fetch forbids, and none of the emulated providers has. */
const unroutable = new Set(["CONNECT", "TRACE", "TRACK"]);

/**
 * Runs the handlers of what `exchange` asks for; a promise when one of them waits for something. False for what no web
 * request can be: nothing has run then.
 */
export function passThrough(app: Hono<KernelEnv>, exchange: Exchange): boolean | Promise<boolean> {
  const url = unroutable.has(exchange.method) ? undefined : routedUrl(exchange);
  if (url === undefined) return false;
  const handled = app.fetch({ url, method: exchange.method } as Request, { exchange });
  return handled instanceof Promise ? handled.then(() => true) : true;
}

/** The path that the app routes by. Azure's is lower-cased. */
export function routedPath(app: Hono<KernelEnv>, exchange: Exchange): string | undefined {
  const url = routedUrl(exchange);
  return url === undefined ? undefined : app.getPath({ url } as Request);
}

/** Nothing in it that a web Request would write in another way, and no dot segment to resolve. */
const plain = /^(?:\/(?!\.)[\w\-.~!$&()*+,;=:@]*)+(?:\?[\w\-.~!$&()*+,;=:@/?]*)?$/;

/** Without dot segments, as a web Request would have it. Parsing costs 2 us, and hardly any target needs it. */
function routedUrl({ origin, target }: Exchange): string | undefined {
  return plain.test(target) ? origin + target : URL.parse(origin + target)?.href;
}
