/** What the compliance view asks of Azure Resource Manager, and how it reads: the same queries a client would send. */

import type { Api } from "../api.ts";
import type { Reader } from "../state.ts";

/** The emulator answers here as the seeded application; a page has no token of Entra's. */
export const arm = "/_backlot/members/azure-policyinsights/azure-policyinsights/arm";
const insights = "providers/Microsoft.PolicyInsights";
const version = "2024-10-01";

export interface Query {
  readonly method: "GET" | "POST";
  /** Path and query as a client sends them to https://management.azure.com. */
  readonly path: string;
}

export interface StateRecord {
  readonly timestamp: string;
  readonly resourceId: string;
  readonly resourceType: string;
  readonly resourceLocation: string;
  readonly resourceGroup: string;
  readonly policyAssignmentId: string;
  readonly policyAssignmentName: string;
  readonly policyDefinitionId: string;
  readonly policyDefinitionAction: string;
  readonly policyDefinitionReferenceId?: string;
  readonly policySetDefinitionId?: string;
  readonly policyDefinitionGroupNames?: readonly string[];
  readonly complianceState?: string;
  readonly isCompliant: boolean;
  readonly policyEvaluationDetails?: {
    readonly evaluatedExpressions?: readonly Expression[];
    readonly ifNotExistsDetails?: { readonly resourceId?: string; readonly totalResources: number };
    readonly reason?: string;
  };
}

export interface Expression {
  readonly result: string;
  readonly expression: string;
  readonly expressionKind: string;
  readonly path: string;
  readonly expressionValue: unknown;
  readonly targetValue: unknown;
  readonly operator: string;
}

export interface Results {
  readonly nonCompliantResources: number;
  readonly nonCompliantPolicies: number;
  readonly resourceDetails: readonly { readonly complianceState: string; readonly count: number }[];
}

export interface AssignmentSummary {
  readonly policyAssignmentId: string;
  readonly policySetDefinitionId: string;
  readonly results: Results;
  readonly policyDefinitions: readonly {
    readonly policyDefinitionId: string;
    readonly policyDefinitionReferenceId: string;
    readonly effect: string;
    readonly results: Results;
  }[];
}

export interface Summary {
  readonly value: readonly [{ readonly results: Results; readonly policyAssignments: readonly AssignmentSummary[] }];
}

/** One state of one resource under one policy of one assignment. */
export interface StateKey {
  readonly resource: string;
  readonly assignment: string;
  readonly definition: string;
  readonly reference: string;
}

export const keyTextOf = (row: StateRecord) =>
  [row.resourceId, row.policyAssignmentId, row.policyDefinitionId, row.policyDefinitionReferenceId ?? ""].join("|");

export function keyFrom(text: string): StateKey {
  const [resource = "", assignment = "", definition = "", reference = ""] = text.split("|");
  return { resource, assignment, definition, reference };
}

export const summaryOf = (scope: string): Query => ({
  method: "POST",
  path: pathOf(`${scope}/${insights}/policyStates/latest/summarize`, {}),
});

export const statesOf = (scope: string, filters: readonly string[]): Query => ({
  method: "POST",
  path: pathOf(`${scope}/${insights}/policyStates/latest/queryResults`, {
    $top: "10000",
    $orderby: "timestamp desc",
    ...(filters.length === 0 ? {} : { $filter: filters.join(" and ") }),
  }),
});

export const eventsOf = (scope: string, from: string): Query => ({
  method: "POST",
  path: pathOf(`${scope}/${insights}/policyEvents/default/queryResults`, {
    $from: from,
    $top: "10000",
    $orderby: "timestamp desc",
  }),
});

/** With the expressions that were evaluated: only asked about one resource does Azure tell them. */
export const detailOf = ({ resource, assignment, definition, reference }: StateKey): Query => ({
  method: "POST",
  path: pathOf(`${resource}/${insights}/policyStates/latest/queryResults`, {
    $expand: "PolicyEvaluationDetails",
    $filter: filters({ assignment, definition, reference }).join(" and "),
  }),
});

export function filters(wanted: { assignment?: string; definition?: string; reference?: string; state?: string }) {
  const { assignment = "", definition = "", reference = "", state = "" } = wanted;
  return [
    ["policyAssignmentId", assignment],
    ["policyDefinitionId", definition],
    ["policyDefinitionReferenceId", reference],
    ["complianceState", state],
  ].flatMap(([field, value = ""]) => (value === "" ? [] : [`${field} eq '${value.replaceAll("'", "''")}'`]));
}

export const remediationsOf = (scope: string): Query => ({
  method: "GET",
  path: pathOf(`${scope}/${insights}/remediations`, {}),
});

export const remediationPath = (scope: string, name: string) => pathOf(`${scope}/${insights}/remediations/${name}`, {});
export const cancelPath = (id: string) => pathOf(`${id}/cancel`, {});

export const listOf = (path: string, apiVersion: string): Query => ({
  method: "GET",
  path: pathOf(path, {}, apiVersion),
});

function pathOf(path: string, options: Readonly<Record<string, string>>, apiVersion = version): string {
  const segments = path.split("/").map(encoded).join("/");
  const query = Object.entries({ "api-version": apiVersion, ...options }).map(
    ([name, value]) => `${name}=${encoded(value)}`,
  );
  return `${segments}?${query.join("&")}`;
}

const encoded = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16)}`);

/** Queries are POSTs: Azure's own way of keeping long filters out of addresses. */
export const asQuery: Reader<unknown> = (api, path) => api.send("POST", path);

const mostRecords = 10_000;

interface Page {
  readonly value: readonly unknown[];
  readonly "@odata.nextLink"?: string | null;
}

/** Page after page, as far as a list can show. */
export async function asPages(api: Api, path: string): Promise<Page> {
  const value: unknown[] = [];
  let next: string | undefined = path;
  while (next !== undefined && value.length < mostRecords) {
    const page: Page = await api.send<Page>("POST", next);
    value.push(...page.value);
    const link = page["@odata.nextLink"];
    next = link ? arm + link.replace(/^https?:\/\/[^/]+/, "").replace(arm, "") : undefined;
  }
  return { value };
}

/** For a shell: `az rest` signs in, and goes where the environment points it. */
export function commandOf({ method, path }: Query): string {
  return `az rest --method ${method.toLowerCase()} --url 'https://management.azure.com${path}'`;
}

export const lastOf = (id: string) => id.split("/").at(-1) ?? id;
