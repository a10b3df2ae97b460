/** Refusals of what belongs to no provider: the control API. */
import type { ProviderErrors } from "./emulator.ts";
import { answerJson } from "./exchange.ts";
import { faultMessage } from "./refusals.ts";
import { SeedError } from "./seed.ts";

/** Errors of what belongs to no provider: the control API. */
export const plainErrors: ProviderErrors = {
  notFound: (exchange) =>
    answerJson(exchange, 404, {
      error: "not_found",
      message: `${exchange.method} ${exchange.target} is not part of the control API; see /_backlot/openapi.json.`,
    }),
  methodNotAllowed: (exchange, allowed) =>
    answerJson(
      exchange,
      405,
      { error: "method_not_allowed", message: `${exchange.target} takes ${allowed.join(", ")}.` },
      { allow: allowed.join(", ") },
    ),
  tooLarge: (exchange, limit) =>
    answerJson(
      exchange,
      413,
      { error: "too_large", message: `The body is larger than ${limit} bytes (BACKLOT_BODY_LIMIT).` },
      { connection: "close" },
    ),
  throttled: (exchange, seconds) =>
    answerJson(
      exchange,
      429,
      { error: "too_many_requests", message: `Try again in ${seconds} s.` },
      { "retry-after": String(seconds) },
    ),
  unavailable: (exchange, refused) => answerJson(exchange, 503, { error: "service_unavailable", ...refused }),
  unexpected: (exchange, incident) =>
    answerJson(exchange, 500, {
      error: "unexpected",
      message: "Backlot failed; this is a defect of its own.",
      incident,
    }),
  fault: (exchange, { status, code, message }) =>
    answerJson(exchange, status, { error: code ?? "planned_fault", message: message ?? faultMessage(status) }),
  thrown(exchange, cause) {
    if (cause instanceof ControlError)
      return answerJson(exchange, cause.status, { error: cause.code, message: cause.message, ...cause.details });
    if (cause instanceof SeedError) return answerJson(exchange, 400, { error: "invalid_seed", message: cause.message });
    return undefined;
  },
};

/** A refusal of the control API: names the thing, the value and the way out. */
export class ControlError extends Error {
  readonly status: number;
  readonly code: string;
  readonly details: Readonly<Record<string, unknown>>;
  constructor(status: number, code: string, message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.name = "ControlError";
    this.status = status;
    this.code = code;
    this.details = details;
  }
}
