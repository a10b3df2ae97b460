/** Steering: time, mode, state, planned faults; stories that play by themselves; evidence of what happened. */
import { useState } from "preact/hooks";
import type { Service } from "../../../shown-services.ts";
import type { ClockState } from "../clock.ts";
import { count } from "../format.ts";
import { shortNames } from "../journal-list.tsx";
import { Badge, Empty, Field, Panel, Problem, Said, Tabs, Time } from "../parts.tsx";
import { place, useAction, useLive, useResource, useShared } from "../state.ts";
import { Evidence } from "./evidence.tsx";
import { Faults } from "./faults.tsx";
import { Scenarios } from "./scenarios.tsx";

export function Control({
  rest: [tab = "state", chosen],
  ...state
}: {
  rest: readonly string[];
  services: readonly Service[];
  clock: ClockState | undefined;
  mode: string | undefined;
}) {
  return (
    <div class="tabbed">
      <Tabs
        label="Control"
        current={tab}
        href={(id) => (id === "state" ? place("control") : place("control", id))}
        tabs={[
          { id: "state", title: "Clock, mode, faults" },
          { id: "scenarios", title: "Scenarios" },
          { id: "evidence", title: "Evidence" },
        ]}
      />
      {tab === "scenarios" ? <Scenarios chosen={chosen} /> : tab === "evidence" ? <Evidence /> : <State {...state} />}
    </div>
  );
}

function State({
  services,
  clock,
  mode,
}: {
  services: readonly Service[];
  clock: ClockState | undefined;
  mode: string | undefined;
}) {
  const names = services.map(({ name }) => name);
  return (
    <div class="grid">
      <Clock clock={clock} names={names} />
      <div class="stack">
        <ModeAndState mode={mode} />
        <Snapshots />
      </div>
      <Faults services={services} />
    </div>
  );
}

const steps = [
  ["1 s", { seconds: 1 }],
  ["1 min", { minutes: 1 }],
  ["1 h", { hours: 1 }],
  ["1 day", { days: 1 }],
] as const;

function Clock({ clock, names }: { clock: ClockState | undefined; names: readonly string[] }) {
  const { api } = useShared();
  const action = useAction();
  const [to, setTo] = useState("");
  const advance = (body: unknown) =>
    action.run(async () => {
      const { fired, now } = await api.send<{ fired: number; now: string }>("POST", "/_backlot/clock/advance", body);
      return `Moved to ${now}; ${count(fired)} timers fired.`;
    });
  const set = (wanted: string) =>
    action.run(async () => {
      // A clock that starts to tick or stops goes on from what it shows; the real one shows the machine's time.
      const at = wanted === "real" ? {} : { at: clock?.view.now };
      const { now } = await api.send<{ now: string }>("POST", "/_backlot/clock", { mode: wanted, ...at });
      return `The clock is ${wanted} at ${now}.`;
    });
  return (
    <Panel
      title="Clock"
      aside={clock ? <Badge tone={clock.view.mode === "frozen" ? "info" : "plain"}>{clock.view.mode}</Badge> : null}
    >
      <p class="big mono">{clock?.shown ?? "–"}</p>
      <div class="buttons" role="group" aria-label="Clock mode">
        {["real", "ticking", "frozen"].map((name) => (
          <button
            key={name}
            type="button"
            aria-pressed={clock?.view.mode === name}
            disabled={action.busy || !clock}
            onClick={() => set(name)}
          >
            {name === "frozen" ? "Freeze" : name === "ticking" ? "Let it tick" : "Real time"}
          </button>
        ))}
      </div>
      <div class="buttons" role="group" aria-label="Advance">
        {steps.map(([title, by]) => (
          <button key={title} type="button" disabled={action.busy} onClick={() => advance(by)}>
            +{title}
          </button>
        ))}
        <button
          type="button"
          disabled={action.busy || !clock?.view.nextDue}
          onClick={() => advance({ to: clock?.view.nextDue })}
        >
          To the next timer
        </button>
      </div>
      <form
        class="inline"
        onSubmit={(event) => {
          event.preventDefault();
          advance({ to });
        }}
      >
        <Field label="Advance to" hideLabel value={to} onInput={setTo} placeholder="2026-12-24T18:00:00Z" wide />
        <button type="submit" disabled={action.busy || to === ""}>
          Advance
        </button>
      </form>
      <Said action={action} />
      <Timers names={names} mark={clock?.view.epochMs} />
    </Panel>
  );
}

interface TimerPage {
  readonly total: number;
  readonly timers: readonly { readonly kind: string; readonly subject: string; readonly due: string }[];
}

function Timers({ names, mark }: { names: readonly string[]; mark: unknown }) {
  return (
    <>
      <h3>Pending timers</h3>
      <div class="table-box short">
        <table>
          <thead>
            <tr>
              <th>Due</th>
              <th>Kind</th>
              <th>About</th>
            </tr>
          </thead>
          {names.map((name) => (
            <MemberTimers key={name} name={name} mark={mark} />
          ))}
        </table>
      </div>
    </>
  );
}

function MemberTimers({ name, mark }: { name: string; mark: unknown }) {
  const { value } = useResource<TimerPage>(`/_backlot/members/${name}/timers?limit=50`, { everyMs: 2_000, mark });
  if (!value) return null;
  return (
    <tbody>
      <tr class="group">
        <th colSpan={3} scope="rowgroup">
          {shortNames[name] ?? name} <span class="faint">{value.total === 0 ? "none" : count(value.total)}</span>
        </th>
      </tr>
      {value.timers.map(({ kind, subject, due }) => (
        <tr key={`${kind} ${subject}`}>
          <td>
            <Time iso={due} />
          </td>
          <td class="nowrap">{kind}</td>
          <td class="mono cut" title={subject}>
            {subject}
          </td>
        </tr>
      ))}
    </tbody>
  );
}

function ModeAndState({ mode }: { mode: string | undefined }) {
  const { api } = useShared();
  const action = useAction();
  const [sure, setSure] = useState(false);
  const wanted = mode === "real" ? "mock" : "real";
  return (
    <Panel title="Mode and state" aside={<Badge tone={mode === "real" ? "warn" : "good"}>{mode ?? "…"}</Badge>}>
      <p class="faint">
        {mode === "real"
          ? "Every operation answers 503 with what the real service needs; webhooks are held."
          : "Operations are emulated. In real mode each of them answers 503 and says what the real service needs."}
      </p>
      <div class="buttons">
        <button
          type="button"
          disabled={action.busy || mode === undefined}
          onClick={() =>
            action.run(async () => {
              await api.send("PUT", "/_backlot/mode", { mode: wanted });
              return `The mode is ${wanted}.`;
            })
          }
        >
          Switch to {wanted}
        </button>
        {sure ? (
          <>
            <button
              type="button"
              class="danger"
              disabled={action.busy}
              onClick={() => {
                setSure(false);
                action.run(async () => {
                  const { digest } = await api.send<{ digest: string }>("POST", "/_backlot/reset");
                  return `Everything is as it was at the start; digest ${digest.slice(0, 12)}.`;
                });
              }}
            >
              Reset everything
            </button>
            <button type="button" class="quiet" onClick={() => setSure(false)}>
              Keep
            </button>
          </>
        ) : (
          <button type="button" disabled={action.busy} onClick={() => setSure(true)}>
            Reset…
          </button>
        )}
      </div>
      <Said action={action} />
    </Panel>
  );
}

interface Snapshot {
  readonly name: string;
  readonly services: Readonly<Record<string, { readonly savedAt: string; readonly digest: string }>>;
}

function Snapshots() {
  const { api } = useShared();
  const live = useLive();
  const action = useAction();
  const [name, setName] = useState("");
  const found = useResource<{ snapshots: readonly Snapshot[] }>("/_backlot/snapshots", {
    mark: live.count(undefined, ["control"]),
  });
  const act = (work: () => Promise<unknown>, done: string) =>
    action.run(async () => {
      await work();
      found.reload();
      return done;
    });
  return (
    <Panel title="Snapshots">
      <form
        class="inline"
        onSubmit={(event) => {
          event.preventDefault();
          act(() => api.send("POST", "/_backlot/snapshots", { name }), `Saved ${name}.`);
          setName("");
        }}
      >
        <Field
          label="Name of the snapshot"
          hideLabel
          value={name}
          onInput={setName}
          placeholder="before-campaign"
          wide
        />
        <button type="submit" disabled={action.busy || name === ""}>
          Save
        </button>
      </form>
      <Said action={action} />
      <Problem text={found.error} />
      <ul class="lines shelf" aria-label="Saved snapshots">
        {found.value?.snapshots.length === 0 ? (
          <li>
            <Empty title="No snapshot yet">Save one, try something, and come back to it.</Empty>
          </li>
        ) : (
          found.value?.snapshots.map((snapshot) => (
            <li key={snapshot.name}>
              <div class="titled">
                <span class="mono cut" title={snapshot.name}>
                  {snapshot.name}
                </span>
                <span class="faint">
                  <Time iso={Object.values(snapshot.services)[0]?.savedAt} />
                </span>
              </div>
              <button
                type="button"
                disabled={action.busy}
                onClick={() =>
                  act(
                    () => api.send("POST", `/_backlot/snapshots/${encodeURIComponent(snapshot.name)}/restore`),
                    `Restored ${snapshot.name}.`,
                  )
                }
              >
                Restore
              </button>
              <button
                type="button"
                class="quiet"
                aria-label={`Delete ${snapshot.name}`}
                disabled={action.busy}
                onClick={() =>
                  act(
                    () => api.send("DELETE", `/_backlot/snapshots/${encodeURIComponent(snapshot.name)}`),
                    `Deleted ${snapshot.name}.`,
                  )
                }
              >
                Delete
              </button>
            </li>
          ))
        )}
      </ul>
    </Panel>
  );
}
