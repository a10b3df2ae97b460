import type { ProviderErrors } from "../kernel/emulator.ts";
import { answer, type Exchange } from "../kernel/exchange.ts";
import { faultMessage } from "../kernel/refusals.ts";
import { armHeaders, requestGuid } from "./arm.ts";
import { KqlProblem } from "./kql/problem.ts";
import { ODataProblem } from "./odata/problem.ts";
import { armCode, tokenCode } from "./planned-errors.ts";

/** Azure Resource Manager's errors. https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors */
const table = {
  MissingApiVersionParameter: {
    status: 400,
    text: () => "The api-version query parameter (?api-version=) is required for all requests.",
  },
  InvalidApiVersionParameter: {
    status: 400,
    text: (version: string, supported: string) =>
      `The api-version '${version}' is invalid. The supported versions are '${supported}'.`,
  },
  NoRegisteredProviderFound: {
    status: 400,
    text: (version: string, supported: string, type: string) =>
      `No registered resource provider found for location 'global' and API version '${version}' for type '${type}'. The supported api-versions are '${supported}'. The supported locations are 'global'.`,
  },
  InvalidSubscriptionId: {
    status: 400,
    text: (id: string) => `The provided subscription identifier '${id}' is malformed or invalid.`,
  },
  SubscriptionNotFound: { status: 404, text: (id: string) => `The subscription '${id}' could not be found.` },
  ResourceGroupNotFound: { status: 404, text: (name: string) => `Resource group '${name}' could not be found.` },
  ResourceNotFound: {
    status: 404,
    text: (id: string) =>
      `The Resource '${id}' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix`,
  },
  PolicyDefinitionNotFound: {
    status: 404,
    text: (name: string) => `The policy definition '${name}' could not be found.`,
  },
  PolicySetDefinitionNotFound: {
    status: 404,
    text: (name: string) => `The policy set definition '${name}' could not be found.`,
  },
  PolicyDefinitionVersionNotFound: {
    status: 404,
    text: (name: string, version: string) => `The version '${version}' of '${name}' could not be found.`,
  },
  PolicyAssignmentNotFound: { status: 404, text: (name: string) => `The policy assignment '${name}' is not found.` },
  PolicyExemptionNotFound: { status: 404, text: (name: string) => `The policy exemption '${name}' is not found.` },
  ManagementGroupNotFound: { status: 404, text: (name: string) => `The management group '${name}' cannot be found.` },
  InvalidPolicyRule: { status: 400, text: (why: string) => `Failed to parse policy rule: '${why}'.` },
  InvalidPolicyRuleEffect: {
    status: 400,
    text: (name: string, effect: string) =>
      `The policy definition '${name}' rule is invalid. The policy effect '${effect}' is not supported.`,
  },
  InvalidPolicyRuleEffectDetails: {
    status: 400,
    text: (name: string) =>
      `The policy definition '${name}' rule is invalid. The policy effect 'details' property could not be parsed.`,
  },
  UnusedPolicyParameters: {
    status: 400,
    text: (name: string, parameters: string) =>
      `The policy '${name}' has defined parameters '${parameters}' which are not used in the policy rule. Please either remove these parameters from the definition or ensure that they are used in the policy rule.`,
  },
  UndefinedPolicyParameter: {
    status: 400,
    text: (who: string, parameters: string, definition: string) =>
      `The ${who} the parameter(s) '${parameters}' which are not defined in the policy definition '${definition}'.`,
  },
  MissingPolicyParameter: {
    status: 400,
    text: (who: string, parameters: string, definition: string) =>
      `The ${who} is missing the parameter(s) '${parameters}' as defined in the policy definition '${definition}'.`,
  },
  PolicyParameterValueNotAllowed: {
    status: 400,
    text: (value: string, parameter: string, definition: string, allowed: string) =>
      `The value '${value}' is not allowed for policy parameter '${parameter}' in policy definition '${definition}'. The allowed values are '${allowed}'.`,
  },
  InvalidCreatePolicySetDefinitionRequest: {
    status: 400,
    text: (name: string, why: string) => `The policy set definition '${name}' request is invalid. ${why}`,
  },
  InvalidDeletePolicyDefinitionRequest: {
    status: 400,
    text: (name: string, kind: string, id: string) =>
      `The policy definition '${name}' cannot be deleted. It is referenced by the ${kind} '${id}'. Please delete all ${kind}s referencing the policy.`,
  },
  InvalidDeletePolicySetDefinitionRequest: {
    status: 400,
    text: (name: string, kind: string, id: string) =>
      `The policy set definition '${name}' cannot be deleted. It is referenced by the ${kind} '${id}'. Please delete all ${kind}s referencing the policy.`,
  },
  ResourceIdentityRequired: {
    status: 400,
    text: (name: string, effect: string) =>
      `The policy assignment '${name}' request is invalid. Policy assignments must include a 'managed identity' when assigning '${effect}' policy definitions.`,
  },
  InvalidResourceLocation: {
    status: 409,
    text: (name: string, there: string, group: string, wanted: string) =>
      `The resource '${name}' already exists in location '${there}' in resource group '${group}'. A resource with the same name cannot be created in location '${wanted}'. Please select a new resource name.`,
  },
  InvalidResourceGroupLocation: {
    status: 409,
    text: (wanted: string, there: string) =>
      `Invalid resource group location '${wanted}'. The Resource group already exists in location '${there}'.`,
  },
  LocationRequired: { status: 400, text: () => "The location property is required for this definition." },
  InvalidRequestContent: { status: 400, text: (why: string) => `The request content was invalid: ${why}` },
  BadRequest: { status: 400, text: (why: string) => `${why}.` },
  InvalidRequest: { status: 400, text: (why: string) => `The request is invalid: ${why}.` },
  InvalidResourceNamespace: { status: 404, text: (name: string) => `The resource namespace '${name}' is invalid.` },
  InvalidCreateRemediationRequest: {
    status: 400,
    text: (why: string) => `The request to create a remediation is invalid: ${why}`,
  },
  InvalidCancelRemediationRequest: {
    status: 400,
    text: (name: string) => `The remediation '${name}' has ended and cannot be canceled.`,
  },
  InvalidCreateAttestationRequest: {
    status: 400,
    text: (why: string) => `The request to create an attestation is invalid: ${why}`,
  },
  PolicyMetadataNotFound: { status: 404, text: (name: string) => `The policy metadata '${name}' could not be found.` },
  InvalidResourceType: {
    status: 404,
    text: (path: string) =>
      `The resource type could not be found in the namespace for '${path}': Backlot does not emulate this operation.`,
  },
  ResourceTypeNotSupported: {
    status: 404,
    text: (type: string) => `Unsupported resource type: '${type}'.`,
  },
  AuthenticationFailed: {
    status: 401,
    text: () => "Authentication failed. The 'Authorization' header is missing.",
  },
  InvalidAuthenticationToken: { status: 401, text: () => "The access token is invalid." },
  ExpiredAuthenticationToken: {
    status: 401,
    text: (expired: string, now: string) =>
      `The access token expiry UTC time '${expired}' is earlier than current UTC time '${now}'.`,
  },
  AuthorizationFailed: {
    status: 403,
    text: (client: string, object: string, action: string, scope: string) =>
      `The client '${client}' with object id '${object}' does not have authorization to perform action '${action}' over scope '${scope}' or the scope is invalid. If access was recently granted, please refresh your credentials.`,
  },
  RequestDisallowedByPolicy: {
    status: 403,
    text: (what: string, why: string) => `${what} was disallowed by policy. ${why}`,
  },
  ResourceRequestsThrottled: {
    status: 429,
    text: (namespace: string, limit: string, seconds: string) =>
      `Number of requests for ${namespace} exceeded the limit of '${limit}'. Please try again after '${seconds}' seconds.`,
  },
  InvalidAuthenticationTokenAudience: {
    status: 401,
    text: (audience: string, allowed: string) =>
      `The access token has been obtained for wrong audience or resource '${audience}'. It should exactly match with one of the allowed audiences '${allowed}'.`,
  },
} as const satisfies Record<string, { status: number; text: (...values: string[]) => string }>;

export type ArmErrorCode = keyof typeof table;

export interface ErrorDetails {
  readonly target?: string;
  readonly additionalInfo?: readonly { readonly type: string; readonly info: object }[];
}

export class ArmError extends Error {
  readonly code: ArmErrorCode;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** More members of the error: what it is about, and details for programs. */
  readonly more: ErrorDetails;
  constructor(
    code: ArmErrorCode,
    status: number,
    message: string,
    headers: Readonly<Record<string, string>>,
    more: ErrorDetails = {},
  ) {
    super(message);
    this.name = "ArmError";
    this.code = code;
    this.status = status;
    this.headers = headers;
    this.more = more;
  }
}

export function reject<Code extends ArmErrorCode>(
  code: Code,
  ...values: Parameters<(typeof table)[Code]["text"]>
): never {
  throw armError(code, {}, ...values);
}

export function armError<Code extends ArmErrorCode>(
  code: Code,
  headers: Readonly<Record<string, string>>,
  ...values: Parameters<(typeof table)[Code]["text"]>
): ArmError {
  const { status } = table[code];
  const text: (...values: string[]) => string = table[code].text;
  return new ArmError(code, status, text(...values), headers);
}

/** A write that policies refuse. @throws ArmError 403 */
export function disallow(what: string, why: string, more: ErrorDetails): never {
  const { status, text } = table.RequestDisallowedByPolicy;
  throw new ArmError("RequestDisallowedByPolicy", status, text(what, why), {}, more);
}

/** Errors of the token endpoint. https://learn.microsoft.com/entra/identity-platform/reference-error-codes */
const tokenTable = {
  wrongSecret: {
    number: 7000215,
    error: "invalid_client",
    status: 401,
    text: (clientId: string) =>
      `Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '${clientId}'.`,
  },
  noCredential: {
    number: 7000218,
    error: "invalid_client",
    status: 401,
    text: () => "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
  },
  malformedAssertion: {
    number: 50027,
    error: "invalid_request",
    status: 400,
    text: () => "JWT token is invalid or malformed.",
  },
  foreignAssertion: {
    number: 700213,
    error: "invalid_client",
    status: 401,
    text: (clientId: string) =>
      `No matching federated identity record found for presented assertion: its issuer and subject must be '${clientId}'.`,
  },
  expiredAssertion: {
    number: 700024,
    error: "invalid_client",
    status: 401,
    text: () => "Client assertion is not within its valid time range.",
  },
  unknownCertificate: {
    number: 700027,
    error: "invalid_client",
    status: 401,
    text: (clientId: string) =>
      `The certificate with identifier used to sign the client assertion is not registered on application '${clientId}'.`,
  },
  unknownApplication: {
    number: 700016,
    error: "unauthorized_client",
    status: 400,
    text: (clientId: string, tenant: string) =>
      `Application with identifier '${clientId}' was not found in the directory '${tenant}'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.`,
  },
  unknownTenant: {
    number: 90002,
    error: "invalid_request",
    status: 400,
    text: (tenant: string) =>
      `Tenant '${tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.`,
  },
  invalidScope: {
    number: 70011,
    error: "invalid_scope",
    status: 400,
    text: (scope: string) =>
      `The provided request must include a 'scope' input parameter. The provided value for the input parameter 'scope' is not valid. The scope ${scope} is not valid.`,
  },
  unsupportedGrant: {
    number: 70003,
    error: "unsupported_grant_type",
    status: 400,
    text: (grant: string) => `The app requested an unsupported grant type '${grant}'.`,
  },
  missingParameter: {
    number: 900144,
    error: "invalid_request",
    status: 400,
    text: (name: string) => `The request body must contain the following parameter: '${name}'.`,
  },
} as const satisfies Record<
  string,
  { number: number; error: string; status: number; text: (...values: string[]) => string }
>;

type TokenErrorName = keyof typeof tokenTable;

export class TokenError extends Error {
  readonly status: number;
  readonly error: string;
  readonly number: number;
  /** Machine time: sign-in is on the clock of whoever checks it. */
  readonly wallAt: number;
  constructor(entry: { number: number; error: string; status: number }, message: string, wallAt: number) {
    super(message);
    this.name = "TokenError";
    this.status = entry.status;
    this.error = entry.error;
    this.number = entry.number;
    this.wallAt = wallAt;
  }
}

export function refuseToken<Name extends TokenErrorName>(
  name: Name,
  wallAt: number,
  ...values: Parameters<(typeof tokenTable)[Name]["text"]>
): never {
  const text: (...values: string[]) => string = tokenTable[name].text;
  throw new TokenError(tokenTable[name], text(...values), wallAt);
}

export const errors: ProviderErrors = {
  notFound: (exchange) => shown(exchange, armError("InvalidResourceType", {}, pathOf(exchange))),
  methodNotAllowed: (exchange, allowed) =>
    render(
      exchange,
      405,
      "MethodNotAllowed",
      `The HTTP method '${exchange.method}' is not supported at this location.`,
      {
        allow: allowed.join(", "),
      },
    ),
  tooLarge: (exchange, limit) =>
    render(
      exchange,
      413,
      "RequestContentTooLarge",
      `The request content size exceeds the maximum size of '${limit}' bytes.`,
      {
        connection: "close",
      },
    ),
  throttled(exchange, seconds) {
    const headers = { "retry-after": String(seconds) };
    if (isSignIn(exchange)) {
      const message = `Too many requests. Please try again after '${seconds}' seconds.`;
      return renderToken(exchange, 429, tokenCode(429, undefined).error, message, [], exchange.at, headers);
    }
    const message = `Number of requests for Microsoft.PolicyInsights exceeded the limit. Please try again after '${seconds}' seconds.`;
    return render(exchange, 429, "ResourceRequestsThrottled", message, headers);
  },
  unavailable(exchange, refused) {
    const message = `${refused.message} ${refused.hint}`;
    if (isSignIn(exchange)) return renderToken(exchange, 503, "temporarily_unavailable", message, [], exchange.at);
    const details = [
      { code: "Required", target: "environment", message: refused.required.join(", ") },
      { code: "Missing", target: "environment", message: refused.missing.join(", ") },
      { code: "Example", target: "environment", message: refused.example },
      { code: "Documentation", target: "README", message: refused.docs },
    ];
    return answerError(exchange, 503, { code: "ServiceUnavailable", message, details }, {});
  },
  unexpected: (exchange, incident) =>
    render(
      exchange,
      500,
      "InternalServerError",
      `Backlot failed; this is a defect of its own. Incident: ${incident}`,
      {},
    ),
  fault(exchange, { status, code, message = faultMessage(status) }) {
    if (!isSignIn(exchange)) return render(exchange, status, String(code ?? armCode(status)), message, {});
    const { error, numbers } = tokenCode(status, code);
    const text = numbers[0] === undefined ? message : `AADSTS${numbers[0]}: ${message}`;
    return renderToken(exchange, status, error, text, numbers, exchange.at);
  },
  thrown(exchange, cause) {
    if (cause instanceof ArmError) return shown(exchange, cause);
    if (cause instanceof ODataProblem) return render(exchange, 400, codeOf(cause.option), cause.message, {});
    if (cause instanceof KqlProblem) return kqlRefused(exchange, cause);
    if (cause instanceof TokenError) {
      const message = `AADSTS${cause.number}: ${cause.message}`;
      return renderToken(exchange, cause.status, cause.error, message, [cause.number], cause.wallAt);
    }
    return undefined;
  },
};

function kqlRefused(exchange: Exchange, { kind, at, token, message }: KqlProblem): Response {
  const advice =
    "Query is invalid. Please refer to the documentation for the Azure Resource Graph service and fix the error before retrying.";
  const details =
    kind === "InvalidQuery"
      ? [{ code: kind, message }]
      : [
          { code: "InvalidQuery", message: advice },
          { code: kind, message, characterPositionInLine: at, token: token.slice(0, 100) },
        ];
  const text = `Please provide below info when asking for support: timestamp = ${new Date(exchange.at).toISOString()}, correlationId = ${requestGuid(exchange)}.`;
  return answerError(exchange, 400, { code: "BadRequest", message: text, details }, {});
}

/** InvalidFilterInQueryString is the service's own; the names for other options follow it. */
function codeOf(option: string): string {
  if (option === "$skiptoken") return "InvalidSkipToken";
  const words: Record<string, string> = { $orderby: "OrderBy", $apply: "Apply", $expand: "Expand", $select: "Select" };
  const word = words[option] ?? option.charAt(1).toUpperCase() + option.slice(2);
  return `Invalid${word}InQueryString`;
}

function isSignIn(exchange: Exchange): boolean {
  return /\/(oauth2|msi)\//i.test(pathOf(exchange));
}

function pathOf({ target }: Exchange): string {
  const mark = target.indexOf("?");
  return mark < 0 ? target : target.slice(0, mark);
}

function shown(exchange: Exchange, { status, code, message, headers, more }: ArmError): Response {
  return answerError(exchange, status, { code, message, ...more }, headers);
}

function render(
  exchange: Exchange,
  status: number,
  code: string,
  message: string,
  headers: Readonly<Record<string, string>>,
) {
  return answerError(exchange, status, { code, message }, headers);
}

function answerError(
  exchange: Exchange,
  status: number,
  error: object,
  headers: Readonly<Record<string, string>>,
): Response {
  return answer(exchange, status, JSON.stringify({ error }), { ...armHeaders(exchange), ...headers });
}

function renderToken(
  exchange: Exchange,
  status: number,
  error: string,
  message: string,
  numbers: readonly number[],
  wallAt: number,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const trace = requestGuid(exchange);
  const correlation = exchange.header("client-request-id") ?? trace;
  const timestamp = `${new Date(wallAt).toISOString().slice(0, 19).replace("T", " ")}Z`;
  const body = {
    error,
    error_description: `${message} Trace ID: ${trace} Correlation ID: ${correlation} Timestamp: ${timestamp}`,
    error_codes: numbers,
    timestamp,
    trace_id: trace,
    correlation_id: correlation,
    ...(numbers[0] === undefined ? {} : { error_uri: `${exchange.base}/error?code=${numbers[0]}` }),
  };
  return answer(exchange, status, JSON.stringify(body), {
    "content-type": "application/json; charset=utf-8",
    "cache-control": "no-store, no-cache",
    pragma: "no-cache",
    "x-ms-request-id": trace,
    ...headers,
  });
}
