/** The stories of fixtures/scenarios: run one on a suite of its own, and see its steps as they are done. */
import { useEffect, useState } from "preact/hooks";
import { count, duration } from "../format.ts";
import { shortNames } from "../journal-list.tsx";
import { Badge, Empty, Panel, Problem, Said, Time, type Tone } from "../parts.tsx";
import { go, place, useAction, useResource, useShared } from "../state.ts";

interface Scenario {
  readonly name: string;
  readonly title: string;
  readonly about: string;
  readonly services: readonly string[];
  readonly steps: number;
}
type RunState = "running" | "passed" | "failed" | "stopped";
interface Run {
  readonly id: string;
  readonly scenario: string;
  readonly title: string;
  readonly state: RunState;
  readonly startedAt: string;
  readonly problem: string | null;
  readonly pack: string | null;
}
interface Step {
  readonly order: string;
  readonly name: string;
  readonly repeat: number;
  readonly done: number;
  readonly failure: string | null;
  readonly status: number | null;
  readonly wallMs: number;
}

const tones: Readonly<Record<RunState, Tone>> = { running: "info", passed: "good", failed: "bad", stopped: "warn" };

export function Scenarios({ chosen }: { chosen: string | undefined }) {
  const { api } = useShared();
  const action = useAction();
  const [evidence, setEvidence] = useState(false);
  const found = useResource<{ scenarios: readonly Scenario[] }>("/_backlot/scenarios");
  const runs = useResource<{ runs: readonly (Run & { done: number; of: number })[] }>("/_backlot/scenarios/runs", {
    everyMs: 1_000,
  });
  const running = runs.value?.runs.find(({ state }) => state === "running");
  const run = (name: string) =>
    action.run(async () => {
      const { id } = await api.send<Run>("POST", `/_backlot/scenarios/${encodeURIComponent(name)}/run`, { evidence });
      runs.reload();
      go("control", "scenarios", id);
      return undefined;
    });
  return (
    <div class={`split ${chosen === undefined ? "both" : "chosen"}`}>
      <Panel
        title="Scenarios"
        class="list"
        aside={
          <label class="check">
            <input type="checkbox" checked={evidence} onChange={(event) => setEvidence(event.currentTarget.checked)} />
            Make evidence
          </label>
        }
      >
        <div class="scroll">
          <Problem text={found.error} />
          <Said action={action} />
          <ul class="stories">
            {found.value?.scenarios.map(({ name, title, about, services, steps }) => (
              <li key={name}>
                <div>
                  <strong>{title}</strong>
                  <p class="faint about" title={about}>
                    {about}
                  </p>
                  <p class="faint">
                    {count(steps)} steps ·{" "}
                    {services.length === 0 ? "all services" : services.map((one) => shortNames[one] ?? one).join(", ")}
                  </p>
                </div>
                <button
                  type="button"
                  aria-label={`Run ${title}`}
                  disabled={action.busy || running !== undefined}
                  onClick={() => run(name)}
                >
                  Run
                </button>
              </li>
            ))}
          </ul>
        </div>
      </Panel>
      {chosen === undefined ? (
        <Panel title="Runs" class="detail">
          {runs.value && runs.value.runs.length === 0 ? (
            <Empty title="Nothing was run yet">
              Run a scenario: it plays on a suite of its own, under a frozen clock, and leaves this one as it is.
            </Empty>
          ) : (
            <Runs runs={runs.value?.runs ?? []} />
          )}
        </Panel>
      ) : (
        <RunDetail key={chosen} id={chosen} />
      )}
    </div>
  );
}

function Runs({ runs }: { runs: readonly (Run & { done: number; of: number })[] }) {
  return (
    <div class="scroll">
      <ul class="lines">
        {runs.map(({ id, title, state, startedAt, done, of }) => (
          <li key={id}>
            <Badge tone={tones[state]}>{state}</Badge>
            <a href={place("control", "scenarios", id)}>{title}</a>
            <span class="push" />
            <span class="faint nowrap">
              {count(done)} of {count(of)} · <Time iso={startedAt} />
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** Asked for again until it is over: its suite has a journal of its own, which nobody here hears. */
function RunDetail({ id }: { id: string }) {
  const { api } = useShared();
  const action = useAction();
  const path = `/_backlot/scenarios/runs/${encodeURIComponent(id)}`;
  const [over, setOver] = useState(false);
  const { value: run, error } = useResource<Run & { steps: readonly Step[] }>(path, over ? {} : { everyMs: 200 });
  useEffect(() => setOver(run !== undefined && run.state !== "running"), [run]);
  if (!run)
    return (
      <Panel title={id} class="detail">
        <Problem text={error} />
      </Panel>
    );
  const done = run.steps.reduce((sum, step) => sum + step.done, 0);
  const of = run.steps.reduce((sum, step) => sum + step.repeat, 0);
  const next = run.state === "running" ? run.steps.find((step) => step.done < step.repeat) : undefined;
  return (
    <Panel
      title={run.title}
      class="detail"
      aside={
        <>
          <Badge tone={tones[run.state]}>{run.state}</Badge>
          <a href={place("control", "scenarios")}>All runs</a>
        </>
      }
    >
      <div class="scroll">
        <div class="progress">
          <progress aria-label="Steps done" max={of} value={done} />
          <span role="status">{verdictOf(run, done, of)}</span>
          {run.state === "running" ? (
            <button
              type="button"
              disabled={action.busy}
              onClick={() =>
                action.run(async () => {
                  await api.send("POST", `${path}/stop`);
                  return "It ends after the step under way.";
                })
              }
            >
              Stop
            </button>
          ) : null}
          {run.pack === null ? null : <a href={place("control", "evidence")}>Its evidence</a>}
        </div>
        <Said action={action} />
        <Problem text={run.problem ?? undefined} />
        <ol class="steps">
          {run.steps.map((step) => (
            <StepLine key={step.order} step={step} under={step === next} />
          ))}
        </ol>
      </div>
    </Panel>
  );
}

function verdictOf({ state }: Run, done: number, of: number): string {
  if (state === "passed") return of === 1 ? "The step passed" : `All ${count(of)} steps passed`;
  if (state === "failed") return `Failed after ${count(done)} of ${count(of)} steps`;
  if (state === "stopped") return `Stopped after ${count(done)} of ${count(of)} steps`;
  return `${count(done)} of ${count(of)} steps`;
}

function StepLine({ step, under }: { step: Step; under: boolean }) {
  const { name, repeat, done, failure, status, wallMs } = step;
  const [tone, word] =
    failure !== null
      ? (["bad", "failed"] as const)
      : done >= repeat
        ? (["good", "done"] as const)
        : under
          ? (["info", "under way"] as const)
          : (["plain", "waiting"] as const);
  return (
    <li class={word === "waiting" ? "faint" : ""}>
      <span class={`dot ${tone}`} aria-hidden="true" />
      <span class="hidden">{word}: </span>
      <span class="wrap">
        {name}
        {failure === null ? null : <span class="problem">{failure}</span>}
      </span>
      <span class="push" />
      <span class="faint nowrap">
        {repeat === 1 ? "" : `${count(done)} of ${count(repeat)} · `}
        {status === null ? "" : `${status} · `}
        {done === 0 ? "" : duration(wallMs)}
      </span>
    </li>
  );
}
