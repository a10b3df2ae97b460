/** The instance metadata service: session tokens, and the tree, which is empty as long as no instance runs. */
import { Hono } from "hono";
import type { KernelEnv, ProviderErrors, Runtime } from "../../kernel/emulator.ts";
import { answer, type Exchange } from "../../kernel/exchange.ts";
import { plainRefusal } from "../real.ts";
import { createSeals, type Seals } from "../seals.ts";
import type { SpotStore } from "../store.ts";

const purpose = "metadata";
const ttlHeader = "x-aws-ec2-metadata-token-ttl-seconds";

export function metadataRoutes(runtime: Runtime<SpotStore>): Hono<KernelEnv> {
  const app = new Hono<KernelEnv>();
  const seals = createSeals(runtime.ids);
  app.put("/latest/api/token", (c) => giveToken(runtime, seals, c.env.exchange));
  for (const path of [
    "/",
    "/latest",
    "/latest/",
    "/latest/meta-data",
    "/latest/meta-data/*",
    "/latest/dynamic/*",
    "/latest/user-data",
  ])
    app.get(path, (c) => readTree(runtime, seals, c.env.exchange));
  return app;
}

function giveToken(runtime: Runtime<SpotStore>, seals: Seals, exchange: Exchange): Response {
  exchange.note("operation", "imds:token");
  // The service refuses what came through a proxy.
  if (exchange.header("x-forwarded-for") !== undefined) return page(exchange, 403, "Forbidden");
  const ttl = exchange.header(ttlHeader) ?? "";
  const seconds = Number(ttl);
  if (!/^\d{1,5}$/.test(ttl) || seconds < 1 || seconds > 21_600) return page(exchange, 400, "Bad Request");
  const token = seals.seal(purpose, String(runtime.clock.wall() + seconds * 1000));
  return answer(exchange, 200, token, { "content-type": "text/plain", [ttlHeader]: ttl, server: "EC2ws" });
}

function readTree(runtime: Runtime<SpotStore>, seals: Seals, exchange: Exchange): Response {
  exchange.note("operation", "imds:get");
  const token = exchange.header("x-aws-ec2-metadata-token");
  if (token !== undefined && !(Number(seals.open(purpose, token) ?? 0) > runtime.clock.wall()))
    return page(exchange, 401, "Unauthorized");
  return page(exchange, 404, "Not Found");
}

/** Clients look at the status only. */
function page(exchange: Exchange, status: number, title: string, headers?: Readonly<Record<string, string>>): Response {
  const body = `<?xml version="1.0" encoding="iso-8859-1"?>
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="en" lang="en">
 <head><title>${status} - ${title}</title></head>
 <body><h1>${status} - ${title}</h1></body>
</html>
`;
  return answer(exchange, status, body, { "content-type": "text/html", server: "EC2ws", ...headers });
}

export const metadataErrors: ProviderErrors = {
  notFound: (exchange) => page(exchange, 404, "Not Found"),
  methodNotAllowed: (exchange, allowed) => page(exchange, 405, "Method Not Allowed", { allow: allowed.join(", ") }),
  tooLarge: (exchange) => page(exchange, 413, "Payload Too Large", { connection: "close" }),
  throttled: (exchange, seconds) => page(exchange, 429, "Too Many Requests", { "retry-after": String(seconds) }),
  unavailable: (exchange, refusal) =>
    answer(exchange, 503, plainRefusal(refusal), { "content-type": "text/plain; charset=utf-8", server: "EC2ws" }),
  unexpected: (exchange, incident) => page(exchange, 500, `Internal Server Error (incident ${incident})`),
  thrown: () => undefined,
};
