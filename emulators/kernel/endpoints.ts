/** Receivers that were registered by the control API, and which events they want. */
import * as z from "zod";
import type { Instant } from "./clock.ts";
import type { Ids } from "./ids.ts";
import { isStandardSecret } from "./signatures.ts";
import type { Database } from "./state.ts";

/** Seconds to wait before each further try. Standard Webhooks' example schedule, and a short one for tests. */
export const schedules = {
  standard: [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400],
  short: [1, 5, 25],
} as const satisfies Record<string, readonly number[]>;

export const EndpointInput = z.strictObject({
  url: z.url({ protocol: /^https?$/ }),
  /** `message.*`, `email.delivered`, `*`. */
  events: z
    .array(
      z.string().regex(/^(\*|[a-zA-Z0-9_]+(\.[a-zA-Z0-9_]+)*(\.\*)?)$/, "a type such as message.sent, message.* or *"),
    )
    .min(1)
    .default(["*"]),
  secret: z.string().refine(isStandardSecret, "whsec_ and the base64 of 24 to 64 bytes").optional(),
  /** `standard`, `hex-sha256`, `stripe`, or the name of one of the emulator's own schemes. */
  schemes: z.array(z.string()).min(1).default(["standard"]),
  /**
   * `event` wraps what happened as Standard Webhooks do: `{type, timestamp, data}`; `data` sends it alone, as receivers of
   * EventBridge or of a provider's own event format expect it.
   */
  payload: z.enum(["event", "data"]).default("event"),
  schedule: z.union([z.enum(["standard", "short"]), z.array(z.number().min(0)).max(20)]).default("standard"),
  /** `resource` keeps the order of events about one resource; `shuffled` breaks it, reproducibly, to test receivers. */
  ordering: z.enum(["resource", "shuffled"]).default("resource"),
  /** How often each event is delivered on purpose; receivers must refuse the second. */
  copies: z.int().min(1).max(5).default(1),
  /** Whether 4xx answers other than 408, 410, 425 and 429 are tried again. */
  retry4xx: z.boolean().default(true),
  /** Most deliveries under way at once. */
  inFlight: z.int().min(1).max(64).default(4),
  timeoutMs: z.int().min(100).max(60_000).default(15_000),
  /** Clock that dates the signature: receivers check the machine's; evidence and replay want the virtual one. */
  signingTime: z.enum(["wall", "virtual"]).default("wall"),
});

export interface Endpoint extends Omit<z.output<typeof EndpointInput>, "secret"> {
  readonly id: string;
  readonly secret: string;
  /** Still signs beside `secret` until then (virtual time). */
  readonly previous?: { readonly secret: string; readonly until: Instant };
  readonly enabled: boolean;
  readonly disabledReason?: string;
  readonly createdAt: Instant;
}

export interface Endpoints {
  add(input: z.output<typeof EndpointInput>, now: Instant): Endpoint;
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
