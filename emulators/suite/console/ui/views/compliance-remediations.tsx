/** What is being put right, and what was. */
import { count } from "../format.ts";
import { Badge, Copy, Empty, Panel, Problem, Said, Time, type Tone } from "../parts.tsx";
import { useAction, useResource, useShared } from "../state.ts";
import { Table } from "../table.tsx";
import { arm, cancelPath, commandOf, lastOf, remediationsOf } from "./compliance-query.ts";

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

export function Remediations({ scope }: { scope: string }) {
  const { api } = useShared();
  const action = useAction();
  const query = remediationsOf(scope);
  const { value, error, reload } = useResource<{ value: readonly Remediation[] }>(arm + query.path, { everyMs: 2_000 });
  const cancel = (id: string, name: string) =>
    action.run(async () => {
      await api.send("POST", arm + cancelPath(id));
      reload();
      return `Cancelling ${name}.`;
    });
  return (
    <Panel title="Remediations" class="fill" aside={<Copy text={commandOf(query)} label="Copy query" />}>
      <Problem text={error} />
      <Said action={action} />
      {value?.value.length === 0 ? (
        <Empty title="No remediation yet">
          Choose a non-compliant resource whose policy deploys or modifies, and remediate it there.
        </Empty>
      ) : (
        <Table
          rows={value?.value ?? []}
          keyOf={({ id }) => id}
          columns={[
            { title: "Name", class: "mono wrap", cell: ({ name }) => name },
            { title: "Assignment", cell: ({ properties }) => lastOf(properties.policyAssignmentId) },
            {
              title: "Deployments",
              class: "number",
              cell: ({ properties: { deploymentStatus } }) =>
                `${count(deploymentStatus?.successfulDeployments ?? 0)} of ${count(deploymentStatus?.totalDeployments ?? 0)}`,
            },
            { title: "Made", cell: ({ properties }) => <Time iso={properties.createdOn} /> },
            { title: "Changed", cell: ({ properties }) => <Time iso={properties.lastUpdatedOn} /> },
            {
              title: "State",
              cell: ({ properties: { provisioningState } }) => (
                <Badge tone={stages[provisioningState] ?? "plain"}>{provisioningState}</Badge>
              ),
            },
            {
              title: "Cancel",
              hideTitle: true,
              cell: ({ id, name, properties }) =>
                /^(Accepted|Running)$/.test(properties.provisioningState) ? (
                  <button
                    type="button"
                    class="quiet"
                    aria-label={`Cancel ${name}`}
                    disabled={action.busy}
                    onClick={() => cancel(id, name)}
                  >
                    Cancel
                  </button>
                ) : null,
            },
          ]}
        />
      )}
    </Panel>
  );
}
