/**
 * Every setting once: environment variable, form, default, help. The README's table, `.env.example` and the start-up
 * check all come from here.
 */
import * as z from "zod";
import { parseClock } from "./clock.ts";
import { parseRateLimit, rateLimitForm } from "./rate-limit.ts";

const port = z
  .string()
  .trim()
  .regex(/^\d{0,5}$/, "a port from 0 to 65535, 0 for a free one, empty to switch it off")
  .transform((text) => (text === "" ? undefined : Number(text)))
  .refine((number) => number === undefined || number <= 65535, "a port from 0 to 65535");
const words = z.string().transform((text) =>
  text
    .split(",")
    .map((word) => word.trim())
    .filter((word) => word !== ""),
);
const text = z.string().trim();
const optionalText = text.transform((value) => (value === "" ? undefined : value));
const bytes = z
  .string()
  .trim()
  .regex(/^\d+\s*(b|kib|mib|gib)?$/i, "a size such as 1048576, 512KiB or 64MiB")
  .transform((value) => {
    const [, digits = "0", unit = "b"] = /^(\d+)\s*([a-z]*)$/i.exec(value) ?? [];
    const factor = { b: 1, "": 1, kib: 2 ** 10, mib: 2 ** 20, gib: 2 ** 30 }[unit.toLowerCase()] ?? 1;
    return Number(digits) * factor;
  });
const flag = z
  .string()
  .trim()
  .toLowerCase()
  .refine((value) => ["true", "false", "1", "0", "yes", "no", "on", "off", ""].includes(value), "true or false")
  .transform((value) => ["true", "1", "yes", "on"].includes(value));

/** A name, `*`, `*.name`, an address or a range, with a port or without; what a range holds is checked by its reader. */
const egressForm = /^(\*|(\*\.)?[\w.-]+|\[[\da-f:.]+\]|[\da-f:.]*:[\da-f:.]*:[\da-f:.]*)(\/\d{1,3})?(:\d{1,5})?$/i;

interface Definition<T extends z.ZodType = z.ZodType> {
  readonly env: string;
  readonly schema: T;
  /** As it would stand in the environment. */
  readonly default: string;
  readonly help: string;
  readonly group: string;
}

function define<const Definitions extends Record<string, Definition>>(definitions: Definitions): Definitions {
  return definitions;
}

export const definitions = define({
  environment: {
    env: "BACKLOT_ENV",
    schema: z.enum(["development", "testing", "production"]),
    default: "development",
    help: "Which `.env.<name>` file is read after the environment and before `.env`",
    group: "General",
  },
  mode: {
    env: "BACKLOT_MODE",
    schema: z.enum(["mock", "real"]),
    default: "mock",
    help: "`real` makes every provider operation answer 503 with what the real service needs; so do USE_REAL_DATA=true and APP_MODE=production, real or live",
    group: "General",
  },
  seed: {
    env: "BACKLOT_SEED",
    schema: text.min(1, "at least one character"),
    default: "backlot",
    help: "Text from which every id, credential, price and compliance state is derived",
    group: "General",
  },
  clock: {
    env: "BACKLOT_CLOCK",
    schema: text.refine(
      (value) => parseClock(value) !== undefined,
      "real, ticking, ticking@<ISO instant>, frozen or frozen@<ISO instant>, e.g. frozen@2025-01-15T12:00:00Z",
    ),
    default: "real",
    help: "Virtual time: `real`, `ticking@<ISO instant>` or `frozen@<ISO instant>` (moves only when told)",
    group: "General",
  },
  pace: {
    env: "BACKLOT_PACE",
    schema: z.coerce.number("a number, 0 or more").min(0, "0 or more"),
    default: "0.1",
    help: "Scales life-cycle delays: 1 is realistic, 0 is at once and in order",
    group: "General",
  },
  only: {
    env: "BACKLOT_ONLY",
    schema: words,
    default: "",
    help: "Start only these emulators, comma-separated: twilio, azure-policyinsights, ec2-spot, smtp",
    group: "General",
  },
  attach: {
    env: "BACKLOT_ATTACH",
    schema: words.refine(
      (pairs) => pairs.every((pair) => /^[a-z0-9-]+=https?:\/\/[^\s=]+$/.test(pair)),
      "name=address pairs such as twilio=http://twilio:4101,smtp=http://smtp:8025",
    ),
    default: "",
    help: "Emulators that run elsewhere, as `name=address` pairs: they are not started here but led by this suite",
    group: "General",
  },
  dataDir: {
    env: "BACKLOT_DATA_DIR",
    schema: optionalText,
    default: "",
    help: "Folder in which state survives a restart; empty keeps it in memory",
    group: "General",
  },
  caDir: {
    env: "BACKLOT_CA_DIR",
    schema: optionalText,
    default: "",
    help: "Folder of the local certificate authority; empty means `~/.backlot/ca`",
    group: "General",
  },
  logLevel: {
    env: "BACKLOT_LOG_LEVEL",
    schema: z.enum(["debug", "info", "warn", "error", "silent"]),
    default: "warn",
    help: "Least level of the operator's log on standard error",
    group: "General",
  },
  host: {
    env: "BACKLOT_HOST",
    schema: text.min(1, "an address to listen on"),
    default: "127.0.0.1",
    help: "Address to listen on; anything but loopback is reachable by others, so set BACKLOT_CONTROL_TOKEN with it",
    group: "Ports",
  },
  port: {
    env: "BACKLOT_PORT",
    schema: port,
    default: "4100",
    help: "Suite: status page and control API",
    group: "Ports",
  },
  twilioPort: { env: "BACKLOT_TWILIO_PORT", schema: port, default: "4101", help: "Twilio, HTTP", group: "Ports" },
  azurePort: {
    env: "BACKLOT_AZURE_PORT",
    schema: port,
    default: "4102",
    help: "Azure, HTTPS (Azure's SDKs refuse plain HTTP)",
    group: "Ports",
  },
  azureHttpPort: {
    env: "BACKLOT_AZURE_HTTP_PORT",
    schema: port,
    default: "4112",
    help: "Azure, HTTP, for hand-written clients",
    group: "Ports",
  },
  ec2Port: { env: "BACKLOT_EC2_PORT", schema: port, default: "4103", help: "EC2 and STS, HTTP", group: "Ports" },
  imdsPort: {
    env: "BACKLOT_IMDS_PORT",
    schema: port,
    default: "4113",
    help: "EC2 instance metadata, HTTP",
    group: "Ports",
  },
  imdsPorts: {
    env: "BACKLOT_IMDS_PORTS",
    schema: text.regex(/^(0|\d{1,5}-\d{1,5})?$/, "a range of ports such as 4120-4139, 0 for free ones, or empty"),
    default: "4120-4139",
    help: "Ports of instance metadata for one instance each, in order of launch, opened when needed; empty for none",
    group: "Ports",
  },
  smtpPort: { env: "BACKLOT_SMTP_PORT", schema: port, default: "1025", help: "SMTP, plain", group: "Ports" },
  smtpStarttlsPort: {
    env: "BACKLOT_SMTP_STARTTLS_PORT",
    schema: port,
    default: "",
    help: "SMTP with STARTTLS under the local CA; off unless set",
    group: "Ports",
  },
  smtpsPort: {
    env: "BACKLOT_SMTPS_PORT",
    schema: port,
    default: "",
    help: "SMTP with implicit TLS under the local CA; off unless set",
    group: "Ports",
  },
  pop3Port: {
    env: "BACKLOT_POP3_PORT",
    schema: port,
    default: "",
    help: "POP3, for applications that fetch mail; off unless set",
    group: "Ports",
  },
  mailPort: { env: "BACKLOT_MAIL_PORT", schema: port, default: "8025", help: "Mailbox, HTTP", group: "Ports" },
  proxyPort: {
    env: "BACKLOT_PROXY_PORT",
    schema: port,
    default: "4180",
    help: "Gateway: forward proxy for HTTP_PROXY and HTTPS_PROXY; emulated hosts come here, all others are refused",
    group: "Ports",
  },
  tlsPort: {
    env: "BACKLOT_TLS_PORT",
    schema: port,
    default: "4443",
    help: "Gateway: TLS for emulated host names that DNS or a hosts file points here, told apart by SNI",
    group: "Ports",
  },
  mailhogPort: {
    env: "BACKLOT_MAILHOG_PORT",
    schema: port,
    default: "",
    help: "Mailbox as MailHog alone, HTTP, for clients that take no path prefix; off unless set",
    group: "Ports",
  },
  maildevPort: {
    env: "BACKLOT_MAILDEV_PORT",
    schema: port,
    default: "",
    help: "Mailbox as MailDev alone, HTTP; off unless set",
    group: "Ports",
  },
  mailDialect: {
    env: "BACKLOT_MAIL_DIALECT",
    schema: z.enum(["mailpit", "mailhog"]),
    default: "mailpit",
    help: "Who answers GET /api/v1/messages on the mailbox port, the one route that Mailpit and MailHog both have",
    group: "General",
  },
  mailRelay: {
    env: "BACKLOT_MAIL_RELAY",
    schema: optionalText.refine(
      (value) => value === undefined || /^(\[[\da-f:]+\]|[\w.-]+):\d{1,5}$/i.test(value),
      "a host and a port such as 127.0.0.1:2525",
    ),
    default: "",
    help: "Server to which the mailbox APIs release mail when they are asked to: on loopback or in BACKLOT_WEBHOOK_ALLOW; nothing is released unless set",
    group: "Access",
  },
  controlToken: {
    env: "BACKLOT_CONTROL_TOKEN",
    schema: optionalText,
    default: "",
    help: "Bearer token that the control API then demands",
    group: "Access",
  },
  allowedHosts: {
    env: "BACKLOT_ALLOWED_HOSTS",
    schema: words,
    default: "",
    help: "More Host header names to answer to (besides loopback and the emulated domains), comma-separated",
    group: "Access",
  },
  webhookAllow: {
    env: "BACKLOT_WEBHOOK_ALLOW",
    schema: words,
    default: "",
    help: "Host names webhooks may go to besides loopback, comma-separated",
    group: "Access",
  },
  egressAllow: {
    env: "BACKLOT_EGRESS_ALLOW",
    schema: words.refine(
      (entries) => entries.every((entry) => egressForm.test(entry)),
      "names, wildcards, addresses or ranges such as db.example.com,*.example.org,203.0.113.7:8443,10.0.0.0/8",
    ),
    default: "",
    help: "Hosts that the gateway lets through to the real network: names, `*.` wildcards, addresses, CIDR ranges, each with `:port` if wanted",
    group: "Access",
  },
  bodyLimit: {
    env: "BACKLOT_BODY_LIMIT",
    schema: bytes,
    default: "16MiB",
    help: "Largest HTTP request body",
    group: "Access",
  },
  mailSizeLimit: {
    env: "BACKLOT_MAIL_SIZE_LIMIT",
    schema: bytes,
    default: "64MiB",
    help: "Largest mail",
    group: "Access",
  },
  webhookQueue: {
    env: "BACKLOT_WEBHOOK_QUEUE",
    schema: z.coerce.number("a whole number, 1 or more").int().min(1),
    default: "100000",
    help: "Most webhook deliveries waiting in one emulator; then requests that would add one are refused with 503",
    group: "Access",
  },
  webhookKeep: {
    env: "BACKLOT_WEBHOOK_KEEP",
    schema: z.coerce.number("a whole number, 1 or more").int().min(1),
    default: "10000",
    help: "How many delivered and discarded webhooks are kept, with their attempts; what is dropped is counted, dead letters stay",
    group: "Access",
  },
  requestLimit: {
    env: "BACKLOT_RATE_LIMIT",
    schema: text.refine((value) => parseRateLimit(value) !== undefined, rateLimitForm),
    default: "",
    help: "Most requests of one account in virtual time, e.g. `10/minute` or `100/hour;10/second`; more are refused with 429; empty for no limit",
    group: "Access",
  },
  journalSize: {
    env: "BACKLOT_JOURNAL_SIZE",
    schema: z.coerce.number("a whole number, 1 or more").int().min(1),
    default: "10000",
    help: "How many journal entries are kept; what is dropped is counted",
    group: "Access",
  },
  journalBytes: {
    env: "BACKLOT_JOURNAL_BYTES",
    schema: bytes.refine((value) => value > 0, "more than 0 bytes"),
    default: "64MiB",
    help: "Most memory for journal entries of one emulator, about; of one body at most 64 KiB are kept",
    group: "Access",
  },
  corsOrigins: {
    env: "BACKLOT_CORS_ORIGINS",
    schema: words,
    default: "",
    help: "Origins whose pages may use the control API, comma-separated, e.g. http://localhost:5173; none unless set",
    group: "Access",
  },
  otlpEndpoint: {
    env: "OTEL_EXPORTER_OTLP_ENDPOINT",
    schema: optionalText.refine(
      (value) => value === undefined || /^https?:$/.test(URL.parse(value)?.protocol ?? ""),
      "a URL such as http://localhost:4318",
    ),
    default: "",
    help: "OpenTelemetry collector that gets a span of every request and webhook, as OTLP JSON over HTTP; nothing is sent unless set",
    group: "Access",
  },
  rateLimit: {
    env: "FEATURE_RATE_LIMIT",
    schema: flag,
    default: "true",
    help: "Whether rate limits apply",
    group: "Features",
  },
  webhookSignatures: {
    env: "FEATURE_WEBHOOK_SIGNATURES",
    schema: flag,
    default: "true",
    help: "Whether webhooks are signed",
    group: "Features",
  },
  cacheResponses: {
    env: "FEATURE_CACHE_RESPONSES",
    schema: flag,
    default: "true",
    help: "Whether lists answer with ETag and 304",
    group: "Features",
  },
});

type Definitions = typeof definitions;
export type SettingName = keyof Definitions;
export type Settings = { readonly [Name in SettingName]: z.output<Definitions[Name]["schema"]> } & {
  /** True when the environment itself asks for the real services; then nothing can lower it. */
  readonly realAskedBy: string | undefined;
};
export type PortSetting = {
  [Name in SettingName]: Settings[Name] extends number | undefined
    ? Name extends `${string}ort`
      ? Name
      : never
    : never;
}[SettingName];

export interface SettingProblem {
  readonly env: string;
  readonly value: string;
  readonly allowed: string;
}

/** Variables that applications already set to choose between the real services and stand-ins. */
const realSwitches: readonly { env: string; asks: (value: string) => boolean }[] = [
  { env: "BACKLOT_MODE", asks: (value) => value === "real" },
  { env: "USE_REAL_DATA", asks: (value) => ["true", "1", "yes", "on"].includes(value) },
  { env: "APP_MODE", asks: (value) => ["production", "real", "live"].includes(value) },
];

/** Reads all settings and reports every problem at once. `sources` are asked in order; the first that has a value wins. */
export function readSettings(sources: readonly Readonly<Record<string, string | undefined>>[]): {
  settings: Settings;
  problems: readonly SettingProblem[];
} {
  const look = (env: string) => sources.map((source) => source[env]).find((value) => value !== undefined);
  const problems: SettingProblem[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, definition] of Object.entries<Definition>(definitions)) {
    const given = look(definition.env);
    const parsed = definition.schema.safeParse(given ?? definition.default);
    if (parsed.success) values[name] = parsed.data;
    else {
      const allowed = parsed.error.issues.map((issue) => issue.message).join("; ");
      problems.push({ env: definition.env, value: given ?? "", allowed });
      values[name] = definition.schema.parse(definition.default);
    }
  }
  const asked = realSwitches.find(({ env, asks }) => asks((look(env) ?? "").trim().toLowerCase()));
  values.realAskedBy = asked && `${asked.env}=${look(asked.env)}`;
  return { settings: values as Settings, problems };
}

/** Settings for tests and `createSuite`: defaults, with some values given as they would stand in the environment. */
export function settingsFrom(environment: Readonly<Record<string, string | undefined>>): Settings {
  const { settings, problems } = readSettings([environment]);
  if (problems.length > 0) throw new SettingsError(problems);
  return settings;
}

export class SettingsError extends Error {
  readonly problems: readonly SettingProblem[];
  constructor(problems: readonly SettingProblem[]) {
    super(
      [
        "These settings cannot be used:",
        ...problems.map((problem) => `  ${problem.env}=${problem.value}: allowed is ${problem.allowed}`),
      ].join("\n"),
    );
    this.name = "SettingsError";
    this.problems = problems;
  }
}

/** How a client on this machine reaches a server that listens on `host`: wildcards are no address to connect to. */
export function reachableHost(host: string): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  if (host === "::" || host === "::0") return "[::1]";
  return host.includes(":") ? `[${host}]` : host;
}
