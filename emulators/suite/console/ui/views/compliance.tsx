/** Compliance by scope, initiative, policy and resource; what changed; what is being put right. */
import { useMemo, useState } from "preact/hooks";
import { count } from "../format.ts";
import { Badge, Copy, Empty, Field, Panel, Problem, Said, Select, Tabs, Time, type Tone } from "../parts.tsx";
import { go, place, useAction, useResource, useShared } from "../state.ts";
import {
  type AssignmentSummary,
  arm,
  cancelPath,
  commandOf,
  eventsOf,
  filters,
  lastOf,
  listOf,
  type Results,
  remediationsOf,
  type Summary,
  statesOf,
  summaryOf,
} from "./compliance-query.ts";
import { isRemediable, type Names, RemediateButton, States, useQuery } from "./compliance-states.tsx";

interface Named {
  readonly id: string;
  readonly name: string;
  readonly displayName?: string;
  readonly properties?: { readonly displayName?: string };
}
type NamedPage = { readonly value: readonly Named[] };

const tabs = [
  ["policies", "Policies"],
  ["resources", "Resources"],
  ["changes", "Changed since yesterday"],
  ["remediations", "Remediations"],
] as const;

/** `#/compliance/<tab>/<scope>/...`: the scope's id is one segment. */
export function Compliance({ rest }: { rest: readonly string[] }) {
  const [tab = "policies", asked, ...more] = rest;
  const subscriptions = useQuery<NamedPage>(listOf("/subscriptions", "2022-12-01"));
  const groups = useQuery<NamedPage>(listOf("/providers/Microsoft.Management/managementGroups", "2020-05-01"));
  const names = useNames();
  const scope = asked ?? subscriptions.value?.value[0]?.id;
  if (scope === undefined)
    return (
      <Panel title="Compliance" class="fill">
        <Problem text={subscriptions.error} />
        {subscriptions.value ? <Empty title="No subscription">The seed has none; see fixtures/seeds.</Empty> : null}
      </Panel>
    );
  return (
    <div class="tabbed">
      <div class="bar">
        <Tabs
          label="Compliance"
          current={tab}
          href={(name) => place("compliance", name, scope)}
          tabs={tabs.map(([id, title]) => ({ id, title }))}
        />
        <span class="push" />
        <ScopeChoice
          scope={scope}
          tab={tab}
          subscriptions={subscriptions.value?.value ?? []}
          groups={groups.value?.value ?? []}
        />
      </div>
      {tab === "resources" ? (
        <Resources key={scope} scope={scope} chosen={more[0]} names={names} />
      ) : tab === "changes" ? (
        <Changes key={scope} scope={scope} chosen={more[0]} names={names} />
      ) : tab === "remediations" ? (
        <Remediations key={scope} scope={scope} />
      ) : (
        <Policies key={scope} scope={scope} rest={more} names={names} />
      )}
    </div>
  );
}

function useNames(): Names {
  const definitions = useQuery<NamedPage>(
    listOf("/providers/Microsoft.Authorization/policyDefinitions", "2023-04-01"),
  ).value;
  const sets = useQuery<NamedPage>(
    listOf("/providers/Microsoft.Authorization/policySetDefinitions", "2023-04-01"),
  ).value;
  return useMemo(() => {
    const known = new Map(
      [...(definitions?.value ?? []), ...(sets?.value ?? [])].map(
        ({ id, name, properties }) => [id.toLowerCase(), properties?.displayName ?? name] as const,
      ),
    );
    return { of: (id) => known.get(id?.toLowerCase() ?? "") ?? lastOf(id ?? "") };
  }, [definitions, sets]);
}

function ScopeChoice(props: { scope: string; tab: string; subscriptions: readonly Named[]; groups: readonly Named[] }) {
  const { scope, tab, subscriptions, groups } = props;
  const parts = scope.split("/");
  const subscription = parts[1]?.toLowerCase() === "subscriptions" ? parts.slice(0, 3).join("/") : undefined;
  const resourceGroups = useResource<NamedPage>(
    subscription && arm + listOf(`${subscription}/resourcegroups`, "2022-12-01").path,
  );
  const show = (id: string) => go("compliance", tab, id);
  return (
    <div class="buttons">
      <Select
        label="Scope"
        hideLabel
        value={subscription ?? scope}
        onChange={show}
        options={[
          ...groups.map(({ id, name }) => [id, `Management group ${name}`] as const),
          ...subscriptions.map(({ id, displayName, name }) => [id, displayName ?? name] as const),
        ]}
      />
      {subscription === undefined ? null : (
        <Select
          label="Resource group"
          hideLabel
          value={scope.toLowerCase()}
          onChange={show}
          options={[
            [subscription.toLowerCase(), "All resource groups"],
            ...(resourceGroups.value?.value ?? []).map(({ id, name }) => [id.toLowerCase(), name] as const),
          ]}
        />
      )}
    </div>
  );
}

/** `<assignment>/<definition>|<reference>/<state>` below the scope. */
function Policies({ scope, rest, names }: { scope: string; rest: readonly string[]; names: Names }) {
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
  const initiatives = Map.groupBy(rows, ({ policySetDefinitionId }) => policySetDefinitionId ?? "");
  return (
    <div class="table-box">
      <table>
        <thead>
          <tr>
            <th>Assignment</th>
            <th class="shares-column">Resources</th>
            <th class="number">Non-compliant resources</th>
            <th class="number">Non-compliant policies</th>
          </tr>
        </thead>
        {[...initiatives].map(([initiative, assignments]) => (
          <tbody key={initiative}>
            <tr class="group">
              <th colSpan={4} scope="rowgroup">
                {initiative === "" ? "Single policies" : `Initiative: ${names.of(initiative)}`}
              </th>
            </tr>
            {assignments.map(({ policyAssignmentId, policyDefinitions, results }) => (
              <tr key={policyAssignmentId}>
                <th scope="row">
                  <a href={place("compliance", "policies", scope, policyAssignmentId)}>{lastOf(policyAssignmentId)}</a>
                </th>
                <td>
                  <Shares results={results} />
                </td>
                <td class="number">{count(results.nonCompliantResources)}</td>
                <td class="number">
                  {count(results.nonCompliantPolicies)} <span class="faint">of {count(policyDefinitions.length)}</span>
                </td>
              </tr>
            ))}
          </tbody>
        ))}
      </table>
    </div>
  );
}

function Definitions({ scope, assignment, names }: { scope: string; assignment: AssignmentSummary; names: Names }) {
  const { policyAssignmentId, policyDefinitions } = assignment;
  const rows = [...policyDefinitions].sort(
    (left, right) => right.results.nonCompliantResources - left.results.nonCompliantResources,
  );
  return (
    <div class="table-box">
      <table>
        <thead>
          <tr>
            <th>Policy</th>
            <th>Effect</th>
            <th class="shares-column">Resources</th>
            <th class="number">Non-compliant</th>
            <th>
              <span class="hidden">Remediate</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ policyDefinitionId, policyDefinitionReferenceId: reference = "", effect, results }) => (
            <tr key={policyDefinitionId + reference}>
              <th scope="row">
                <a
                  href={place(
                    "compliance",
                    "policies",
                    scope,
                    policyAssignmentId,
                    `${policyDefinitionId}|${reference}`,
                  )}
                >
                  {names.of(policyDefinitionId)}
                </a>
              </th>
              <td>{effect}</td>
              <td>
                <Shares results={results} />
              </td>
              <td class="number">{count(results.nonCompliantResources)}</td>
              <td>
                {isRemediable(effect) && results.nonCompliantResources > 0 ? (
                  <RemediateButton
                    title="Remediate all"
                    scope={scope}
                    assignment={policyAssignmentId}
                    reference={reference}
                  />
                ) : null}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const states = [
  ["NonCompliant", "Non-compliant"],
  ["Compliant", "Compliant"],
  ["Exempt", "Exempt"],
  ["Unknown", "Unknown"],
  ["", "All states"],
] as const;

function Resources({ scope, chosen, names }: { scope: string; chosen: string | undefined; names: Names }) {
  const [state, setState] = useState("NonCompliant");
  const [search, setSearch] = useState("");
  return (
    <div class="tabbed">
      <div class="fields">
        <Field
          label="Resource"
          hideLabel
          type="search"
          placeholder="Part of a resource's id"
          value={search}
          onInput={setSearch}
          wide
        />
        <Select label="State" hideLabel value={state} onChange={setState} options={states} />
      </div>
      <States
        title="Resources"
        query={statesOf(scope, filters({ state }))}
        names={names}
        chosen={chosen}
        base={["compliance", "resources", scope]}
        search={search}
        empty={{ title: "No state like that", text: "Choose another state or scope above." }}
      />
    </div>
  );
}

/** Since 24 hours before the suite's clock, which is read once: a moving window would never settle. */
function Changes({ scope, chosen, names }: { scope: string; chosen: string | undefined; names: Names }) {
  const { value } = useResource<{ epochMs: number }>("/_backlot/clock");
  if (!value) return null;
  const from = new Date(value.epochMs - 86_400_000).toISOString();
  return (
    <States
      title="Changed since yesterday"
      query={eventsOf(scope, from)}
      names={names}
      chosen={chosen}
      base={["compliance", "changes", scope]}
      empty={{
        title: "Nothing changed",
        text: "Write a resource, an assignment or an exemption, or advance the clock past the next scan.",
      }}
    />
  );
}

interface Remediation {
  readonly id: string;
  readonly name: string;
  readonly properties: {
    readonly provisioningState: string;
    readonly policyAssignmentId: string;
    readonly policyDefinitionReferenceId?: string;
    readonly createdOn: string;
    readonly lastUpdatedOn: string;
    readonly deploymentStatus?: {
      readonly totalDeployments: number;
      readonly successfulDeployments: number;
      readonly failedDeployments: number;
    };
  };
}

const stages: Readonly<Record<string, Tone>> = {
  Succeeded: "good",
  Failed: "bad",
  Canceled: "warn",
  Cancelling: "warn",
  Running: "info",
};

function Remediations({ scope }: { scope: string }) {
  const { api } = useShared();
  const action = useAction();
  const query = remediationsOf(scope);
  const { value, error, reload } = useResource<{ value: readonly Remediation[] }>(arm + query.path, { everyMs: 2_000 });
  return (
    <Panel title="Remediations" class="fill" aside={<Copy text={commandOf(query)} label="Copy query" />}>
      <Problem text={error} />
      <Said action={action} />
      {value?.value.length === 0 ? (
        <Empty title="No remediation yet">
          Choose a non-compliant resource whose policy deploys or modifies, and remediate it there.
        </Empty>
      ) : (
        <div class="table-box">
          <table>
            <thead>
              <tr>
                <th>Name</th>
                <th>Assignment</th>
                <th class="number">Deployments</th>
                <th>Made</th>
                <th>Changed</th>
                <th>State</th>
                <th>
                  <span class="hidden">Cancel</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {value?.value.map(({ id, name, properties }) => (
                <tr key={id}>
                  <th scope="row" class="mono wrap">
                    {name}
                  </th>
                  <td>{lastOf(properties.policyAssignmentId)}</td>
                  <td class="number">
                    {count(properties.deploymentStatus?.successfulDeployments ?? 0)} of{" "}
                    {count(properties.deploymentStatus?.totalDeployments ?? 0)}
                  </td>
                  <td>
                    <Time iso={properties.createdOn} />
                  </td>
                  <td>
                    <Time iso={properties.lastUpdatedOn} />
                  </td>
                  <td>
                    <Badge tone={stages[properties.provisioningState] ?? "plain"}>{properties.provisioningState}</Badge>
                  </td>
                  <td>
                    {/^(Accepted|Running)$/.test(properties.provisioningState) ? (
                      <button
                        type="button"
                        class="quiet"
                        aria-label={`Cancel ${name}`}
                        disabled={action.busy}
                        onClick={() =>
                          action.run(async () => {
                            await api.send("POST", arm + cancelPath(id));
                            reload();
                            return `Cancelling ${name}.`;
                          })
                        }
                      >
                        Cancel
                      </button>
                    ) : null}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  );
}
