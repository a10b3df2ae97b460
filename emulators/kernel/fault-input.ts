/** The form of a planned fault, as the control API takes it. */
import * as z from "zod";
import { compilePattern } from "./faults-match.ts";

/** Exact text, a glob (`*`: any run; in a path without `/`, `**` with), or `/regex/` with the flag `i`. */
const Pattern = z
  .string()
  .min(1)
  .max(1_000)
  .refine((text) => compiles(text), "text, a glob with *, or a valid /regular expression/");
const Count = z.int().min(1);
const Instants = z.iso.datetime({ offset: true });

export const FaultMatch = z.strictObject({
  /** Step of a listener's dialogue, as its emulator names it. Default: `request`, an HTTP request. */
  stage: z.string().min(1).optional(),
  /** The provider's operation: `RequestSpotInstances`, `GET /notes/{id}`. */
  operation: Pattern.optional(),
  method: z
    .string()
    .regex(/^[A-Za-z]+$/)
    .optional(),
  /** Path without query, with or without the prefix under which the site was reached. */
  path: Pattern.optional(),
  header: z.record(z.string().min(1), Pattern).optional(),
  /** Field of a form, or a top-level field of JSON. */
  body: z.record(z.string().min(1), Pattern).optional(),
  /** Id of the resource: by default any segment of the path. */
  resource: Pattern.optional(),
  /** What else the emulator tells about the moment; numbers can be compared: `>1000`. */
  facts: z.record(z.string().min(1), Pattern).optional(),
  /** Only the n-th match. */
  call: Count.optional(),
  /** Only each k-th match. */
  every: Count.optional(),
  /** Only the matches from the first number to the second. */
  calls: z
    .tuple([Count, Count])
    .refine(([from, to]) => from <= to, "the first number is the smaller")
    .optional(),
  /**
   * Counts all matches of the rule, or those of each content on its own: equal requests, the same mail. Only the latter
   * meets the same requests in any order; a rule's third match is whoever comes third.
   */
  per: z.enum(["rule", "content"]).default("rule"),
  /** Virtual instants, `from` included, `to` not. */
  window: z.strictObject({ from: Instants.optional(), to: Instants.optional() }).optional(),
});

const longestDelayMs = 86_400_000;

export const FaultAction = z
  .strictObject({
    /** The provider's own error with this status; SMTP: the reply code. */
    status: z.int().min(200).max(599).optional(),
    code: z.union([z.string(), z.int()]).optional(),
    message: z.string().optional(),
    /** Waits before anything else; alone or with one of the others. */
    delayMs: z.int().min(0).max(longestDelayMs).optional(),
    /** Which time the delay counts in. A frozen clock has to be advanced for it to end. Default: `clock`. */
    on: z.enum(["clock", "real"]).optional(),
    /** The connection breaks: before anything was done, or (`after`) with the answer lost. */
    reset: z.union([z.literal(true), z.literal("after")]).optional(),
    /** The connection breaks after this many bytes of the body. */
    truncate: z.int().min(0).optional(),
    /** Headers, then silence until the client gives up, at most a minute of real time. */
    stall: z.literal(true).optional(),
    /** Runs the request this often; the client sees the first answer. */
    duplicate: z.int().min(2).max(10).optional(),
    throttle: z.strictObject({ retryAfterSeconds: z.int().min(0).max(86_400) }).optional(),
    /** Something only the emulator's listener can do, by its own name for it. */
    effect: z.string().min(1).optional(),
    with: z.record(z.string(), z.unknown()).optional(),
  })
  .superRefine((action, context) => {
    const say = (message: string) => context.addIssue({ code: "custom", message });
    const kinds = (["status", "reset", "truncate", "stall", "duplicate", "throttle", "effect"] as const).filter(
      (kind) => action[kind] !== undefined,
    );
    if (kinds.length > 1) say(`one of ${kinds.join(", ")}: an action does one thing`);
    if (kinds.length === 0 && action.delayMs === undefined)
      say("one of status, delayMs, reset, truncate, stall, duplicate, throttle, effect");
    if (action.status === undefined && (action.code !== undefined || action.message !== undefined))
      say("code and message go with status");
    if (action.on !== undefined && action.delayMs === undefined) say("on goes with delayMs");
    if (action.with !== undefined && action.effect === undefined) say("with goes with effect");
  });

export const FaultInput = z
  .strictObject({
    id: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, "up to 64 letters, digits, dots, dashes and underscores")
      .optional(),
    /** Name of the emulator it is for; the suite plans it for all when absent. */
    emulator: z.string().optional(),
    match: FaultMatch.prefault({}),
    action: FaultAction,
    /** Spent after it fired this often. */
    times: Count.optional(),
    /** Drawn from the seed, the rule and the content of the request, never at random. */
    probability: z.number().min(0).max(1).optional(),
    note: z.string().max(500).optional(),
  })
  .refine(({ match, action }) => action.effect === undefined || match.stage !== undefined, {
    message: "effect needs match.stage: an HTTP request has no such effect",
    path: ["action", "effect"],
  });
export type FaultInput = z.output<typeof FaultInput>;

function compiles(text: string): boolean {
  try {
    compilePattern(text);
    return true;
  } catch {
    return false; // the schema says what is allowed
  }
}
