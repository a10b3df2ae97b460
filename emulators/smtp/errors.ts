import type { ProviderErrors } from "../kernel/emulator.ts";
import { answer, answerJson, type Exchange } from "../kernel/exchange.ts";
import { refusalBody } from "../kernel/mode.ts";
import { faultMessage, type ProviderFault } from "../kernel/refusals.ts";

const table = {
  noSuchMessage: { status: 404, error: "not_found", text: (id: string) => `There is no message ${id}` },
  notStored: { status: 500, error: "not_found", text: (id: string) => `There is no message ${id} to delete` },
  noSuchPart: { status: 404, error: "not_found", text: (part: string) => `The message has no part ${part}` },
  badKind: {
    status: 400,
    error: "invalid_kind",
    text: (kind: string) => `kind is from, to or containing, not '${kind}'`,
  },
  emptyQuery: { status: 400, error: "empty_query", text: () => "query must not be empty" },
  notReleased: {
    status: 500,
    error: "not_released",
    text: (reason: string) => `The message was not released: ${reason}`,
  },
  badRelease: {
    status: 400,
    error: "invalid_release",
    text: () => "The body names no Host, Port and Email to release to",
  },
  noJim: { status: 404, error: "jim_absent", text: () => "Jim is not running" },
  jimThere: { status: 400, error: "jim_present", text: () => "Jim is running already" },
  badJim: {
    status: 400,
    error: "invalid_jim",
    text: () => "The body is no Jim configuration: chances are numbers from 0 to 1",
  },
} as const satisfies Record<string, { status: number; error: string; text: (value: string) => string }>;

export class MailboxError extends Error {
  readonly status: number;
  readonly error: string;
  constructor(status: number, error: string, message: string) {
    super(message);
    this.name = "MailboxError";
    this.status = status;
    this.error = error;
  }
}

/** Mailpit's errors are a line of text. */
export class MailpitError extends Error {
  readonly status: number;
  /** `/api/v1/send` alone answers `{"Error": ...}`. */
  readonly json: boolean;
  constructor(status: number, message: string, json = false) {
    super(message);
    this.name = "MailpitError";
    this.status = status;
    this.json = json;
  }
}

/** MailDev's errors are `{"error": ...}`. */
export class MaildevError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.name = "MaildevError";
    this.status = status;
  }
}

export function reject(name: keyof typeof table, value = ""): never {
  throw new MailboxError(table[name].status, table[name].error, table[name].text(value));
}

const hint =
  "Mailpit's API is under /api/v1, MailHog's under /api/v2 and /mailhog/api/v1, MailDev's under /email and /api/email; GET / lists what is served here";

/** The mailbox APIs have no error format of their own: MailHog answers with bare status codes. */
export const errors: ProviderErrors = {
  notFound: (exchange) => problem(exchange, 404, "not_found", `Nothing is served at ${exchange.target}`, { hint }),
  methodNotAllowed: (exchange, allowed) =>
    answerJson(
      exchange,
      405,
      { error: "method_not_allowed", message: `${exchange.method} is not served at ${exchange.target}`, allowed },
      { allow: allowed.join(", ") },
    ),
  tooLarge: (exchange, limit) =>
    problem(exchange, 413, "too_large", `The body is larger than ${limit} bytes`, { limit }),
  throttled: (exchange, seconds) =>
    answerJson(
      exchange,
      429,
      { error: "throttled", message: `Too many requests; try again in ${seconds} s` },
      { "retry-after": String(seconds) },
    ),
  unavailable: (exchange, refused) => answerJson(exchange, 503, refusalBody(refused)),
  unexpected: (exchange, incident) =>
    problem(exchange, 500, "unexpected", `The mailbox failed; the journal knows more under incident ${incident}`, {
      incident,
    }),
  fault: (exchange, fault) => planned(exchange, fault, dialectOf(exchange)),
  thrown(exchange, cause) {
    if (cause instanceof MailboxError) return problem(exchange, cause.status, cause.error, cause.message, {});
    if (cause instanceof MailpitError && cause.json)
      return answerJson(exchange, cause.status, { Error: cause.message });
    if (cause instanceof MailpitError) return line(exchange, cause.status, cause.message);
    if (cause instanceof MaildevError) return answerJson(exchange, cause.status, { error: cause.message });
    return undefined;
  },
};

type Dialect = "mailpit" | "mailhog" | "maildev";

/** Where a site has one dialect, planned faults are worded in it whatever the path. */
export function errorsIn(dialect: Dialect): ProviderErrors {
  return { ...errors, fault: (exchange, fault) => planned(exchange, fault, dialect) };
}

/** On the port that serves all three, the path says whose client asks. */
function dialectOf({ target }: Exchange): Dialect {
  if (/^\/(api\/)?email(\/|$|\?)|^\/(config|healthz|reloadMailsFromDirectory)/.test(target)) return "maildev";
  return /^\/(api\/v1|view)\//.test(target) ? "mailpit" : "mailhog";
}

function planned(exchange: Exchange, { status, code, message }: ProviderFault, dialect: Dialect): Response {
  const text = message ?? faultMessage(status);
  switch (dialect) {
    case "mailpit":
      return /\/api\/v1\/send($|\?)/.test(exchange.target)
        ? answerJson(exchange, status, { Error: text })
        : line(exchange, status, text);
    case "maildev":
      return answerJson(exchange, status, { error: text });
    case "mailhog":
      return problem(exchange, status, String(code ?? "planned_fault"), text, {});
  }
}

function line(exchange: Exchange, status: number, text: string): Response {
  return answer(exchange, status, text, { "content-type": "text/plain; charset=utf-8" });
}

function problem(
  exchange: Exchange,
  status: number,
  error: string,
  message: string,
  more: Readonly<Record<string, unknown>>,
): Response {
  return answerJson(exchange, status, { error, message, ...more });
}
