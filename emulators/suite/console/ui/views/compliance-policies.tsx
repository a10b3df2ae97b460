/** Assignments by initiative, their policies, the states of one of them. */
import { count } from "../format.ts";
import { Copy, Empty, Panel, Problem } from "../parts.tsx";
import { place } from "../state.ts";
import { GroupedTable, Table } from "../table.tsx";
import {
  type AssignmentSummary,
  commandOf,
  filters,
  lastOf,
  type Results,
  type Summary,
  statesOf,
  summaryOf,
} from "./compliance-query.ts";
import { isRemediable, type Names, RemediateButton, States, useQuery } from "./compliance-states.tsx";

/** `<assignment>/<definition>|<reference>/<state>` below the scope. */
export function Policies({ scope, rest, names }: { scope: string; rest: readonly string[]; names: Names }) {
  const [assignment, policy, chosen] = rest;
  const query = summaryOf(scope);
  const { value, error } = useQuery<Summary>(query);
  const summary = value?.value[0];
  const found = summary?.policyAssignments.find(({ policyAssignmentId }) => policyAssignmentId === assignment);
  const [definition = "", reference = ""] = policy?.split("|") ?? [];
  if (assignment !== undefined && policy !== undefined)
    return (
      <div class="tabbed">
        <Crumbs scope={scope} assignment={assignment} policy={names.of(definition)} />
        <States
          title={names.of(definition)}
          query={statesOf(scope, filters({ assignment, definition, reference }))}
          names={names}
          chosen={chosen}
          base={["compliance", "policies", scope, assignment, policy]}
          empty={{ title: "No state", text: "This policy looks at no resource in this scope." }}
        />
      </div>
    );
  return (
    <Panel
      title={assignment === undefined ? "Assignments" : lastOf(assignment)}
      class="fill"
      aside={<Copy text={commandOf(query)} label="Copy query" />}
    >
      <Problem text={error} />
      {assignment === undefined ? null : <Crumbs scope={scope} assignment={assignment} />}
      {!summary ? null : assignment === undefined ? (
        <>
          <Overall results={summary.results} />
          {summary.policyAssignments.length === 0 ? (
            <Empty title="Nothing is assigned here">Assign a policy, or choose a wider scope above.</Empty>
          ) : (
            <Assignments scope={scope} rows={summary.policyAssignments} names={names} />
          )}
        </>
      ) : found ? (
        <Definitions scope={scope} assignment={found} names={names} />
      ) : (
        <Empty title="No state under this assignment">It looks at no resource in this scope.</Empty>
      )}
    </Panel>
  );
}

function Crumbs({ scope, assignment, policy }: { scope: string; assignment: string; policy?: string }) {
  return (
    <nav class="crumbs" aria-label="Where this is">
      <a href={place("compliance", "policies", scope)}>Assignments</a> /{" "}
      {policy === undefined ? (
        <span aria-current="page">{lastOf(assignment)}</span>
      ) : (
        <>
          <a href={place("compliance", "policies", scope, assignment)}>{lastOf(assignment)}</a> /{" "}
          <span aria-current="page">{policy}</span>
        </>
      )}
    </nav>
  );
}

function sharesOf({ resourceDetails }: Results) {
  const of = (state: string) =>
    resourceDetails.find(({ complianceState }) => complianceState.toLowerCase() === state)?.count ?? 0;
  const total = resourceDetails.reduce((sum, one) => sum + one.count, 0);
  return { total, bad: of("noncompliant"), good: of("compliant"), exempt: of("exempt") };
}

function Overall({ results }: { results: Results }) {
  const { total, bad, good, exempt } = sharesOf(results);
  // Azure counts the exempt with the compliant ones.
  const percent = total === 0 ? "–" : `${Math.floor((100 * (good + exempt)) / total)}%`;
  return (
    <dl class="figures">
      <div>
        <dt>Compliant</dt>
        <dd>{percent}</dd>
      </div>
      <div>
        <dt>Resources</dt>
        <dd>
          {count(good + exempt)} <span class="faint">of {count(total)}</span>
        </dd>
      </div>
      <div>
        <dt>Non-compliant resources</dt>
        <dd>{count(bad)}</dd>
      </div>
      <div>
        <dt>Non-compliant assignments</dt>
        <dd>{count(results.nonCompliantPolicies)}</dd>
      </div>
    </dl>
  );
}

/** Compliant, exempt, non-compliant as lengths. */
function Shares({ results }: { results: Results }) {
  const { total, bad, good, exempt } = sharesOf(results);
  const part = (n: number) => `${total === 0 ? 0 : ((100 * n) / total).toFixed(2)}%`;
  return (
    <svg class="shares" width="100%" height="8" aria-hidden="true">
      <rect class="good" x="0" width={part(good)} height="8" />
      <rect class="exempt" x={part(good)} width={part(exempt)} height="8" />
      <rect class="bad" x={part(good + exempt)} width={part(bad)} height="8" />
    </svg>
  );
}

function Assignments({ scope, rows, names }: { scope: string; rows: readonly AssignmentSummary[]; names: Names }) {
  const initiatives = [...Map.groupBy(rows, ({ policySetDefinitionId }) => policySetDefinitionId ?? "")];
  return (
    <GroupedTable
      groups={initiatives.map(([id, assignments]) => [
        id,
        { title: id === "" ? "Single policies" : `Initiative: ${names.of(id)}`, rows: assignments },
      ])}
      keyOf={({ policyAssignmentId }) => policyAssignmentId}
      columns={[
        {
          title: "Assignment",
          cell: ({ policyAssignmentId: id }) => <a href={place("compliance", "policies", scope, id)}>{lastOf(id)}</a>,
        },
        { title: "Resources", class: "shares-column", cell: ({ results }) => <Shares results={results} /> },
        {
          title: "Non-compliant resources",
          class: "number",
          cell: ({ results }) => count(results.nonCompliantResources),
        },
        {
          title: "Non-compliant policies",
          class: "number",
          cell: ({ results, policyDefinitions }) => (
            <>
              {count(results.nonCompliantPolicies)} <span class="faint">of {count(policyDefinitions.length)}</span>
            </>
          ),
        },
      ]}
    />
  );
}

function Definitions({ scope, assignment, names }: { scope: string; assignment: AssignmentSummary; names: Names }) {
  const { policyAssignmentId, policyDefinitions } = assignment;
  const rows = [...policyDefinitions].sort(
    (left, right) => right.results.nonCompliantResources - left.results.nonCompliantResources,
  );
  const keyOf = ({ policyDefinitionId, policyDefinitionReferenceId = "" }: (typeof rows)[number]) =>
    `${policyDefinitionId}|${policyDefinitionReferenceId}`;
  return (
    <Table
      rows={rows}
      keyOf={keyOf}
      columns={[
        {
          title: "Policy",
          cell: (row) => (
            <a href={place("compliance", "policies", scope, policyAssignmentId, keyOf(row))}>
              {names.of(row.policyDefinitionId)}
            </a>
          ),
        },
        { title: "Effect", cell: ({ effect }) => effect },
        { title: "Resources", class: "shares-column", cell: ({ results }) => <Shares results={results} /> },
        { title: "Non-compliant", class: "number", cell: ({ results }) => count(results.nonCompliantResources) },
        {
          title: "Remediate",
          hideTitle: true,
          cell: ({ effect, results, policyDefinitionReferenceId: reference = "" }) =>
            isRemediable(effect) && results.nonCompliantResources > 0 ? (
              <RemediateButton
                title="Remediate all"
                scope={scope}
                assignment={policyAssignmentId}
                reference={reference}
              />
            ) : null,
        },
      ]}
    />
  );
}
