/** The frame around the views: where one is, what time it is, whether the feed is alive. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { HealthView, Service } from "../../shown-services.ts";
import type { PageFacts } from "../page-facts.ts";
import { type ClockState, useClock } from "./clock.ts";
import { fetched } from "./fetched.tsx";
import { Badge, Dot, Field } from "./parts.tsx";
import { place, useLive, useResource, useRoute, useShared } from "./state.ts";
import { JournalView } from "./views/journal.tsx";
import type { LaterProps } from "./views/later.tsx";
import { Overview } from "./views/overview.tsx";

const Later = fetched<LaterProps>(async () => (await import("./views/later.tsx")).Later);

const views: readonly (readonly [id: string, title: string, needs?: string])[] = [
  ["overview", "Overview"],
  ["journal", "Journal"],
  ["messages", "Messages", "twilio"],
  ["mail", "Mail", "smtp"],
  ["spot", "Spot", "ec2-spot"],
  ["compliance", "Compliance", "azure-policyinsights"],
  ["webhooks", "Webhooks"],
  ["control", "Control"],
];

export function App({ page }: { page: PageFacts }) {
  const { api } = useShared();
  const [locked, setLocked] = useState(false);
  useEffect(() => api.onRefused(() => setLocked(true)), [api]);
  return locked ? <Unlock /> : <Console page={page} />;
}

function Console({ page: { seed, part, suite } }: { page: PageFacts }) {
  const first = views.find(([, , needs]) => part !== undefined && needs === part)?.[0] ?? "overview";
  const [view = first, ...rest] = useRoute();
  const services = useResource<{ services: readonly Service[] }>("/_backlot/services", { everyMs: 30_000 });
  const health = useResource<HealthView>("/_backlot/health", { everyMs: 5_000 });
  const clock = useClock();
  const members = services.value?.services ?? [];
  const names = members.map(({ name }) => name);
  const title = views.find(([id]) => id === view)?.[1] ?? "Not here";
  const common = views.filter(([id]) => id === "journal" || id === "webhooks");
  const shown =
    part === undefined
      ? views.filter(([, , needs]) => needs === undefined || names.length === 0 || names.includes(needs))
      : [...views.filter(([, , needs]) => needs === part), ...common];
  const nav = useRef<HTMLElement>(null);
  // On a narrow screen the views are a row that scrolls.
  useEffect(() => {
    nav.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [view, shown.length]);
  useEffect(() => {
    document.title = `${title} · Backlot`;
  }, [title]);
  return (
    <div class="shell">
      <aside class="side">
        <a class="brand" href={place(first)}>
          Backlot
        </a>
        <nav aria-label="Views" ref={nav}>
          {shown.map(([id, name]) => (
            <a key={id} href={place(id)} aria-current={id === view ? "page" : undefined}>
              {name}
            </a>
          ))}
          {suite === undefined ? null : <a href={suite}>All of Backlot</a>}
        </nav>
      </aside>
      <TopBar title={title} seed={seed} clock={clock} mode={health.value?.mode} />
      <main>
        {view === "overview" ? (
          <Overview services={members} health={health.value} />
        ) : view === "journal" ? (
          <JournalView names={names} selected={rest[0]} />
        ) : views.some(([id]) => id === view) ? (
          <Later view={view} rest={rest} services={members} clock={clock} mode={health.value?.mode} />
        ) : (
          <p>
            There is no view {view}. <a href={place(first)}>Back to the first</a>
          </p>
        )}
      </main>
    </div>
  );
}

function TopBar(props: { title: string; seed: string; clock: ClockState | undefined; mode: string | undefined }) {
  const { title, seed, clock, mode } = props;
  const { connection } = useLive();
  const health = {
    live: ["good", "Live"],
    connecting: ["plain", "Connecting"],
    lost: ["bad", "Connection lost, trying again"],
  } as const;
  const [tone, label] = health[connection];
  return (
    <header class="top">
      <h1>{title}</h1>
      <span class="push" />
      <span class="faint cut" title="What every id and price is derived from">
        seed {seed}
      </span>
      {mode === undefined ? null : <Badge tone={mode === "real" ? "warn" : "plain"}>{mode} mode</Badge>}
      <span class="mono clock" title="The suite's clock, UTC">
        {clock?.shown ?? ""}
      </span>
      {clock && clock.view.mode !== "real" ? <Badge tone="info">{clock.view.mode}</Badge> : null}
      <span role="status">
        <Dot tone={tone} label={label} />
      </span>
    </header>
  );
}

/** Only when BACKLOT_CONTROL_TOKEN is set. */
function Unlock() {
  const { api } = useShared();
  const [token, setToken] = useState("");
  return (
    <main class="unlock">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          api.useToken(token);
          location.reload();
        }}
      >
        <h1>Backlot</h1>
        <p>This suite was started with a control token.</p>
        <Field label="Control token" type="password" value={token} onInput={setToken} wide />
        <button type="submit" disabled={token === ""}>
          Open
        </button>
      </form>
    </main>
  );
}
