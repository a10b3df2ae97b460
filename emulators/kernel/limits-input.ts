/** The form of `PUT /_backlot/limits`. */
import * as z from "zod";
import { parseRateLimit, rateLimitForm } from "./rate-limit.ts";

const Limit = z.string().refine((text) => parseRateLimit(text) !== undefined, rateLimitForm);

export const LimitsInput = z.strictObject({
  /** For every account that is not named below. */
  limit: Limit.optional(),
  /** By account: the user of Basic, the access key of SigV4, an address. An empty text lifts the limit for it. */
  accounts: z.record(z.string().min(1), Limit).default({}),
  /** The most requests of one account that may be under way at once. */
  concurrency: z.number().int().min(1).max(10_000).optional(),
});
export type LimitsInput = z.output<typeof LimitsInput>;
