/** Planned faults: what is planned, how often it matched and fired, and a form for the usual ones. */
import { useState } from "preact/hooks";
import type { Service } from "../../../shown-services.ts";
import { count } from "../format.ts";
import { shortNames } from "../journal-list.tsx";
import { Badge, Empty, Field, Panel, Problem, Said, Select } from "../parts.tsx";
import { useAction, useLive, useResource, useShared } from "../state.ts";
import { Table } from "../table.tsx";

interface Fault {
  readonly id: string;
  readonly emulator: string;
  readonly match: Readonly<Record<string, unknown>>;
  readonly action: Readonly<Record<string, unknown>>;
  readonly times?: number;
  readonly note?: string;
  readonly matched: number;
  readonly fired: number;
  readonly spent: boolean;
}

export interface PlannedFaults {
  readonly faults: readonly Fault[];
  /** False until they were read. */
  readonly known: boolean;
  readonly error: string | undefined;
  readonly action: ReturnType<typeof useAction>;
  plan(rule: unknown): void;
  remove(id?: string): void;
}

/** @param emulator whose; those of all when absent */
export function usePlannedFaults(emulator?: string): PlannedFaults {
  const { api } = useShared();
  const live = useLive();
  const action = useAction();
  const { value, error, reload } = useResource<{ faults: readonly Fault[] }>("/_backlot/faults", {
    mark: live.count(emulator, ["fault", "control"]),
  });
  const act = (work: () => Promise<unknown>, done: string) =>
    action.run(async () => {
      await work();
      reload();
      return done;
    });
  return {
    faults: (value?.faults ?? []).filter((fault) => emulator === undefined || fault.emulator === emulator),
    known: value !== undefined,
    error,
    action,
    plan: (rule) => act(() => api.send("POST", "/_backlot/faults", rule), "Planned."),
    remove: (id) =>
      id === undefined
        ? act(() => api.send("DELETE", "/_backlot/faults"), "No fault is planned any more.")
        : act(() => api.send("DELETE", `/_backlot/faults/${encodeURIComponent(id)}`), "Removed."),
  };
}

export function Faults({ services }: { services: readonly Service[] }) {
  const planned = usePlannedFaults();
  const { faults, known, error, action, plan, remove } = planned;
  return (
    <Panel
      title="Planned faults"
      class="span"
      aside={
        faults.length === 0 ? null : (
          <button type="button" class="quiet" disabled={action.busy} onClick={() => remove()}>
            Remove all
          </button>
        )
      }
    >
      <FaultForm services={services} plan={plan} busy={action.busy} />
      <Said action={action} />
      <Problem text={error} />
      {known && faults.length === 0 ? (
        <Empty title="No fault is planned">
          Plan one above: the next request that matches meets it, in the provider's own words.
        </Empty>
      ) : (
        <FaultTable planned={planned} />
      )}
    </Panel>
  );
}

export function FaultTable({ planned: { faults, remove } }: { planned: PlannedFaults }) {
  return (
    <Table
      label="Planned faults"
      rows={faults}
      keyOf={({ emulator, id }) => `${emulator} ${id}`}
      columns={[
        {
          title: "Service",
          class: "nowrap",
          cell: ({ emulator, note }) => <span title={note}>{shortNames[emulator] ?? emulator}</span>,
        },
        { title: "When", class: "mono wrap", cell: ({ match }) => words(match) || "any request" },
        { title: "Then", class: "mono wrap", cell: ({ action: then }) => words(then) },
        { title: "Matched", class: "number", cell: ({ matched }) => count(matched) },
        {
          title: "Fired",
          class: "number",
          cell: ({ fired, times, spent }) => (
            <>
              {count(fired)}
              {times === undefined ? "" : ` of ${times}`} {spent ? <Badge>spent</Badge> : null}
            </>
          ),
        },
        {
          title: "Remove",
          hideTitle: true,
          class: "number",
          cell: ({ id }) => (
            <button type="button" class="quiet" aria-label={`Remove fault ${id}`} onClick={() => remove(id)}>
              Remove
            </button>
          ),
        },
      ]}
    />
  );
}

const actions = [
  ["status", "Answer with status", "503"],
  ["delayMs", "Delay by ms", "2000"],
  ["throttle", "Throttle, retry after s", "5"],
  ["reset", "Reset the connection", ""],
  ["stall", "Stall", ""],
  ["truncate", "Cut the body after bytes", "10"],
  ["duplicate", "Run it n times", "2"],
] as const;

function FaultForm({
  services,
  plan,
  busy,
}: {
  services: readonly Service[];
  plan(rule: unknown): void;
  busy: boolean;
}) {
  const [emulator, setEmulator] = useState("");
  const [operation, setOperation] = useState("");
  const [path, setPath] = useState("");
  const [kind, setKind] = useState<string>("status");
  const [amount, setAmount] = useState("503");
  const [times, setTimes] = useState("1");
  const usual = actions.find(([name]) => name === kind)?.[2] ?? "";
  const submit = (event: Event) => {
    event.preventDefault();
    plan({
      ...(emulator === "" ? {} : { emulator }),
      match: { ...(operation === "" ? {} : { operation }), ...(path === "" ? {} : { path }) },
      action: actionOf(kind, Number(amount)),
      ...(times === "" ? {} : { times: Number(times) }),
    });
  };
  return (
    <form class="fields" onSubmit={submit}>
      <Select
        label="Service"
        value={emulator}
        onChange={setEmulator}
        options={[["", "All"], ...services.map(({ name, title }) => [name, title] as const)]}
      />
      <Field label="Operation" value={operation} onInput={setOperation} placeholder="any, RunInstances, *" />
      <Field label="Path" value={path} onInput={setPath} placeholder="any, **/Messages.json" />
      <Select
        label="Then"
        value={kind}
        onChange={(next) => {
          setKind(next);
          setAmount(actions.find(([name]) => name === next)?.[2] ?? "");
        }}
        options={actions.map(([name, title]) => [name, title] as const)}
      />
      {usual === "" ? null : <Field label="Value" type="number" value={amount} onInput={setAmount} />}
      <Field label="Times" type="number" value={times} onInput={setTimes} placeholder="always" />
      <button type="submit" disabled={busy}>
        Plan
      </button>
    </form>
  );
}

function actionOf(kind: string, amount: number): Record<string, unknown> {
  if (kind === "throttle") return { throttle: { retryAfterSeconds: amount } };
  if (kind === "reset" || kind === "stall") return { [kind]: true };
  return { [kind]: amount };
}

function words(facts: Readonly<Record<string, unknown>>): string {
  return Object.entries(facts)
    .filter(([name, value]) => !(name === "per" && value === "rule"))
    .map(([name, value]) =>
      value === true
        ? name
        : isRecord(value)
          ? `${name === "facts" ? "" : `${name} `}${words(value)}`
          : `${name} ${typeof value === "object" ? JSON.stringify(value) : String(value)}`,
    )
    .join(", ");
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
