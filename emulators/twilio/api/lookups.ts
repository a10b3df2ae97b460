/** lookups.twilio.com/v2: what is known of a number. Numbers that are not valid are an answer, not an error. */
import type { Hono } from "hono";
import type { KernelEnv } from "../../kernel/emulator.ts";
import { lookupFields, lookupPackage, validate } from "../domain/lookup.ts";
import { reject } from "../errors.ts";
import { type Call, respondJson, type TwilioRuntime } from "./call.ts";
import { callOf } from "./resource.ts";

const domain = "lookups.twilio.com";

export function mountLookups(app: Hono<KernelEnv>, runtime: TwilioRuntime): void {
  app.get("/v2/PhoneNumbers/:number", (c) => fetchNumber(callOf(runtime, c, { test: true })));
}

function fetchNumber(call: Call): Response {
  const { exchange, runtime, query, param } = call;
  exchange.note("operation", "FetchPhoneNumber");
  const asked = (query.get("Fields") ?? "")
    .split(",")
    .map((field) => field.trim())
    .filter((field) => field !== "");
  const fields = asked.map((field) => lookupFields.find((known) => known === field) ?? reject("lookupField", field));
  const result = validate(param("number"), query.get("CountryCode") || undefined);
  const { valid, number, country } = result;
  exchange.note("resource", number);
  const packages = lookupFields
    .filter((field) => field !== "validation")
    .map((field) => [
      field,
      result.valid && fields.includes(field)
        ? lookupPackage(runtime.ids, field, result.number, result.country, query)
        : null,
    ]);
  const body = {
    calling_country_code: result.valid ? result.country.calling : null,
    country_code: result.valid ? country?.iso : null,
    phone_number: number,
    national_format: result.valid ? result.national : null,
    valid,
    validation_errors: result.valid ? [] : result.errors,
    ...Object.fromEntries(packages),
    // The service leaves the plus sign as it is.
    url: `${exchange.base}/v2/PhoneNumbers/${encodeURIComponent(number).replace("%2B", "+")}`,
  };
  return respondJson(exchange, domain, 200, JSON.stringify(body));
}
