/** Every setting once: environment variable, form, default, help. The README's table and `.env.example` come from here. */
import { parseClock } from "./clock.ts";
import { parseRateLimit, rateLimitForm } from "./rate-limit.ts";
import { atLeast, bytes, choice, type Form, flag, optionalText, port, suchThat, text, words } from "./setting-forms.ts";

/** A name, `*`, `*.name`, an address or a range, with a port or without; what a range holds is checked by its reader. */
const egressForm = /^(\*|(\*\.)?[\w.-]+|\[[\da-f:.]+\]|[\da-f:.]*:[\da-f:.]*:[\da-f:.]*)(\/\d{1,3})?(:\d{1,5})?$/i;

/** A host's name or address, without scheme, port or path; in webhooks' list also `name=127.0.0.1:port`. */
const hostForm = /^([\w.-]+|\[[\da-f:.]+\]|[\da-f:.]*:[\da-f:.]*:[\da-f:.]*)$/i;
const ledForm = /^[^=\s/]+=127\.0\.0\.1:\d{1,5}$/;
const originForm = /^[a-z][a-z\d+.-]*:\/\/[^\s/]+$/i;

export interface Definition<T = unknown> {
  readonly env: string;
  readonly form: Form<T>;
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
    form: choice("development", "testing", "production"),
    default: "development",
    help: "Which `.env.<name>` file is read after the environment and before `.env`",
    group: "General",
  },
  mode: {
    env: "BACKLOT_MODE",
    form: choice("mock", "real"),
    default: "mock",
    help: "`real` makes every provider operation answer 503 with what the real service needs; so do USE_REAL_DATA=true and APP_MODE=production, real or live",
    group: "General",
  },
  seed: {
    env: "BACKLOT_SEED",
    form: suchThat(text, (value) => value !== "", "at least one character"),
    default: "backlot",
    help: "Text from which every id, credential, price and compliance state is derived",
    group: "General",
  },
  clock: {
    env: "BACKLOT_CLOCK",
    form: suchThat(
      text,
      (value) => parseClock(value) !== undefined,
      "real, ticking, ticking@<ISO instant>, frozen or frozen@<ISO instant>, e.g. frozen@2025-01-15T12:00:00Z",
    ),
    default: "real",
    help: "Virtual time: `real`, `ticking@<ISO instant>` or `frozen@<ISO instant>` (moves only when told)",
    group: "General",
  },
  pace: {
    env: "BACKLOT_PACE",
    form: atLeast(0, "a number"),
    default: "0.1",
    help: "Scales life-cycle delays: 1 is realistic, 0 is at once and in order",
    group: "General",
  },
  only: {
    env: "BACKLOT_ONLY",
    form: words,
    default: "",
    help: "Start only these emulators, comma-separated: twilio, azure-policyinsights, ec2-spot, smtp",
    group: "General",
  },
  attach: {
    env: "BACKLOT_ATTACH",
    form: suchThat(
      words,
      (pairs) => pairs.every((pair) => /^[a-z0-9-]+=https?:\/\/[^\s=]+$/.test(pair)),
      "name=address pairs such as twilio=http://twilio:4101,smtp=http://smtp:8025",
    ),
    default: "",
    help: "Emulators that run elsewhere, as `name=address` pairs: they are not started here but led by this suite",
    group: "General",
  },
  dataDir: {
    env: "BACKLOT_DATA_DIR",
    form: optionalText,
    default: "",
    help: "Folder in which state survives a restart; empty keeps it in memory",
    group: "General",
  },
  caDir: {
    env: "BACKLOT_CA_DIR",
    form: optionalText,
    default: "",
    help: "Folder of the local certificate authority; empty means `~/.backlot/ca`",
    group: "General",
  },
  logLevel: {
    env: "BACKLOT_LOG_LEVEL",
    form: choice("debug", "info", "warn", "error", "silent"),
    default: "warn",
    help: "Least level of the operator's log on standard error",
    group: "General",
  },
  host: {
    env: "BACKLOT_HOST",
    form: suchThat(text, (value) => value !== "", "an address to listen on"),
    default: "127.0.0.1",
    help: "Address to listen on; anything but loopback is reachable by others, so set BACKLOT_CONTROL_TOKEN with it",
    group: "Ports",
  },
  port: {
    env: "BACKLOT_PORT",
    form: port,
    default: "4100",
    help: "Suite: the console, in a browser, and the control API of all",
    group: "Ports",
  },
  twilioPort: { env: "BACKLOT_TWILIO_PORT", form: port, default: "4101", help: "Twilio, HTTP", group: "Ports" },
  azurePort: {
    env: "BACKLOT_AZURE_PORT",
    form: port,
    default: "4102",
    help: "Azure, HTTPS (Azure's SDKs refuse plain HTTP)",
    group: "Ports",
  },
  azureHttpPort: {
    env: "BACKLOT_AZURE_HTTP_PORT",
    form: port,
    default: "4112",
    help: "Azure, HTTP, for hand-written clients",
    group: "Ports",
  },
  ec2Port: { env: "BACKLOT_EC2_PORT", form: port, default: "4103", help: "EC2 and STS, HTTP", group: "Ports" },
  imdsPort: {
    env: "BACKLOT_IMDS_PORT",
    form: port,
    default: "4113",
    help: "EC2 instance metadata, HTTP",
    group: "Ports",
  },
  imdsPorts: {
    env: "BACKLOT_IMDS_PORTS",
    form: suchThat(
      text,
      (value) => /^(0|\d{1,5}-\d{1,5})?$/.test(value),
      "a range of ports such as 4120-4139, 0 for free ones, or empty",
    ),
    default: "4120-4139",
    help: "Ports of instance metadata for one instance each, in order of launch, opened when needed; empty for none",
    group: "Ports",
  },
  smtpPort: { env: "BACKLOT_SMTP_PORT", form: port, default: "1025", help: "SMTP, plain", group: "Ports" },
  smtpStarttlsPort: {
    env: "BACKLOT_SMTP_STARTTLS_PORT",
    form: port,
    default: "",
    help: "SMTP with STARTTLS under the local CA; off unless set",
    group: "Ports",
  },
  smtpsPort: {
    env: "BACKLOT_SMTPS_PORT",
    form: port,
    default: "",
    help: "SMTP with implicit TLS under the local CA; off unless set",
    group: "Ports",
  },
  pop3Port: {
    env: "BACKLOT_POP3_PORT",
    form: port,
    default: "",
    help: "POP3, for applications that fetch mail; off unless set",
    group: "Ports",
  },
  mailPort: { env: "BACKLOT_MAIL_PORT", form: port, default: "8025", help: "Mailbox, HTTP", group: "Ports" },
  proxyPort: {
    env: "BACKLOT_PROXY_PORT",
    form: port,
    default: "4180",
    help: "Gateway: forward proxy for HTTP_PROXY and HTTPS_PROXY; emulated hosts come here, all others are refused",
    group: "Ports",
  },
  tlsPort: {
    env: "BACKLOT_TLS_PORT",
    form: port,
    default: "4443",
    help: "Gateway: TLS for emulated host names that DNS or a hosts file points here, told apart by SNI",
    group: "Ports",
  },
  mailhogPort: {
    env: "BACKLOT_MAILHOG_PORT",
    form: port,
    default: "",
    help: "Mailbox as MailHog alone, HTTP, for clients that take no path prefix; off unless set",
    group: "Ports",
  },
  maildevPort: {
    env: "BACKLOT_MAILDEV_PORT",
    form: port,
    default: "",
    help: "Mailbox as MailDev alone, HTTP; off unless set",
    group: "Ports",
  },
  mailDialect: {
    env: "BACKLOT_MAIL_DIALECT",
    form: choice("mailpit", "mailhog"),
    default: "mailpit",
    help: "Who answers GET /api/v1/messages on the mailbox port, the one route that Mailpit and MailHog both have",
    group: "General",
  },
  mailRelay: {
    env: "BACKLOT_MAIL_RELAY",
    form: suchThat(
      optionalText,
      (value) => value === undefined || /^(\[[\da-f:]+\]|[\w.-]+):\d{1,5}$/i.test(value),
      "a host and a port such as 127.0.0.1:2525",
    ),
    default: "",
    help: "Server to which the mailbox APIs release mail when they are asked to: on loopback or in BACKLOT_WEBHOOK_ALLOW; nothing is released unless set",
    group: "Access",
  },
  controlToken: {
    env: "BACKLOT_CONTROL_TOKEN",
    form: optionalText,
    default: "",
    help: "Bearer token that the control API then demands",
    group: "Access",
  },
  allowedHosts: {
    env: "BACKLOT_ALLOWED_HOSTS",
    form: suchThat(
      words,
      (names) => names.every((name) => name === "*" || hostForm.test(name)),
      "names such as backlot,twilio.test, without scheme or port, or *",
    ),
    default: "",
    help: "More Host header names to answer to (besides loopback and the emulated domains), comma-separated",
    group: "Access",
  },
  webhookAllow: {
    env: "BACKLOT_WEBHOOK_ALLOW",
    form: suchThat(
      words,
      (names) => names.every((name) => hostForm.test(name) || ledForm.test(name)),
      "host names such as app,hooks.example.test, without scheme or port, or name=127.0.0.1:port",
    ),
    default: "",
    help: "Host names webhooks may go to besides loopback, comma-separated",
    group: "Access",
  },
  egressAllow: {
    env: "BACKLOT_EGRESS_ALLOW",
    form: suchThat(
      words,
      (entries) => entries.every((entry) => egressForm.test(entry)),
      "names, wildcards, addresses or ranges such as db.example.com,*.example.org,203.0.113.7:8443,10.0.0.0/8",
    ),
    default: "",
    help: "Hosts that the gateway lets through to the real network: names, `*.` wildcards, addresses, CIDR ranges, each with `:port` if wanted",
    group: "Access",
  },
  bodyLimit: {
    env: "BACKLOT_BODY_LIMIT",
    form: bytes,
    default: "16MiB",
    help: "Largest HTTP request body",
    group: "Access",
  },
  mailSizeLimit: {
    env: "BACKLOT_MAIL_SIZE_LIMIT",
    form: bytes,
    default: "64MiB",
    help: "Largest mail",
    group: "Access",
  },
  webhookQueue: {
    env: "BACKLOT_WEBHOOK_QUEUE",
    form: atLeast(1, "a whole number"),
    default: "100000",
    help: "Most webhook deliveries waiting in one emulator; then requests that would add one are refused with 503",
    group: "Access",
  },
  webhookKeep: {
    env: "BACKLOT_WEBHOOK_KEEP",
    form: atLeast(1, "a whole number"),
    default: "10000",
    help: "How many delivered and discarded webhooks are kept, with their attempts; what is dropped is counted, dead letters stay",
    group: "Access",
  },
  requestLimit: {
    env: "BACKLOT_RATE_LIMIT",
    form: suchThat(text, (value) => parseRateLimit(value) !== undefined, rateLimitForm),
    default: "",
    help: "Most requests of one account in virtual time, e.g. `10/minute` or `100/hour;10/second`; more are refused with 429; empty for no limit",
    group: "Access",
  },
  journalSize: {
    env: "BACKLOT_JOURNAL_SIZE",
    form: atLeast(1, "a whole number"),
    default: "10000",
    help: "How many journal entries are kept; what is dropped is counted",
    group: "Access",
  },
  journalBytes: {
    env: "BACKLOT_JOURNAL_BYTES",
    form: suchThat(bytes, (value) => value > 0, "more than 0 bytes"),
    default: "64MiB",
    help: "Most memory for journal entries of one emulator, about; of one body at most 64 KiB are kept",
    group: "Access",
  },
  corsOrigins: {
    env: "BACKLOT_CORS_ORIGINS",
    form: suchThat(
      words,
      (origins) => origins.every((origin) => originForm.test(origin)),
      "origins such as http://localhost:5173: scheme, host and port, no path",
    ),
    default: "",
    help: "Origins whose pages may use the control API, comma-separated, e.g. http://localhost:5173; none unless set",
    group: "Access",
  },
  otlpEndpoint: {
    env: "OTEL_EXPORTER_OTLP_ENDPOINT",
    form: suchThat(
      optionalText,
      (value) => value === undefined || /^https?:$/.test(URL.parse(value)?.protocol ?? ""),
      "a URL such as http://localhost:4318",
    ),
    default: "",
    help: "OpenTelemetry collector that gets a span of every request and webhook, as OTLP JSON over HTTP; nothing is sent unless set",
    group: "Access",
  },
  rateLimit: {
    env: "FEATURE_RATE_LIMIT",
    form: flag,
    default: "true",
    help: "Whether rate limits apply",
    group: "Features",
  },
  webhookSignatures: {
    env: "FEATURE_WEBHOOK_SIGNATURES",
    form: flag,
    default: "true",
    help: "Whether webhooks are signed",
    group: "Features",
  },
  cacheResponses: {
    env: "FEATURE_CACHE_RESPONSES",
    form: flag,
    default: "true",
    help: "Whether lists answer with ETag and 304",
    group: "Features",
  },
});
