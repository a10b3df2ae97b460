/** The answer of `summarize`. */
import { complianceStates, nonCompliant } from "../domain/compliance.ts";
import type { Estate } from "../domain/estate.ts";
import { definitionId, setId } from "../domain/fields.ts";
import type { AssignmentSummary, Results, Summary, Tally } from "../domain/summary.ts";
import type { Writing } from "./bytes.ts";
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

/** Text inside a JSON string. */
const escaped = (text: string) => JSON.stringify(text).slice(1, -1);

const stateOpenings = complianceStates.map((state) => `{"complianceState":"${state.toLowerCase()}","count":`);

/** What the entry of one policy says whatever was counted: up to the address of its records, and the rest of that. */
interface PolicyTexts {
  readonly opening: Uint8Array;
  readonly condition: Uint8Array;
}

export type SummaryWriter = (out: Writing, summary: Summary, address: SummaryAddress, most: number | undefined) => void;

/** `most` limits the assignments shown; the totals cover all of them. */
export function summaryWriter(estate: Estate): SummaryWriter {
  const kept: PolicyTexts[] = [];
  return (out, summary, address, most) => {
    const shown = most === undefined ? summary.assignments : summary.assignments.slice(0, most);
    const context = escaped(address.context);
    const records = queryResultsUri(address);
    out.text(`{"@odata.context":"${context}","@odata.count":1,"value":[{"@odata.id":null,`);
    out.text(`"@odata.context":"${context}/$entity","results":`);
    out.text(`{"queryResultsUri":"${records.whole}"${countsText(summary.results, true)}`);
    out.text(',"policyAssignments":[');
    const start = Buffer.from(records.narrowed);
    shown.forEach((each, index) => {
      if (index > 0) out.text(",");
      writeAssignment(out, estate, each, { start, kept });
    });
    out.text("]}]}");
  };
}

interface Pieces {
  /** The address of records up to where terms are added to its condition. */
  readonly start: Uint8Array;
  readonly kept: PolicyTexts[];
}

function writeAssignment(out: Writing, estate: Estate, summary: AssignmentSummary, { start, kept }: Pieces): void {
  const about = estate.assignments[summary.assignment];
  const assignment = escaped(about?.id ?? "");
  const set = escaped(about?.initiative ? setId(about.initiative) : "");
  const ofAssignment = `PolicyAssignmentId eq '${assignment}'`;
  out.text(`{"policyAssignmentId":"${assignment}","policySetDefinitionId":"${set}","results":{"queryResultsUri":"`);
  out.bytes(start);
  out.text(`${ofAssignment}"${countsText(summary.results, true)},"policyDefinitions":[`);
  summary.policies.forEach(({ policy, results }, index) => {
    const { opening, condition } = kept[policy] ?? policyTexts(estate, policy);
    kept[policy] ??= { opening, condition };
    if (index > 0) out.text(",");
    out.bytes(opening);
    out.bytes(start);
    out.bytes(condition);
    out.text(`${countsText(results, false)}}`);
  });
  out.text('],"policyGroups":[');
  summary.groups.forEach(({ name, results }, index) => {
    const group = escaped(name);
    out.text(`${index > 0 ? "," : ""}{"policyGroupName":"${group}","results":{"queryResultsUri":"`);
    out.bytes(start);
    out.text(`${ofAssignment} and PolicySetDefinitionId eq '${set}' and '${group}' in PolicyDefinitionGroupNames"`);
    out.text(`${countsText(results, false)}}`);
  });
  out.text("]}");
}

function policyTexts(estate: Estate, policy: number): PolicyTexts {
  const found = estate.policies[policy];
  const definition = found ? definitionId(found.definition) : "";
  const reference = found?.reference ?? "";
  const opening = JSON.stringify({
    policyDefinitionGroupNames: found?.groups ?? [],
    policyDefinitionReferenceId: reference,
    policyDefinitionId: definition,
    effect: found?.definition.effect.toLowerCase() ?? "",
  });
  const terms = [
    `PolicyAssignmentId eq '${estate.assignments[found?.assignment ?? -1]?.id ?? ""}'`,
    `PolicyDefinitionId eq '${definition}'`,
  ];
  if (reference !== "") terms.push(`PolicyDefinitionReferenceId eq '${reference}'`);
  return {
    opening: Buffer.from(`${opening.slice(0, -1)},"results":{"queryResultsUri":"`),
    condition: Buffer.from(`${escaped(terms.join(" and "))}"`),
  };
}

/** The numbers of results, to the end of their braces. */
function countsText({ resources, policies, groups }: Results, withPolicies: boolean): string {
  const ofPolicies = withPolicies ? `,"nonCompliantPolicies":${policies[nonCompliant] ?? 0}` : "";
  return (
    `,"nonCompliantResources":${resources[nonCompliant] ?? 0}${ofPolicies}` +
    `,"resourceDetails":${tallyText(resources)},"policyDetails":${tallyText(policies)}` +
    `,"policyGroupDetails":${tallyText(groups)}}`
  );
}

function tallyText(tally: Tally): string {
  let text = "";
  for (let code = 0; code < stateOpenings.length; code += 1) {
    const count = tally[code] ?? 0;
    if (count > 0) text += `${text === "" ? "[" : ","}${stateOpenings[code]}${count}}`;
  }
  return text === "" ? "[]" : `${text}]`;
}

/** Azure encodes neither spaces nor quotes here. */
function queryResultsUri({ queryResults, apiVersion, window, filter }: SummaryAddress) {
  const times = `&$from=${spacedSeconds(window.from)}&$to=${spacedSeconds(window.to)}`;
  const start = escaped(`${queryResults}?api-version=${apiVersion}${times}`);
  return filter === undefined
    ? { whole: start, narrowed: `${start}&$filter=` }
    : { whole: `${start}&$filter=${escaped(filter)}`, narrowed: `${start}&$filter=(${escaped(filter)}) and ` };
}
