/** Reads what a control request carries; every refusal names the field and what is allowed there. */
import type * as z from "zod";
import type { Exchange } from "../exchange.ts";
import { ControlError } from "../plain-errors.ts";

export function readBody<T extends z.ZodType>(exchange: Exchange, schema: T): z.output<T> {
  const text = exchange.body.toString("utf8").trim();
  let value: unknown;
  try {
    value = text === "" ? {} : JSON.parse(text);
  } catch (cause) {
    throw new ControlError(
      400,
      "invalid_json",
      `The body is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`,
    );
  }
  return checked(schema, value, "body");
}

export function readQuery<T extends z.ZodType>(exchange: Exchange, schema: T): z.output<T> {
  const at = exchange.target.indexOf("?");
  const query = new URLSearchParams(at < 0 ? "" : exchange.target.slice(at + 1));
  return checked(schema, Object.fromEntries(query), "query");
}

/** The value as the schema makes it; a refusal names each field. `where` is `body` or `query`. */
export function checked<T extends z.ZodType>(schema: T, value: unknown, where: string): z.output<T> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => ({ path: issue.path.join("."), message: issue.message }));
  throw new ControlError(
    400,
    "invalid_input",
    problems.map(({ path, message }) => `${where}${path === "" ? "" : `.${path}`}: ${message}`).join("; "),
    { problems },
  );
}
