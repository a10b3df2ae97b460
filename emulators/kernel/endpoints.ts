/** Receivers that were registered by the control API, and which events they want. */
import type { Instant } from "./clock.ts";
import type { EndpointInput } from "./endpoint-input.ts";
import type { Ids } from "./ids.ts";
import type { Database } from "./state.ts";

/** Seconds to wait before each further try. Standard Webhooks' example schedule, and a short one for tests. */
export const schedules = {
  standard: [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400],
  short: [1, 5, 25],
} as const satisfies Record<string, readonly number[]>;

export interface Endpoint extends Omit<EndpointInput, "secret"> {
  readonly id: string;
  readonly secret: string;
  /** Still signs beside `secret` until then (virtual time). */
  readonly previous?: { readonly secret: string; readonly until: Instant };
  readonly enabled: boolean;
  readonly disabledReason?: string;
  readonly createdAt: Instant;
}

export interface Endpoints {
  add(input: EndpointInput, now: Instant): Endpoint;
  replace(endpoint: Endpoint): void;
  remove(id: string): boolean;
  get(id: string): Endpoint | undefined;
  list(): readonly Endpoint[];
  wanting(type: string): readonly Endpoint[];
  load(): void;
}

export function createEndpoints(db: Database, ids: Ids): Endpoints {
  const put = db.prepare(
    "INSERT INTO kernel_endpoints (id, arrival, body) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body",
  );
  const drop = db.prepare("DELETE FROM kernel_endpoints WHERE id = ?");
  const all = db.prepare("SELECT body FROM kernel_endpoints ORDER BY arrival").pluck();
  let known = new Map<string, Endpoint>();
  const endpoints: Endpoints = {
    add({ secret, ...input }, now) {
      const id = `ep_${ids.derive("webhook.endpoint", [input.url, input.events.join(",")]).hex(24)}`;
      const derived = `whsec_${ids.fixed("webhook.secret", [id]).bytes().toString("base64")}`;
      const endpoint: Endpoint = { ...input, id, secret: secret ?? derived, enabled: true, createdAt: now };
      put.run(id, known.size, JSON.stringify(endpoint));
      known.set(id, endpoint);
      return endpoint;
    },
    replace(endpoint) {
      put.run(endpoint.id, known.size, JSON.stringify(endpoint));
      known.set(endpoint.id, endpoint);
    },
    remove(id) {
      drop.run(id);
      return known.delete(id);
    },
    get: (id) => known.get(id),
    list: () => [...known.values()],
    wanting: (type) =>
      known.size === 0
        ? []
        : [...known.values()].filter(
            (endpoint) => endpoint.enabled && endpoint.events.some((pattern) => covers(pattern, type)),
          ),
    load() {
      known = new Map(
        (all.all() as string[]).map((body) => JSON.parse(body) as Endpoint).map((endpoint) => [endpoint.id, endpoint]),
      );
    },
  };
  endpoints.load();
  return endpoints;
}

function covers(pattern: string, type: string): boolean {
  if (pattern === "*" || pattern === type) return true;
  return pattern.endsWith(".*") && type.startsWith(pattern.slice(0, -1));
}
