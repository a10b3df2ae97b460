/**
 * Twilio's errors: one table, one class, one renderer. Codes and words: https://www.twilio.com/docs/api/errors, and where
 * the wire differs from the dictionary, the wire.
 */
import type { ProviderErrors } from "../kernel/emulator.ts";
import { answer, type Exchange } from "../kernel/exchange.ts";
import { responseHeaders, wantsXml } from "./wire/headers.ts";
import { spacedJson } from "./wire/json.ts";
import { xmlDocument } from "./wire/xml.ts";

interface ErrorEntry {
  readonly code: number;
  readonly status: number;
  text(first: string, second: string): string;
}

const table = {
  badPassword: { code: 20003, status: 401, text: () => "Authenticate" },
  badUsername: { code: 20003, status: 401, text: () => "Authentication Error - invalid username" },
  noCredentials: { code: 20003, status: 401, text: () => "Authentication Error - No credentials provided" },
  accountNotActive: { code: 20005, status: 403, text: () => "Account not active" },
  testCredentials: { code: 20008, status: 403, text: () => "Resource not accessible with Test Account Credentials" },
  notFound: { code: 20404, status: 404, text: (path) => `The requested resource ${path} was not found` },
  invalidParameter: { code: 20001, status: 400, text: (name, value) => `Invalid parameter ${name}: ${value}` },
  methodNotAllowed: { code: 20004, status: 405, text: () => "Method not allowed" },
  missingParameter: {
    code: 20001,
    status: 400,
    text: (name) => `Missing required parameter ${name} in the post body`,
  },
  invalidUrl: { code: 21402, status: 400, text: (name, value) => `${name} is not a valid URL: ${value}` },
  invalidMethod: { code: 21403, status: 400, text: (name, value) => `${name} must be GET or POST, not ${value}` },
  forbidden: { code: 20403, status: 403, text: () => "Forbidden" },
  conflict: { code: 20409, status: 409, text: (what) => what },
  numberInvalid: { code: 21421, status: 400, text: (number) => `${number} is not a valid number` },
  numberTaken: { code: 21422, status: 400, text: (number) => `${number} is not available` },
  areaCodeInvalid: { code: 21451, status: 400, text: (code) => `${code} is not a valid area code` },
  areaCodeEmpty: {
    code: 21452,
    status: 400,
    text: (code) => `No phone numbers found in area code ${code}`,
  },
  callerIdKnown: { code: 21450, status: 400, text: () => "Phone number already validated for your account" },
  callerIdOwned: {
    code: 21449,
    status: 400,
    text: () => "Phone number is already usable as a caller ID by your account",
  },
  parentStatus: { code: 21477, status: 400, text: () => "Parent account status cannot be changed" },
  accountClosed: { code: 21479, status: 400, text: () => "A closed subaccount cannot be reopened" },
  subaccountNested: { code: 21470, status: 400, text: () => "A subaccount cannot have subaccounts" },
  senderInService: {
    code: 21710,
    status: 409,
    text: () => "Phone Number or Short Code is already in the Messaging Service.",
  },
  senderInOther: {
    code: 21712,
    status: 409,
    text: (service) => `Phone Number or Short Code is associated with another Messaging Service: ${service}`,
  },
  serviceNotYours: { code: 21701, status: 404, text: (sid) => `The Messaging Service ${sid} does not exist` },
  verifyInvalid: { code: 60200, status: 400, text: (name, value) => `Invalid parameter \`${name}\`: ${value}` },
  verifyChecks: { code: 60202, status: 429, text: () => "Max check attempts reached" },
  verifySends: { code: 60203, status: 429, text: () => "Max send attempts reached" },
  verifyDisabled: { code: 60204, status: 400, text: (what) => `Service does not support this feature: ${what}` },
  verifyLandline: { code: 60205, status: 403, text: () => "SMS is not supported by landline phone number" },
  verifyPsd2: { code: 60206, status: 400, text: () => "Both `Amount` and `Payee` are required for PSD2" },
  verifyBlocked: {
    code: 60410,
    status: 403,
    text: (to) =>
      `The destination phone number ${to} has been temporarily blocked by Twilio due to fraudulent activities`,
  },
  lookupField: { code: 60600, status: 400, text: (field) => `Field ${field} is not supported` },
  conversationClosed: { code: 50353, status: 400, text: () => "The conversation is closed" },
  uniqueName: { code: 50433, status: 409, text: () => "A resource with the same UniqueName already exists" },
  bindingExists: {
    code: 50416,
    status: 409,
    text: (sid) => `A binding for this participant and proxy address already exists in Conversation ${sid}`,
  },
  participantExists: { code: 50433, status: 409, text: () => "Participant already exists" },
  unfinished: { code: 20009, status: 400, text: () => "Cannot delete this resource before it is complete" },
  invalidPageToken: { code: 21481, status: 400, text: (token) => `Invalid PageToken: ${token}` },
  tooLarge: { code: 20413, status: 413, text: (limit) => `Request entity too large: the limit is ${limit} bytes` },
  throttled: { code: 20429, status: 429, text: () => "Too Many Requests" },
  unexpected: {
    code: 20500,
    status: 500,
    text: (incident) => `An internal server error has occurred (Backlot incident ${incident})`,
  },
  unavailable: { code: 20503, status: 503, text: (message) => message },

  toMissing: { code: 21604, status: 400, text: () => "A 'To' phone number is required." },
  fromMissing: { code: 21603, status: 400, text: () => "A 'From' phone number is required." },
  bodyMissing: { code: 21602, status: 400, text: () => "Message body is required." },
  bodyTooLong: {
    code: 21617,
    status: 400,
    text: () => "The concatenated message body exceeds the 1600 character limit",
  },
  invalidTo: { code: 21211, status: 400, text: (to) => `Invalid 'To' Phone Number: ${to}` },
  invalidFrom: {
    code: 21212,
    status: 400,
    text: (from) => `The 'From' number ${from} is not a valid phone number, shortcode, or alphanumeric sender ID.`,
  },
  fromNotCapable: {
    code: 21606,
    status: 400,
    text: (from) =>
      `The From phone number ${from} is not a valid, SMS-capable inbound phone number or short code for your account.`,
  },
  fromUnknown: {
    code: 21659,
    status: 400,
    text: (from) => `'From' ${from} is not a Twilio phone number or Short Code country mismatch`,
  },
  fromOfAnother: {
    code: 21660,
    status: 400,
    text: (from, account) => `Mismatch between the 'From' number ${from} and the account ${account}`,
  },
  noChannel: {
    code: 63007,
    status: 400,
    text: () => "Twilio could not find a Channel with the specified From address",
  },
  mixedChannels: {
    code: 21910,
    status: 400,
    text: () => "Invalid From and To pair. From and To should be of the same channel",
  },
  unverifiedTo: {
    code: 21608,
    status: 400,
    text: (to) =>
      `The number ${to} is unverified. Trial accounts cannot send messages to unverified numbers; verify ${to} at twilio.com/user/account/phone-numbers/verified, or purchase a Twilio number to send messages to unverified numbers`,
  },
  unverifiedCallee: {
    code: 21219,
    status: 400,
    text: (to) => `The number ${to} is unverified. Trial accounts may only make calls to verified numbers.`,
  },
  trialNumbers: {
    code: 21404,
    status: 400,
    text: () =>
      "Trial accounts are allowed only one Twilio phone number. To purchase additional Twilio phone numbers, please upgrade.",
  },
  geoPermission: {
    code: 21408,
    status: 400,
    text: (to) =>
      `Permission to send an SMS or MMS has not been enabled for the region indicated by the 'To' number: ${to}`,
  },
  unsubscribed: { code: 21610, status: 400, text: () => "Attempt to send to unsubscribed recipient" },
  queueFull: { code: 21611, status: 400, text: () => "SMS queue is full." },
  unroutable: {
    code: 21612,
    status: 400,
    text: (to, from) =>
      `Message cannot be sent with the current combination of 'To' (${to}) and/or 'From' (${from}) parameters`,
  },
  notMobile: { code: 21614, status: 400, text: (to) => `To number: ${to}, is not a mobile number` },
  invalidStatusCallback: {
    code: 21609,
    status: 400,
    text: (url) => `The StatusCallback URL ${url} is not a valid URL.`,
  },
  invalidMediaUrl: { code: 21620, status: 400, text: (url) => `Invalid media URL(s): ${url}` },
  tooManyMedia: { code: 21623, status: 400, text: () => "Number of media files exceeds allowed limit" },
  invalidValidityPeriod: {
    code: 21624,
    status: 400,
    text: (value) => `ValidityPeriod ${value} is not between 1 and 36000 seconds`,
  },
  invalidContentSid: { code: 21655, status: 400, text: (sid) => `The ContentSid ${sid} is invalid` },
  serviceUnknown: { code: 21701, status: 404, text: (sid) => `The Messaging Service ${sid} does not exist` },
  serviceWithoutSenders: { code: 21704, status: 400, text: () => "The Messaging Service contains no phone numbers" },
  invalidServiceSid: { code: 21705, status: 400, text: () => "The Messaging Service Sid is invalid" },
  senderNotInService: {
    code: 21711,
    status: 400,
    text: () => "The 'From' number provided does not belong to the specified Messaging Service",
  },
  contentMissing: { code: 21654, status: 404, text: (sid) => `The ContentSid ${sid} does not exist` },
  contentVariables: { code: 21656, status: 400, text: () => "The Content Variables parameter is invalid" },
  queueOverflow: {
    code: 21611,
    status: 400,
    text: (from) => `This 'From' number ${from} has exceeded the maximum number of queued messages`,
  },
  callToMissing: { code: 21201, status: 400, text: () => "No 'To' number is specified" },
  callFromMissing: { code: 21213, status: 400, text: () => "'From' phone number is required" },
  callUrlInvalid: { code: 21205, status: 400, text: (value) => `Url is not a valid URL: ${value}` },
  callUrlMissing: { code: 21205, status: 400, text: () => "Url parameter is required." },
  callDigits: { code: 21206, status: 400, text: (value) => `SendDigits ${value} is not valid` },
  callTimeout: { code: 21208, status: 400, text: (value) => `Timeout ${value} is not valid` },
  callMethod: { code: 21209, status: 400, text: (value) => `Method ${value} is not GET or POST` },
  callFromInvalid: {
    code: 21212,
    status: 400,
    text: (from) => `The 'From' number ${from} is not a valid phone number, shortcode, or alphanumeric sender ID.`,
  },
  callFromUnverified: {
    code: 21210,
    status: 400,
    text: (from) =>
      `The source phone number provided, ${from}, is not yet verified for your account. You may only make calls from phone numbers that you've verified or purchased from Twilio.`,
  },
  callToInvalid: {
    code: 21217,
    status: 400,
    text: (to) => `The phone number you are attempting to call, ${to}, is not valid.`,
  },
  callUnreachable: {
    code: 21214,
    status: 400,
    text: (to) => `The phone number you are attempting to call, ${to}, could not be reached.`,
  },
  callGeo: { code: 21215, status: 400, text: (to) => `Account not authorized to call ${to}.` },
  callBlocked: { code: 21216, status: 400, text: (to) => `Account not allowed to call ${to}.` },
  queueExists: { code: 22003, status: 400, text: (name) => `A queue named ${name} already exists` },
  queueNotEmpty: { code: 22007, status: 400, text: () => "A queue that holds calls cannot be deleted" },
  callApplication: { code: 21218, status: 400, text: (sid) => `ApplicationSid ${sid} is not valid` },
  callState: { code: 21220, status: 400, text: () => "Call is not in-progress. Cannot redirect." },
  callEvent: { code: 21626, status: 400, text: (event) => `StatusCallbackEvent(s) ${event} invalid` },
  notCancelable: { code: 30409, status: 400, text: () => "This message cannot be canceled" },
  invalidUpdate: { code: 30400, status: 400, text: () => "Parameters are not valid" },
  sendAtMissing: { code: 35111, status: 400, text: () => "SendAt timestamp is missing" },
  sendAtMalformed: {
    code: 35115,
    status: 400,
    text: () => "SendAt time must be between 300 seconds and 35 days (3024000 seconds) in the future, inclusive.",
  },
  sendAtTooSoon: {
    code: 35114,
    status: 400,
    text: () => "SendAt time must be between 300 seconds and 35 days (3024000 seconds) in the future, inclusive.",
  },
  sendAtTooLate: {
    code: 35117,
    status: 400,
    text: () => "SendAt time must be between 300 seconds and 35 days (3024000 seconds) in the future, inclusive.",
  },
  scheduleWithoutService: {
    code: 35118,
    status: 400,
    text: () => "MessagingServiceSid is required to schedule a message",
  },
  scheduleTypeUnsupported: {
    code: 35126,
    status: 400,
    text: () => "The ScheduleType value provided is not supported for this channel",
  },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorName = keyof typeof table;

/** What domain code answers when a request cannot be served: an entry of the table and what its words name. */
export interface Problem {
  readonly name: ErrorName;
  readonly values?: readonly string[];
}

export class TwilioError extends Error {
  readonly code: number;
  readonly status: number;
  constructor(code: number, status: number, message: string) {
    super(message);
    this.name = "TwilioError";
    this.code = code;
    this.status = status;
  }
}

export function failure({ name, values = [] }: Problem): TwilioError {
  const entry: ErrorEntry = table[name];
  return new TwilioError(entry.code, entry.status, entry.text(values[0] ?? "", values[1] ?? ""));
}

export function reject(name: ErrorName, ...values: readonly string[]): never {
  throw failure({ name, values });
}

/** The path a 404 names: with version and extension on the 2010 API, without the version on product APIs. */
export function resourcePath(exchange: Exchange): string {
  const query = exchange.target.indexOf("?");
  const path = query < 0 ? exchange.target : exchange.target.slice(0, query);
  const prefix = exchange.base.slice(exchange.origin.length);
  const own = prefix !== "" && path.startsWith(prefix) ? path.slice(prefix.length) : path;
  return own.replace(/^\/v\d+(?=\/|$)/, "");
}

/** Renders every error of one host: `domain` is what X-API-Domain says. */
export function createErrors(domain: string): ProviderErrors {
  const render = (
    exchange: Exchange,
    error: TwilioError,
    more: { headers?: Record<string, string>; details?: unknown } = {},
  ) => renderError(exchange, domain, error, more);
  return {
    notFound: (exchange) => render(exchange, failure({ name: "notFound", values: [resourcePath(exchange)] })),
    methodNotAllowed: (exchange, allowed) =>
      render(exchange, failure({ name: "methodNotAllowed" }), { headers: { Allow: allowed.join(", ") } }),
    tooLarge: (exchange, limit) => render(exchange, failure({ name: "tooLarge", values: [String(limit)] })),
    throttled: (exchange, seconds) =>
      render(exchange, failure({ name: "throttled" }), { headers: { "Retry-After": String(seconds) } }),
    unavailable: (exchange, { message, ...details }) =>
      render(exchange, failure({ name: "unavailable", values: [`${message} ${details.hint}`] }), { details }),
    unexpected: (exchange, incident) => render(exchange, failure({ name: "unexpected", values: [incident] })),
    fault: (exchange, { status, code, message }) => {
      const known = typeof code === "number" ? code : Number.parseInt(code ?? "", 10);
      const number = Number.isNaN(known) ? faultCode(status) : known;
      return render(exchange, new TwilioError(number, status, message ?? faultText(number)));
    },
    thrown: (exchange, cause) => (cause instanceof TwilioError ? render(exchange, cause) : undefined),
  };
}

/** The general code of a status, where a planned fault names none. */
function faultCode(status: number): number {
  const general: Readonly<Record<number, number>> = {
    401: 20003,
    403: 20403,
    404: 20404,
    429: 20429,
    500: 20500,
    503: 20503,
  };
  return general[status] ?? 20500;
}

function faultText(code: number): string {
  const entry = Object.values<ErrorEntry>(table).find((one) => one.code === code);
  return entry?.text("", "") ?? "A planned fault";
}

function renderError(
  exchange: Exchange,
  domain: string,
  error: TwilioError,
  more: { readonly headers?: Record<string, string>; readonly details?: unknown },
): Response {
  const { code, status, message } = error;
  exchange.note("errorCode", code);
  const xml = wantsXml(exchange);
  const headers = {
    ...responseHeaders(exchange, domain, xml ? "application/xml" : "application/json"),
    "X-Twilio-Error-Code": String(code),
    ...(status === 401 ? { "WWW-Authenticate": 'Basic realm="Twilio API"' } : {}),
    ...more.headers,
  };
  const moreInfo = `https://www.twilio.com/docs/errors/${code}`;
  const details = more.details === undefined ? {} : { details: more.details };
  if (xml) {
    const exception = { code, message, more_info: moreInfo, status, ...details };
    return answer(exchange, status, xmlDocument({ RestException: exception }), headers);
  }
  const body = { code, message, more_info: moreInfo, status, ...details };
  return answer(exchange, status, spacedJson(body), headers);
}
