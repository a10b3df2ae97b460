/**
 * The instance metadata service: session tokens, and the tree of the instance that asks. Locally there is no link-local
 * address that tells which one: a port of its own, the header X-Backlot-Instance, a path that starts with the instance id,
 * or, on the common port, the newest instance that runs.
 */
import { Hono } from "hono";
import { isoSeconds } from "../../kernel/clock.ts";
import type { KernelEnv, ProviderErrors, Runtime } from "../../kernel/emulator.ts";
import { answer, type Exchange } from "../../kernel/exchange.ts";
import { faultMessage } from "../../kernel/refusals.ts";
import { identityDocument, lookUp, metadataTree, type Self } from "../domain/metadata.ts";
import { regionNamed, zoneNames } from "../domain/regions.ts";
import type { Instance } from "../domain/resources.ts";
import { plainRefusal } from "../real.ts";
import { createSeals, type Seals } from "../seals.ts";
import { openRoleSession } from "../sessions.ts";
import type { SpotStore } from "../store.ts";

const purpose = "metadata";
const ttlHeader = "x-aws-ec2-metadata-token-ttl-seconds";

export function metadataRoutes(runtime: Runtime<SpotStore>): Hono<KernelEnv> {
  const app = new Hono<KernelEnv>();
  const seals = createSeals(runtime.ids);
  for (const prefix of ["", "/:instance{i-[0-9a-f]+}"]) {
    app.put(`${prefix}/latest/api/token`, (c) => giveToken(runtime, seals, c.env.exchange));
    for (const path of [
      "/",
      "/latest",
      "/latest/",
      "/latest/meta-data",
      "/latest/meta-data/*",
      "/latest/dynamic",
      "/latest/dynamic/*",
      "/latest/user-data",
    ])
      app.get(prefix + path, (c) => readTree(runtime, seals, c.env.exchange));
  }
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
  const [path = ""] = exchange.target.split("?");
  const named = /^\/(i-[0-9a-f]+)(?=\/|$)/.exec(path)?.[1];
  const instance = asking(runtime, exchange, named);
  if (!instance || instance.state === "terminated") return page(exchange, 404, "Not Found");
  exchange.note("resource", instance.id);
  if (token === undefined && instance.plan.tokensRequired) return page(exchange, 401, "Unauthorized");
  const text = valueAt(runtime, seals, instance, path.slice(named === undefined ? 0 : named.length + 1));
  return text === undefined
    ? page(exchange, 404, "Not Found")
    : answer(exchange, 200, text, { "content-type": "text/plain", server: "EC2ws", "accept-ranges": "none" });
}

function asking(runtime: Runtime<SpotStore>, exchange: Exchange, named: string | undefined): Instance | undefined {
  const { resources, metadataPorts } = runtime.state;
  const id = named ?? exchange.header("x-backlot-instance");
  if (id !== undefined) return resources.instance.get(id);
  const port = Number(/:(\d+)$/.exec(exchange.host)?.[1] ?? 0);
  const own = metadataPorts.instanceAt(port);
  if (own !== undefined) return resources.instance.get(own);
  return resources.instance
    .everywhere()
    .filter(({ state }) => state === "running" || state === "pending" || state === "shutting-down")
    .at(-1);
}

function valueAt(runtime: Runtime<SpotStore>, seals: Seals, instance: Instance, path: string): string | undefined {
  const steps = path.split("/").filter((step) => step !== "");
  if (steps.length === 0) return "latest";
  const [latest, kind, ...rest] = steps;
  if (latest !== "latest") return undefined;
  if (kind === undefined)
    return instance.plan.userData === undefined ? "dynamic\nmeta-data" : "dynamic\nmeta-data\nuser-data";
  if (kind === "user-data")
    return instance.plan.userData === undefined || rest.length > 0
      ? undefined
      : Buffer.from(instance.plan.userData, "base64").toString("utf8");
  const self = selfOf(runtime, seals, instance, rest[0] === "iam");
  if (kind === "dynamic") return lookUp({ "instance-identity": { document: identityDocument(self) } }, rest);
  return lookUp(metadataTree(self), rest);
}

function selfOf(runtime: Runtime<SpotStore>, seals: Seals, instance: Instance, withRole: boolean): Self {
  const region = regionNamed(instance.region);
  const account = runtime.state.account(instance.account);
  const place = region?.zones.findIndex(({ id }) => id === instance.zone) ?? -1;
  const zoneName = (region && account && zoneNames(region, account)[place]) ?? "";
  return { instance, zoneName, ...(withRole ? { credentials: credentialsOf(runtime, seals, instance) } : {}) };
}

const sessionSeconds = 6 * 3600;

/** A profile carries the role of its name, when the account has one. */
function credentialsOf(runtime: Runtime<SpotStore>, seals: Seals, instance: Instance): Self["credentials"] {
  const name = instance.plan.profile?.split("/").at(-1);
  const role = name === undefined ? undefined : runtime.state.role(`arn:aws:iam::${instance.account}:role/${name}`);
  if (!role) return undefined;
  // The wall clock: SDKs compare it with their own. The same session for an hour, so that polling makes no new keys.
  const hour = Math.floor(runtime.clock.wall() / 3_600_000) * 3_600_000;
  const derived = runtime.ids.fixed("ec2.instance-session", [instance.id, role.arn, hour]);
  const session = openRoleSession(seals, {
    role,
    name: instance.id,
    derived: derived.bytes(),
    expires: hour + sessionSeconds * 1000,
  });
  const json = JSON.stringify(
    {
      Code: "Success",
      LastUpdated: isoSeconds(hour),
      Type: "AWS-HMAC",
      AccessKeyId: session.accessKeyId,
      SecretAccessKey: session.secretAccessKey,
      Token: session.token,
      Expiration: isoSeconds(session.expires),
    },
    null,
    2,
  );
  return { role: role.name, json };
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
  fault: (exchange, { status, message }) => page(exchange, status, message ?? faultMessage(status)),
  thrown: () => undefined,
};
