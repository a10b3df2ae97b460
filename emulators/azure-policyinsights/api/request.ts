/** The first steps of every request to Azure Resource Manager: who asks, in which version, about which subscription. */
import type { Runtime } from "../../kernel/emulator.ts";
import type { Exchange } from "../../kernel/exchange.ts";
import { actionOf, isAllowed, type Role } from "../domain/roles.ts";
import { armError, reject } from "../errors.ts";
import { parseQuery, type Query } from "../odata/query.ts";
import { type QuotaName, quotas } from "../quota.ts";
import type { Application, AzureState } from "../store.ts";

export interface ArmRequest {
  readonly query: Query;
  readonly apiVersion: string;
  /** Segments of the path as they came, percent-decoded. */
  readonly segments: readonly string[];
  readonly role: Role;
}

const audiences = [
  "https://management.core.windows.net/",
  "https://management.core.windows.net",
  "https://management.azure.com/",
  "https://management.azure.com",
];

/** Names of a group of operations in error texts, and the versions it takes; undefined for any version. */
export interface Versions {
  readonly type: string;
  readonly supported: readonly string[] | undefined;
}

/** Azure Resource Manager's own operations: old and new clients ask in a great many versions. */
export const armVersions: Versions = { type: "subscriptions", supported: undefined };
export const authorizationVersions: Versions = { type: "policyAssignments", supported: undefined };
export const policyStateVersions: Versions = {
  type: "policyStates",
  supported: [
    "2017-10-17-preview",
    "2017-12-12-preview",
    "2018-04-04",
    "2018-07-01-preview",
    "2019-10-01",
    "2024-10-01",
  ],
};

export const policyEventVersions: Versions = {
  type: "policyEvents",
  supported: ["2017-08-09-preview", ...(policyStateVersions.supported ?? [])],
};
export const operationVersions: Versions = { type: "operations", supported: undefined };
export const metadataVersions: Versions = { type: "policyMetadata", supported: ["2019-10-01", "2024-10-01"] };
export const trackedVersions: Versions = { type: "policyTrackedResources", supported: ["2018-07-01-preview"] };
export const componentVersions: Versions = { type: "componentPolicyStates", supported: ["2022-04-01", "2024-10-01"] };
export const remediationVersions: Versions = {
  type: "remediations",
  supported: ["2018-07-01-preview", "2019-07-01", "2021-10-01", "2024-10-01"],
};
export const attestationVersions: Versions = {
  type: "attestations",
  supported: ["2021-01-01", "2022-09-01", "2024-10-01"],
};
export const eventGridVersions: Versions = { type: "eventSubscriptions", supported: undefined };
export const costVersions: Versions = {
  type: "query",
  supported: ["2019-11-01", "2021-10-01", "2022-10-01", "2023-03-01", "2023-08-01", "2023-11-01", "2024-08-01"],
};
export const graphVersions: Versions = {
  type: "resources",
  supported: [
    "2018-09-01-preview",
    "2019-04-01",
    "2020-04-01-preview",
    "2021-03-01",
    "2021-06-01-preview",
    "2022-10-01",
    "2024-04-01",
  ],
};
export const restrictionVersions: Versions = {
  type: "checkPolicyRestrictions",
  supported: ["2020-07-01", "2022-03-01", "2023-03-01", "2024-10-01"],
};

/** @throws ArmError 401 or 400 */
export function readRequest(exchange: Exchange, runtime: Runtime<AzureState>, versions: Versions): ArmRequest {
  const principal = authenticate(exchange, runtime);
  const query = parseQuery(exchange.target);
  const segments = segmentsOf(exchange.target);
  const apiVersion = readVersion(query, versions);
  authorize(exchange, principal, segments);
  meter(exchange, runtime, principal, segments);
  return { query, apiVersion, segments, role: principal.role };
}

/** The application that signed a request in. */
export function authorOf({ notes }: Exchange): string {
  return notes.account === undefined ? "" : String(notes.account);
}

/** Lists that hold what the caller may see, empty or not, and documents that say nothing about anybody. */
const open =
  /^\/(subscriptions|tenants|providers\/microsoft\.(policyinsights\/(operations|policymetadata.*)|resourcegraph\/operations))$/i;

/** @throws ArmError 403 */
function authorize({ method }: Exchange, { role, clientId, objectId }: Application, segments: readonly string[]): void {
  if (role === "Owner" || open.test(`/${segments.join("/")}`)) return;
  const { action, scope } = actionOf(method, segments);
  if (!isAllowed(role, action)) reject("AuthorizationFailed", clientId, objectId, action, scope);
}

/** In a strict seed there is an end to how much may be asked. @throws ArmError 429 */
function meter(
  exchange: Exchange,
  { state, clock }: Runtime<AzureState>,
  { clientId }: Application,
  segments: readonly string[],
): void {
  if (!state.strict()) return;
  const path = segments.join("/").toLowerCase();
  const read = exchange.method === "GET" || exchange.method === "HEAD";
  const name: QuotaName = /\/(queryresults|summarize)$/.test(path)
    ? "policyInsights"
    : path === "providers/microsoft.resourcegraph/resources"
      ? "queries"
      : read
        ? "reads"
        : "writes";
  const { remaining, seconds } = state.quota.take(name, clientId, clock.now());
  exchange.note("quota", { [name]: Math.max(0, remaining) });
  if (remaining >= 0) return;
  const namespace = name === "queries" ? "Microsoft.ResourceGraph" : "Microsoft.PolicyInsights";
  const { most } = quotas[name];
  throw armError(
    "ResourceRequestsThrottled",
    { "retry-after": String(seconds) },
    namespace,
    String(most),
    String(seconds),
  );
}

function readVersion(query: Query, { type, supported }: Versions): string {
  const version = query.get("api-version");
  if (version === undefined || version === "") return reject("MissingApiVersionParameter");
  const known = supported ?? ["2014-04-01 and later"];
  if (!/^20\d{2}-\d{2}-\d{2}(-[a-z]+)?$/i.test(version))
    return reject("InvalidApiVersionParameter", version, known.join(","));
  if (supported && !supported.includes(version.toLowerCase()))
    return reject("NoRegisteredProviderFound", version, known.join(", "), type);
  return version;
}

function authenticate(exchange: Exchange, { state, clock }: Runtime<AzureState>): Application {
  const tenant = () => state.tenant().tenantId;
  const header = exchange.header("authorization");
  const challenge = (description: string) => ({
    "www-authenticate": `Bearer authorization_uri="${exchange.base}/${tenant()}", error="invalid_token", error_description="${description}"`,
  });
  if (header === undefined || header === "")
    throw armError(
      "AuthenticationFailed",
      challenge("The authentication failed because of missing 'Authorization' header."),
    );
  const token = /^Bearer\s+(\S+)$/i.exec(header)?.[1];
  const claims = token === undefined ? undefined : state.signer.read(token);
  if (!claims || claims.tid !== tenant())
    throw armError("InvalidAuthenticationToken", challenge("The access token is invalid."));
  const now = clock.wall();
  if (claims.exp * 1000 <= now)
    throw armError(
      "ExpiredAuthenticationToken",
      challenge("The access token has expired."),
      utc(claims.exp * 1000),
      utc(now),
    );
  const base = exchange.base;
  if (!audiences.includes(claims.aud) && claims.aud !== base && claims.aud !== `${base}/`)
    throw armError(
      "InvalidAuthenticationTokenAudience",
      challenge("The audience is invalid."),
      claims.aud,
      [...audiences, base].join(","),
    );
  exchange.note("account", claims.appid);
  return (
    state.application(claims.appid.toLowerCase()) ??
    reject("AuthorizationFailed", claims.appid, "", "Microsoft.Resources/subscriptions/read", "/")
  );
}

function utc(instant: number): string {
  return new Date(instant).toISOString();
}

function segmentsOf(target: string): readonly string[] {
  const mark = target.indexOf("?");
  const path = mark < 0 ? target : target.slice(0, mark);
  return path
    .split("/")
    .filter((segment) => segment !== "")
    .map(decodeSegment);
}

function decodeSegment(segment: string): string {
  if (!segment.includes("%")) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment; // not valid encoding: then it is meant as it stands
  }
}

/** The code of the subscription the path names. @throws ArmError 400 or 404 */
export function subscriptionOf({ segments }: ArmRequest, state: AzureState): number {
  const id = segments[1] ?? "";
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id)) reject("InvalidSubscriptionId", id);
  const code = state.readings().estate.subscriptions.findIndex((subscription) => subscription.id === id.toLowerCase());
  if (code < 0) reject("SubscriptionNotFound", id);
  return code;
}
