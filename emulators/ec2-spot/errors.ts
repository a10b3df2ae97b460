/** Errors of EC2 and STS in one table, the class that carries them, and their two XML envelopes. */
import type { ProviderErrors } from "../kernel/emulator.ts";
import { answer, type Exchange } from "../kernel/exchange.ts";
import { serviceOf } from "./service.ts";
import { type Failure, failureXml, requestId } from "./wire/xml.ts";

/** Codes and texts: EC2 API reference "Common errors", STS API reference; recorded answers where they differ. */
const table = {
  missingAction: {
    code: "MissingAction",
    status: 400,
    text: () => "The request is missing an action or a required parameter.",
  },
  invalidAction: {
    code: "InvalidAction",
    status: 400,
    text: (action: string) => `The action ${action} is not valid for this web service.`,
  },
  invalidActionVersion: {
    code: "InvalidAction",
    status: 400,
    text: (action: string, version: string) => `Could not find operation ${action} for version ${version}`,
  },
  malformedQuery: {
    code: "MalformedQueryString",
    status: 400,
    text: (part: string) => `The query string contains a syntax error: ${part}`,
  },
  noSuchVersion: {
    code: "NoSuchVersion",
    status: 400,
    text: (version: string) => `The requested version (${version}) of service AmazonEC2 does not exist`,
  },
  missingParameter: {
    code: "MissingParameter",
    status: 400,
    text: (name: string) => `The request must contain the parameter ${name}`,
  },
  unknownParameter: {
    code: "UnknownParameter",
    status: 400,
    text: (name: string) => `The parameter ${name} is not recognized`,
  },
  parameterCombination: {
    code: "InvalidParameterCombination",
    status: 400,
    text: (one: string, other: string) => `The parameter ${one} cannot be used with the parameter ${other}`,
  },
  badValue: {
    code: "InvalidParameterValue",
    status: 400,
    text: (name: string, value: string) => `Value (${value}) for parameter ${name} is invalid.`,
  },
  belowLeast: {
    code: "InvalidParameterValue",
    status: 400,
    text: (value: string, least: string) =>
      `Value ( ${value} ) for parameter maxResults is invalid. Expecting a value greater than ${least}.`,
  },
  aboveMost: {
    code: "InvalidParameterValue",
    status: 400,
    text: (value: string, most: string) =>
      `Value ( ${value} ) for parameter maxResults is invalid. Expecting a value less than or equal to ${most}.`,
  },
  badFilter: { code: "InvalidParameterValue", status: 400, text: (name: string) => `The filter '${name}' is invalid` },
  badZone: {
    code: "InvalidParameterValue",
    status: 400,
    text: (name: string) => `Invalid availability zone: [${name}]`,
  },
  badZoneId: {
    code: "InvalidParameterValue",
    status: 400,
    text: (id: string) => `Invalid availability zone-id: [${id}]`,
  },
  badRegion: { code: "InvalidParameterValue", status: 400, text: (name: string) => `Invalid region provided: ${name}` },
  badWindow: {
    code: "InvalidParameterValue",
    status: 400,
    text: (start: string, end: string) => `startTime ${start} must not be later than endTime ${end}`,
  },
  badToken: {
    code: "InvalidPaginationToken",
    status: 400,
    text: () => "The pagination token is not valid for this request; repeat the request without NextToken.",
  },
  instanceType: {
    code: "InvalidInstanceType",
    status: 400,
    text: (names: string) => `The following supplied instance types do not exist: [${names}]`,
  },
  dryRun: { code: "DryRunOperation", status: 412, text: () => "Request would have succeeded, but DryRun flag is set." },
  optIn: {
    code: "OptInRequired",
    status: 403,
    text: (region: string) => `The account is not enabled in ${region}. Opt in to the region first.`,
  },
  unknownRegion: {
    code: "AuthFailure",
    status: 401,
    text: () => "AWS was not able to validate the provided access credentials",
  },
  authFailure: {
    code: "AuthFailure",
    status: 401,
    text: () => "AWS was not able to validate the provided access credentials",
  },
  requestExpired: { code: "RequestExpired", status: 400, text: () => "Request has expired." },
  missingAuthentication: {
    code: "MissingAuthenticationToken",
    status: 403,
    text: () => "Request is missing Authentication Token",
  },
  incompleteSignature: {
    code: "IncompleteSignature",
    status: 400,
    text: (part: string) => `The request signature does not conform to AWS standards: ${part}`,
  },
  invalidClientToken: {
    code: "InvalidClientTokenId",
    status: 403,
    text: () => "The security token included in the request is invalid.",
  },
  signatureMismatch: {
    code: "SignatureDoesNotMatch",
    status: 403,
    text: () =>
      "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
  },
  signatureExpired: {
    code: "SignatureDoesNotMatch",
    status: 403,
    text: (signed: string, limit: string) => `Signature expired: ${signed} is now earlier than ${limit}`,
  },
  signatureEarly: {
    code: "SignatureDoesNotMatch",
    status: 403,
    text: (signed: string, limit: string) => `Signature not yet current: ${signed} is still later than ${limit}`,
  },
  expiredToken: {
    code: "ExpiredToken",
    status: 403,
    text: () => "The security token included in the request is expired",
  },
  accessDenied: {
    code: "AccessDenied",
    status: 403,
    text: (caller: string, role: string) =>
      `User: ${caller} is not authorized to perform: sts:AssumeRole on resource: ${role}`,
  },
  validation: { code: "ValidationError", status: 400, text: (problems: string) => problems },
  malformedPolicy: { code: "MalformedPolicyDocument", status: 400, text: () => "This policy contains invalid Json" },
} as const satisfies Record<string, { code: string; status: number; text: (one: string, other: string) => string }>;

export type ErrorName = keyof typeof table;

export class AwsError extends Error {
  readonly code: string;
  readonly status: number;
  constructor(code: string, status: number, message: string) {
    super(message);
    this.name = "AwsError";
    this.code = code;
    this.status = status;
  }
}

/** Throws the error of this name; the values fill its text. */
export function reject(name: ErrorName, one = "", other = ""): never {
  const { code, status, text } = table[name];
  throw new AwsError(code, status, text(one, other));
}

function fail(
  exchange: Exchange,
  status: number,
  failure: Failure,
  headers?: Readonly<Record<string, string>>,
): Response {
  const service = serviceOf(exchange) === "sts" ? "sts" : "ec2";
  return answer(exchange, status, failureXml(service, failure, exchange.id), {
    "content-type": service === "sts" ? "text/xml" : "text/xml;charset=UTF-8",
    "x-amzn-requestid": requestId(exchange.id),
    ...headers,
  });
}

const server = { fault: "Receiver" } as const;
const sender = { fault: "Sender" } as const;

export const awsErrors: ProviderErrors = {
  notFound: (exchange) =>
    fail(exchange, 404, {
      ...sender,
      code: "InvalidAction",
      message: `${exchange.target.split("?")[0]} is no path of this web service; send queries to /`,
    }),
  methodNotAllowed: (exchange, allowed) =>
    fail(
      exchange,
      405,
      { ...sender, code: "MethodNotAllowed", message: `Use ${allowed.join(" or ")}.` },
      { allow: allowed.join(", ") },
    ),
  tooLarge: (exchange, limit) =>
    fail(
      exchange,
      413,
      { ...sender, code: "RequestEntityTooLarge", message: `The request is larger than ${limit} bytes.` },
      { connection: "close" },
    ),
  throttled: (exchange, seconds) =>
    fail(
      exchange,
      503,
      { ...server, code: "RequestLimitExceeded", message: "Request limit exceeded." },
      { "retry-after": String(seconds) },
    ),
  unavailable: (exchange, refused) =>
    fail(exchange, 503, {
      ...server,
      code: "ServiceUnavailable",
      message:
        `${refused.message} ${refused.hint} Required: ${refused.required.join(", ")}; missing: ${refused.missing.join(", ") || "none"}. ` +
        `Docs: ${refused.docs}. Example: ${refused.example.replaceAll("\n", "; ")}`,
    }),
  unexpected: (exchange, incident) =>
    fail(exchange, 500, {
      ...server,
      code: "InternalError",
      message: `An internal error has occurred (incident ${incident}).`,
    }),
  thrown: (exchange, cause) =>
    cause instanceof AwsError
      ? fail(exchange, cause.status, {
          fault: cause.status >= 500 ? "Receiver" : "Sender",
          code: cause.code,
          message: cause.message,
        })
      : undefined,
};
