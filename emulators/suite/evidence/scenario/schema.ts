/** The form of fixtures/scenarios/*.yaml: a story told in steps, on one frozen clock. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import * as z from "zod";
import { packageRoot } from "../../../kernel/package-root.ts";
import { emulatorNames } from "../../registry.ts";

const Service = z.enum(emulatorNames as [string, ...string[]]);
const Name = z.string().regex(/^[a-z][a-zA-Z0-9-]*$/, "a word such as app or first-message");
/** From the root, or from what a variable holds. */
const Path = z.string().regex(/^(\/|\$\{)/, "a path such as /health, or one that begins with a variable");
const Method = z.enum(["GET", "POST", "PUT", "PATCH", "DELETE"]);
/** Texts are compared exactly, or as `/a regular expression/`; objects by the fields that are named. */
const Expected: z.ZodType<unknown> = z.json();

export const Expect = z.strictObject({
  status: z.int().min(100).max(599).optional(),
  headers: z.record(z.string(), z.string()).optional(),
  json: Expected.optional(),
  /** Text somewhere in the body. */
  contains: z.string().optional(),
});

const Http = z.strictObject({
  service: Service,
  /** `metadata`: the instance metadata service of ec2-spot. */
  surface: z.enum(["api", "metadata"]).default("api"),
  method: Method.default("GET"),
  /** With the product's prefix where a service has several: /verify/v2/Services. */
  path: Path,
  /** Signs in as the seeded user of the service; `none` does not. */
  auth: z.enum(["seeded", "none"]).default("seeded"),
  headers: z.record(z.string(), z.string()).default({}),
  form: z.record(z.string(), z.string()).optional(),
  json: z.json().optional(),
});

const Control = z.strictObject({
  service: z.enum(["suite", ...emulatorNames]).default("suite"),
  method: Method.default("GET"),
  path: Path,
  json: z.json().optional(),
});

const Mail = z.strictObject({
  from: z.string(),
  to: z.array(z.string()).min(1),
  subject: z.string(),
  text: z.string(),
  user: z.strictObject({ name: z.string(), password: z.string() }).optional(),
  /** Reply code of the greeting, of the first recipient or of the message that ends the dialogue. Default 250. */
  code: z.int().min(200).max(599).default(250),
});

/** Somebody writes to one of the application's numbers; the seeded one when none is named. */
const Inbound = z.strictObject({
  from: z.string(),
  to: z.string().optional(),
  body: z.string(),
});

/** A spot instance gets its notice, as the control API of ec2-spot takes it. */
const Interrupt = z.strictObject({
  instance: z.string(),
  noticeSeconds: z.number().min(0).optional(),
  cause: z.enum(["capacity", "price"]).optional(),
});

/** An Azure resource is changed, as its owner would change it: PATCH; with a location it is written anew, PUT. */
const Change = z.strictObject({
  resource: Path,
  location: z.string().optional(),
  properties: z.record(z.string(), z.json()).optional(),
  tags: z.record(z.string(), z.string()).optional(),
});

/** Dead letters of a service go out again; all of them, or those of an endpoint. */
const Replay = z.strictObject({ service: Service, endpoint: z.string().optional() });

const Advance = z.strictObject({
  ms: z.number().min(0).optional(),
  seconds: z.number().min(0).optional(),
  minutes: z.number().min(0).optional(),
  hours: z.number().min(0).optional(),
  days: z.number().min(0).optional(),
});

const Received = z.strictObject({
  receiver: Name,
  /** Requests that came, and how many of them were answered 2xx. */
  calls: z.int().min(0).optional(),
  accepted: z.int().min(0).optional(),
  /** Distinct values among the accepted of this header, or of this field of a form. */
  distinct: z.strictObject({ header: z.string().optional(), field: z.string().optional(), count: z.int() }).optional(),
  /** Values of a form's field in the order of their coming. */
  fields: z.strictObject({ name: z.string(), values: z.array(z.string()) }).optional(),
});

const actions = [
  "http",
  "control",
  "mail",
  "inbound",
  "interrupt",
  "change",
  "replay",
  "advance",
  "fault",
  "receiver",
  "received",
  "mode",
] as const;

export const Step = z
  .strictObject({
    name: z.string().min(1),
    http: Http.optional(),
    control: Control.optional(),
    mail: Mail.optional(),
    inbound: Inbound.optional(),
    interrupt: Interrupt.optional(),
    change: Change.optional(),
    replay: Replay.optional(),
    advance: Advance.optional(),
    /** A planned fault, as POST /_backlot/faults takes it. */
    fault: z.record(z.string(), z.json()).optional(),
    /** What a receiver answers from now on, and the secret without which it refuses. */
    receiver: z
      .strictObject({ name: Name, answer: z.int().min(200).max(599).optional(), secret: z.string().optional() })
      .optional(),
    received: Received.optional(),
    mode: z.enum(["mock", "real"]).optional(),
    expect: Expect.optional(),
    /**
     * Fields of the answer to keep: `{ sid: sid, first: messages.0.sid }`; `${sid}` stands for it later. `/.../` is a
     * regular expression over the body: its first group; `header:etag` a header.
     */
    save: z.record(Name, z.string()).optional(),
    /** Does it so often; `${n}` counts from 1. */
    repeat: z.int().min(1).max(10_000).default(1),
  })
  .refine((step) => actions.filter((action) => step[action] !== undefined).length === 1, {
    message: `a step does one of ${actions.join(", ")}`,
  });
export type Step = z.output<typeof Step>;

/** Steps that may run in any order and at once; what follows waits for all of them. */
const Independent = z.strictObject({ independent: z.array(Step).min(1) });

export const Scenario = z.strictObject({
  name: z.string().regex(/^[a-z0-9-]+$/, "lower-case words with hyphens"),
  title: z.string().min(1),
  about: z.string().default(""),
  only: z.array(Service).default([]),
  seed: z.string().min(1).default("backlot"),
  clock: z.iso.datetime(),
  /** Settings as they would stand in the environment. */
  settings: z.record(z.string().regex(/^(BACKLOT|FEATURE)_[A-Z0-9_]+$/), z.string()).default({}),
  /** Webhook receivers: `${receiver.app}` is the address of `app`. */
  receivers: z.record(Name, z.strictObject({ answer: z.int().min(200).max(599).default(200) })).default({}),
  steps: z.array(z.union([Independent, Step])).min(1),
});
export type Scenario = z.output<typeof Scenario>;

export function readScenario(path: string): Scenario {
  let found: unknown;
  try {
    found = parse(readFileSync(path, "utf8"), { merge: true });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT")
      throw new Error(
        `${path} cannot be read: there is no such file. Backlot's own are in ${join(packageRoot(), "fixtures", "scenarios")}.`,
      );
    throw new Error(`${path} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
  const checked = Scenario.safeParse(found);
  if (checked.success) return checked.data;
  throw new Error(`${path} is no scenario:\n${z.prettifyError({ issues: checked.error.issues.flatMap(meantForm) })}`);
}

/** Of a step that fits neither form, only what the form says that it was meant to have: zod tells of a union nothing else. */
function meantForm(issue: z.core.$ZodIssue): readonly z.core.$ZodIssue[] {
  if (issue.code !== "invalid_union") return [issue];
  const [independent = [], step = []] = issue.errors;
  const isStep = independent.some(({ path, code }) => path[0] === "independent" && code === "invalid_type");
  return (isStep ? step : independent).map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] }));
}
