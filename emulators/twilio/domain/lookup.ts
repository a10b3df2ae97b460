/**
 * What is known of a phone number. Country, form and validity follow from the number; the packages are made up, always the
 * same for the same number.
 */
import type { Ids } from "../../kernel/ids.ts";
import { type Country, countryNamed, countryOf, friendlyForm, lineType, nationalOf } from "./countries.ts";

export const lookupFields = [
  "validation",
  "caller_name",
  "sim_swap",
  "call_forwarding",
  "line_status",
  "line_type_intelligence",
  "identity_match",
  "reassigned_number",
  "sms_pumping_risk",
  "phone_number_quality_score",
  "pre_fill",
] as const;
export type LookupField = (typeof lookupFields)[number];

export type Validity =
  | { readonly valid: true; readonly number: string; readonly country: Country; readonly national: string }
  | {
      readonly valid: false;
      readonly number: string;
      readonly country: Country | undefined;
      readonly errors: readonly string[];
    };

/** `countryCode` says how to read a number without its `+`; without it, as in the United States. */
export function validate(text: string, countryCode: string | undefined): Validity {
  const bare = text.replace(/[\s().-]/g, "");
  const plus = bare.startsWith("+");
  const digits = plus ? bare.slice(1) : bare;
  if (!/^\d+$/.test(digits)) return { valid: false, number: text, country: undefined, errors: ["NOT_A_NUMBER"] };
  const home = plus ? undefined : countryNamed(countryCode ?? "US");
  if (!plus && !home) return { valid: false, number: text, country: undefined, errors: ["INVALID_COUNTRY_CODE"] };
  const trimmed = home && home.calling !== "1" ? digits.replace(/^0/, "") : digits.replace(/^1(?=\d{10}$)/, "");
  const number = home ? `+${home.calling}${trimmed}` : `+${digits}`;
  const country = countryOf(number);
  if (!country) return { valid: false, number, country: undefined, errors: ["INVALID_COUNTRY_CODE"] };
  const national = nationalOf(number, country);
  const [least, most] = country.lengths;
  if (national.length < least) return { valid: false, number, country, errors: ["TOO_SHORT"] };
  if (national.length > most) return { valid: false, number, country, errors: ["TOO_LONG"] };
  if (country.calling === "1" && !/^[2-9]\d\d[2-9]/.test(national))
    return { valid: false, number, country, errors: ["INVALID_BUT_POSSIBLE"] };
  return { valid: true, number, country, national: country.calling === "1" ? friendlyForm(number) : national };
}

export function lookupPackage(
  ids: Ids,
  field: LookupField,
  number: string,
  country: Country,
  asked: URLSearchParams,
): unknown {
  const share = ids.fixed("twilio.lookup", [field, number]).unit();
  const type = lineType(number);
  const network = { mobile_country_code: country.mcc, mobile_network_code: "260", carrier_name: country.carrier };
  switch (field) {
    case "caller_name":
      return country.calling === "1"
        ? {
            caller_name: `SUBSCRIBER ${number.slice(-4)}`,
            caller_type: share < 0.5 ? "CONSUMER" : "BUSINESS",
            error_code: null,
          }
        : { caller_name: null, caller_type: null, error_code: 60600 };
    case "line_type_intelligence":
      return { ...network, type, error_code: null };
    case "sim_swap":
      return {
        last_sim_swap: { last_sim_swap_date: null, swapped_period: "PT24H", swapped_in_period: false },
        ...network,
        error_code: null,
      };
    case "call_forwarding":
      return { call_forwarding_enabled: share < 0.1, error_code: null };
    case "line_status":
      return { status: share < 0.95 ? "active" : "inactive", error_code: null };
    case "reassigned_number":
      return { last_verified_date: asked.get("LastVerifiedDate"), is_number_reassigned: "no", error_code: null };
    case "sms_pumping_risk":
      return {
        carrier_risk_category: share < 0.8 ? "low" : "moderate",
        number_blocked: false,
        number_blocked_date: null,
        number_blocked_last_3_months: false,
        sms_pumping_risk_score: Math.floor(share * 60),
        error_code: null,
      };
    case "identity_match": {
      const match = (name: string) => (asked.get(name) ? "exact_match" : "no_data_available");
      return {
        first_name_match: match("FirstName"),
        last_name_match: match("LastName"),
        address_lines_match: match("AddressLine1"),
        city_match: match("City"),
        state_match: match("State"),
        postal_code_match: match("PostalCode"),
        address_country_match: match("AddressCountryCode"),
        national_id_match: match("NationalId"),
        date_of_birth_match: match("DateOfBirth"),
        summary_score: 100,
        error_code: null,
        error_message: null,
      };
    }
    default:
      return null;
  }
}
