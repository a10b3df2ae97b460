/** What a receiver is registered with. */
import * as z from "zod";
import { isStandardSecret } from "./signatures.ts";

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
export type EndpointInput = z.output<typeof EndpointInput>;
