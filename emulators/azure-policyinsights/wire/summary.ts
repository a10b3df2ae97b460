/** The answer of `summarize`. */
import { complianceStates, nonCompliant } from "../domain/compliance.ts";
import type { Estate } from "../domain/estate.ts";
import { definitionId, setId } from "../domain/fields.ts";
import type { AssignmentSummary, Results, Summary, Tally } from "../domain/summary.ts";
import { spacedSeconds } from "./timestamp.ts";

export interface SummaryAddress {
  /** Of the metadata, `#summary` included. */
  readonly context: string;
  /** Of `queryResults` at the same scope, without a query. */
  readonly queryResults: string;
  readonly apiVersion: string;
  readonly window: { readonly from: number; readonly to: number };
  readonly filter: string | undefined;
}

/** `most` limits the assignments shown; the totals cover all of them. */
export function renderSummary(estate: Estate, summary: Summary, address: SummaryAddress, most: number | undefined) {
  const shown = most === undefined ? summary.assignments : summary.assignments.slice(0, most);
  return {
    "@odata.context": address.context,
    "@odata.count": 1,
    value: [
      {
        "@odata.id": null,
        "@odata.context": `${address.context}/$entity`,
        results: renderResults(summary.results, address, [], true),
        policyAssignments: shown.map((assignment) => renderAssignment(estate, assignment, address)),
      },
    ],
  };
}

function renderAssignment(estate: Estate, summary: AssignmentSummary, address: SummaryAddress) {
  const about = estate.assignments[summary.assignment];
  const policySetDefinitionId = about?.initiative ? setId(about.initiative) : "";
  const ofAssignment = `PolicyAssignmentId eq '${about?.id ?? ""}'`;
  return {
    policyAssignmentId: about?.id ?? "",
    policySetDefinitionId,
    results: renderResults(summary.results, address, [ofAssignment], true),
    policyDefinitions: summary.policies.map(({ policy, results }) => {
      const found = estate.policies[policy];
      const id = found ? definitionId(found.definition) : "";
      const reference = found?.reference ?? "";
      const terms = [ofAssignment, `PolicyDefinitionId eq '${id}'`];
      if (reference !== "") terms.push(`PolicyDefinitionReferenceId eq '${reference}'`);
      return {
        policyDefinitionGroupNames: found?.groups ?? [],
        policyDefinitionReferenceId: reference,
        policyDefinitionId: id,
        effect: found?.definition.effect.toLowerCase() ?? "",
        results: renderResults(results, address, terms, false),
      };
    }),
    policyGroups: summary.groups.map(({ name, results }) => {
      const terms = [ofAssignment, `PolicySetDefinitionId eq '${policySetDefinitionId}'`];
      terms.push(`'${name}' in PolicyDefinitionGroupNames`);
      return { policyGroupName: name, results: renderResults(results, address, terms, false) };
    }),
  };
}

function renderResults(results: Results, address: SummaryAddress, terms: readonly string[], withPolicies: boolean) {
  return {
    queryResultsUri: queryResultsUri(address, terms),
    nonCompliantResources: results.resources[nonCompliant] ?? 0,
    ...(withPolicies ? { nonCompliantPolicies: results.policies[nonCompliant] ?? 0 } : {}),
    resourceDetails: renderTally(results.resources),
    policyDetails: renderTally(results.policies),
    policyGroupDetails: renderTally(results.groups),
  };
}

function renderTally(tally: Tally) {
  return complianceStates.flatMap((state, code) => {
    const count = tally[code] ?? 0;
    return count === 0 ? [] : [{ complianceState: state.toLowerCase(), count }];
  });
}

/** Azure encodes neither spaces nor quotes here. */
function queryResultsUri(
  { queryResults, apiVersion, window, filter }: SummaryAddress,
  terms: readonly string[],
): string {
  const all = filter === undefined ? terms : [terms.length === 0 ? filter : `(${filter})`, ...terms];
  const condition = all.length === 0 ? "" : `&$filter=${all.join(" and ")}`;
  const times = `&$from=${spacedSeconds(window.from)}&$to=${spacedSeconds(window.to)}`;
  return `${queryResults}?api-version=${apiVersion}${times}${condition}`;
}
