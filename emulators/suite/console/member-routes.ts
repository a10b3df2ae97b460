/**
 * `/_backlot/members/<name>/...`: one member's control API through the suite's, because a page may not call another port.
 * Only what is listed here passes, with the same token as the rest of the control API; a provider's own routes never do.
 */
import type { Hono } from "hono";
import type { KernelEnv } from "../../kernel/emulator.ts";
import { answer } from "../../kernel/exchange.ts";
import { ControlError } from "../../kernel/plain-errors.ts";
import type { Member } from "../member.ts";

const id = "[\\w.~:@%+=-]+";
const reads = [
  "health|mode|clock|timers|journal|digest|capabilities|limits|faults|snapshots",
  `webhooks/endpoints(/${id})?|webhooks/deliveries(/${id}(/signatures)?)?|dead-letters(/export)?`,
];
const changes: Readonly<Record<string, string>> = {
  POST: `dead-letters/(replay|discard)|webhooks/endpoints(/${id}/probe)?`,
  PATCH: `webhooks/endpoints/${id}`,
  DELETE: `webhooks/endpoints/${id}`,
};

/** Types that a browser shows as text and never runs. */
const shown = /^(application\/json|application\/x-ndjson|text\/plain)\b/;

export function memberRoutes(control: Hono<KernelEnv>, members: readonly Member[]): void {
  control.all("/_backlot/members/:name/:path{.+}", async (c) => {
    const { exchange } = c.env;
    const [, name = "", path = "", query = ""] =
      /^\/_backlot\/members\/([a-z0-9-]+)\/([^?]+)(\?.*)?$/s.exec(exchange.target) ?? [];
    const member = members.find((known) => known.name === name);
    if (!member) throw new ControlError(404, "unknown_emulator", `${name} is not running here.`);
    if (!passes(name, exchange.method, path))
      throw new ControlError(
        403,
        "not_passed_on",
        `${exchange.method} ${path} of ${name} is not passed on; ask ${name} itself.`,
      );
    const body: unknown = exchange.body.length === 0 ? undefined : JSON.parse(exchange.body.toString("utf8"));
    const response = await member
      .request(exchange.method, `/_backlot/${path}${query}`, body)
      .catch((cause: unknown) => {
        throw new ControlError(
          502,
          "service_failed",
          `${name}: ${cause instanceof Error ? cause.message : String(cause)}`,
        );
      });
    const type = response.headers.get("content-type") ?? "application/octet-stream";
    const bytes = response.status === 204 ? null : new Uint8Array(await response.arrayBuffer());
    return answer(exchange, response.status, bytes, {
      "content-type": type,
      ...(shown.test(type) ? {} : { "content-type": "application/octet-stream", "content-disposition": "attachment" }),
    });
  });
}

/** Whether a path below `/_backlot/` of a member is one of those above, or its own: `smtp/messages/...`. */
export function passes(member: string, method: string, path: string): boolean {
  if (/(^|\/)\.{1,2}(\/|$)|%2e|%2f|%5c|\\|\/\//i.test(path)) return false;
  const own = new RegExp(`^${member}(/${id})+$`);
  if (method === "GET") return own.test(path) || reads.some((pattern) => new RegExp(`^(${pattern})$`).test(path));
  const pattern = changes[method];
  if (pattern !== undefined && new RegExp(`^(${pattern})$`).test(path)) return true;
  // Azure makes what it is asked for by PUT; elsewhere a member's settings are not changed through here.
  if (method === "PUT") return member === "azure-policyinsights" && own.test(path);
  return (method === "POST" || method === "DELETE") && own.test(path);
}
