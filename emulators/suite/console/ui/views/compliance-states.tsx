/** States of resources under policies: a list, and how one of them came about. */
import { count, instant, local } from "../format.ts";
import { Badge, Copy, Empty, Facts, Panel, Problem, Said, Time, type Tone } from "../parts.tsx";
import { asJson, go, useAction, useLive, useResource, useShared } from "../state.ts";
import { Table } from "../table.tsx";
import { VirtualList } from "../virtual-list.tsx";
import {
  arm,
  asPages,
  asQuery,
  commandOf,
  detailOf,
  type Expression,
  keyFrom,
  keyTextOf,
  lastOf,
  type Query,
  remediationPath,
  type StateRecord,
} from "./compliance-query.ts";

export interface Names {
  /** What people call a definition or an initiative, by id in lower case. */
  of(id: string | undefined): string;
}

const tones: Readonly<Record<string, Tone>> = {
  noncompliant: "bad",
  compliant: "good",
  error: "bad",
  conflict: "warn",
  exempt: "info",
};

export function StateBadge({ record }: { record: StateRecord }) {
  const state = record.complianceState ?? (record.isCompliant ? "Compliant" : "NonCompliant");
  return <Badge tone={tones[state.toLowerCase()] ?? "plain"}>{state}</Badge>;
}

export function useQuery<T>(query: Query, reader = query.method === "POST" ? asQuery : asJson) {
  const live = useLive();
  return useResource<T>(arm + query.path, {
    reader,
    mark: live.count("azure-policyinsights", ["change", "control"]),
  });
}

export function States(props: {
  title: string;
  query: Query;
  names: Names;
  chosen: string | undefined;
  /** Where a row leads: the segments before its own. */
  base: readonly string[];
  empty: { readonly title: string; readonly text: string };
  search?: string;
}) {
  const { query, names, chosen, base, empty, search = "" } = props;
  const { value, error } = useQuery<{ value: readonly StateRecord[] }>(query, asPages);
  const wanted = search.trim().toLowerCase();
  const rows = (value?.value ?? []).filter((row) => wanted === "" || row.resourceId.toLowerCase().includes(wanted));
  return (
    <div class={`split ${chosen === undefined ? "" : "chosen"}`}>
      <Panel
        title={props.title}
        class="list"
        aside={
          <>
            {value ? count(rows.length) : ""} <Copy text={commandOf(query)} label="Copy query" />
          </>
        }
      >
        <Problem text={error} />
        {value && rows.length === 0 ? (
          <Empty title={empty.title}>{empty.text}</Empty>
        ) : (
          <VirtualList
            rows={rows}
            rowHeight={46}
            label={props.title}
            keyOf={(row) => `${keyTextOf(row)}|${row.timestamp}`}
            selected={rows.filter((row) => keyTextOf(row) === chosen).map((row) => `${chosen}|${row.timestamp}`)[0]}
            onSelect={(row) => go(...base, keyTextOf(row))}
            render={(row) => (
              <div class="two">
                <div>
                  <span class="cut strong">{lastOf(row.resourceId)}</span>
                  <span class="faint cut">{row.resourceType}</span>
                  <span class="push" />
                  <StateBadge record={row} />
                </div>
                <div class="faint">
                  <span class="cut">{names.of(row.policyDefinitionId)}</span>
                  <span class="push" />
                  <time class="mono" dateTime={row.timestamp} title={local(row.timestamp)}>
                    {instant(row.timestamp).slice(5, 16)}
                  </time>
                </div>
              </div>
            )}
          />
        )}
      </Panel>
      {chosen === undefined ? (
        <Panel title="State" class="detail">
          <Empty title="Nothing chosen">Choose a resource to see which expressions were evaluated.</Empty>
        </Panel>
      ) : (
        <StateDetail key={chosen} text={chosen} names={names} />
      )}
    </div>
  );
}

function StateDetail({ text, names }: { text: string; names: Names }) {
  const query = detailOf(keyFrom(text));
  const { value, error } = useQuery<{ value: readonly StateRecord[] }>(query);
  const record = value?.value[0];
  if (!record)
    return (
      <Panel title="State" class="detail">
        <Problem text={error} />
        {value ? <Empty title="No state any more">The resource or the assignment is gone.</Empty> : null}
      </Panel>
    );
  const details = record.policyEvaluationDetails;
  return (
    <Panel title={lastOf(record.resourceId)} class="detail" aside={<StateBadge record={record} />}>
      <div class="scroll">
        <p class="headline strong">{names.of(record.policyDefinitionId)}</p>
        <Remediate record={record} />
        <Facts
          rows={[
            ["Resource", <span class="mono">{record.resourceId}</span>],
            ["Type", `${record.resourceType} in ${record.resourceLocation}`],
            ["Assignment", <span class="mono">{record.policyAssignmentId}</span>],
            ["Initiative", record.policySetDefinitionId ? names.of(record.policySetDefinitionId) : "none"],
            ["Effect", record.policyDefinitionAction],
            ...(record.policyDefinitionGroupNames?.some((name) => name !== "")
              ? [["Controls", record.policyDefinitionGroupNames.join(", ")] as const]
              : []),
            ["Evaluated", <Time iso={record.timestamp} />],
          ]}
        />
        <h3>Evaluated expressions</h3>
        {details?.evaluatedExpressions?.length ? (
          <Expressions rows={details.evaluatedExpressions} />
        ) : (
          <p class="faint">None: the state was attested or exempted, or is not known.</p>
        )}
        {details?.ifNotExistsDetails === undefined ? null : (
          <p>
            Looked for a related resource and found {count(details.ifNotExistsDetails.totalResources)}
            {details.ifNotExistsDetails.resourceId ? (
              <span class="mono"> {details.ifNotExistsDetails.resourceId}</span>
            ) : null}
            .
          </p>
        )}
        <p class="after">
          <Copy text={commandOf(query)} label="Copy query" />
        </p>
      </div>
    </Panel>
  );
}

function Expressions({ rows }: { rows: readonly Expression[] }) {
  return (
    <Table
      label="Evaluated expressions"
      rows={rows.map((row, index) => ({ ...row, key: `${index}${row.path}` }))}
      keyOf={({ key }) => key}
      columns={[
        { title: "Field", class: "mono wrap", cell: ({ path, expression }) => <span title={path}>{expression}</span> },
        { title: "Is", class: "mono wrap", cell: ({ expressionValue }) => shown(expressionValue) },
        { title: "Operator", class: "nowrap", cell: ({ operator }) => operator },
        { title: "Compared with", class: "mono wrap", cell: ({ targetValue }) => shown(targetValue) },
        { title: "Result", cell: ({ result }) => <Badge tone={result === "True" ? "warn" : "plain"}>{result}</Badge> },
      ]}
    />
  );
}

const shown = (value: unknown) => (value === null ? "(not there)" : JSON.stringify(value));

/** Azure remediates what a policy could have deployed or modified. */
export const isRemediable = (effect: string) => /^(deployIfNotExists|modify)$/i.test(effect);

function Remediate({ record }: { record: StateRecord }) {
  const scope = record.resourceId.split("/").slice(0, 3).join("/");
  if (record.isCompliant || !isRemediable(record.policyDefinitionAction)) return null;
  return (
    <RemediateButton
      title="Remediate this resource"
      scope={scope}
      assignment={record.policyAssignmentId}
      reference={record.policyDefinitionReferenceId ?? ""}
      resource={record.resourceId}
    />
  );
}

export function RemediateButton(props: {
  title: string;
  scope: string;
  assignment: string;
  reference: string;
  resource?: string;
}) {
  const { scope, assignment, reference, resource } = props;
  const { api } = useShared();
  const action = useAction();
  // Named for what it does: asked for twice it is the same remediation, run again.
  const name = [lastOf(assignment), reference, resource === undefined ? "all" : lastOf(resource)]
    .filter((part) => part !== "")
    .join("-")
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, "-")
    .slice(0, 80);
  return (
    <div class="inline">
      <button
        type="button"
        disabled={action.busy}
        onClick={() =>
          action.run(async () => {
            const made = await api.send<{ properties: { provisioningState: string } }>(
              "PUT",
              arm + remediationPath(scope, name),
              {
                properties: {
                  policyAssignmentId: assignment,
                  ...(reference === "" ? {} : { policyDefinitionReferenceId: reference }),
                  ...(resource === undefined ? {} : { filters: { resourceIds: [resource] } }),
                },
              },
            );
            return `Remediation ${name}: ${made.properties.provisioningState}.`;
          })
        }
      >
        {props.title}
      </button>
      <Said action={action} />
    </div>
  );
}
