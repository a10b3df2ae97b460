/**
 * An exchange's way through a Hono app. Of a web Request the router reads only the method and the address; a real one costs
 * 6 us each time, and the first 50 ms of a start, because it loads undici.
 */
import type { Hono } from "hono";
import type { KernelEnv } from "./emulator.ts";
import type { Exchange } from "./exchange.ts";

/** What fetch forbids, and none of the emulated providers has. */
const unroutable = new Set(["CONNECT", "TRACE", "TRACK"]);

/** Runs the handlers of what `exchange` asks for. False for what no web request can be: nothing has run then. */
export async function passThrough(app: Hono<KernelEnv>, exchange: Exchange): Promise<boolean> {
  const url = unroutable.has(exchange.method) ? undefined : routedUrl(exchange);
  if (url === undefined) return false;
  await app.fetch({ url, method: exchange.method } as Request, { exchange });
  return true;
}

/** The path that the app routes by. Azure's is lower-cased. */
export function routedPath(app: Hono<KernelEnv>, exchange: Exchange): string | undefined {
  const url = routedUrl(exchange);
  return url === undefined ? undefined : app.getPath({ url } as Request);
}

/** Without dot segments, as a web Request would have it. */
function routedUrl({ origin, target }: Exchange): string | undefined {
  return URL.parse(origin + target)?.href;
}
