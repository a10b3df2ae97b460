/** One glance: is everything up, and is this run clean? */
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Check, HealthView, Service } from "../../../shown-services.ts";
import { count, duration, local } from "../format.ts";
import { JournalList } from "../journal-list.tsx";
import { Badge, Dot, Empty, Panel, Problem, type Tone } from "../parts.tsx";
import { place, useLive, useResource } from "../state.ts";
import { Table } from "../table.tsx";

interface Egress {
  readonly refused: readonly Readonly<Record<string, unknown>>[];
  readonly totals: { readonly refused: number; readonly allowed: number };
  readonly targets: readonly {
    readonly target: string;
    readonly verdict: string;
    readonly count: number;
    readonly lastAt: string;
    readonly reason: string;
  }[];
}

export function Overview({ services, health }: { services: readonly Service[]; health: HealthView | undefined }) {
  const live = useLive();
  const egress = useResource<Egress>("/_backlot/egress", {
    mark: live.count(undefined, ["egress", "control"]),
    everyMs: 5_000,
  });
  const dead = useResource<{ services: Readonly<Record<string, { total: number }>> }>(
    "/_backlot/dead-letters?limit=1",
    {
      mark: live.count(undefined, ["delivery", "control"]),
    },
  );
  const verdict = <Verdict health={health} egress={egress.value} deadLetters={sum(dead.value?.services)} />;
  const waited = useWaited();
  // Each service's parts come with the health checks, and would push down what stands below.
  if (!health && !waited) return <div class="overview">{verdict}</div>;
  return (
    <div class="overview">
      {verdict}
      <div class="columns">
        <Panel title="Services">
          {services.length === 0 ? (
            <Empty title="No service is running" />
          ) : (
            <Services services={services} health={health} />
          )}
          {(health?.configuration_hints ?? []).map((hint) => (
            <p key={hint} class="hint">
              {hint}
            </p>
          ))}
        </Panel>
        <Panel title="Refused egress" aside={egress.value ? count(egress.value.totals.refused) : null}>
          <Problem text={egress.error} />
          <EgressTable egress={egress.value} />
        </Panel>
      </div>
      <Panel title="Live journal" class="grow" aside={<a href={place("journal")}>Open in full</a>}>
        <JournalList names={services.map(({ name }) => name)} />
      </Panel>
    </div>
  );
}

/** A service that does not answer holds the health checks up; then the rest is worth more than that nothing moves. */
const patienceMs = 1_000;

function useWaited(): boolean {
  const [waited, set] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => set(true), patienceMs);
    return () => clearTimeout(timer);
  }, []);
  return waited;
}

const sum = (services: Readonly<Record<string, { total: number }>> | undefined) =>
  services && Object.values(services).reduce((total, one) => total + one.total, 0);

function Verdict(props: {
  health: HealthView | undefined;
  egress: Egress | undefined;
  deadLetters: number | undefined;
}) {
  const { health, egress, deadLetters } = props;
  const live = useLive();
  let [failed, incidents, faults, requests] = [0, 0, 0, 0];
  for (const entry of live.entries) {
    if (entry.kind === "incident") incidents += 1;
    else if (entry.kind === "fault") faults += 1;
    else if (entry.kind === "request") {
      requests += 1;
      if (Number(entry.status) >= 500) failed += 1;
    }
  }
  const refused = egress?.totals.refused ?? 0;
  const sick = Object.values(health?.checks ?? {}).filter(({ status }) => status !== "healthy").length;
  const bad = incidents + refused + sick + (deadLetters ?? 0) + failed;
  const ready = health !== undefined && egress !== undefined;
  const real = health?.mode === "real";
  const word = !ready
    ? "Looking…"
    : real
      ? "Real mode: nothing is emulated"
      : bad === 0
        ? live.partial
          ? "Clean lately"
          : "Clean so far"
        : "Needs a look";
  const tone: Tone = !ready ? "plain" : real ? "warn" : bad === 0 ? "good" : "bad";
  return (
    <section class={`verdict ${tone}`} aria-label="State of this run">
      <strong>{word}</strong>
      <Figure n={requests} title="requests" />
      <Figure n={failed} title="answered 5xx" bad />
      <Figure n={incidents} title="incidents" bad />
      <Figure n={refused} title="egress refused" bad />
      <Figure n={deadLetters ?? 0} title="dead letters" bad href={place("webhooks", "dead")} />
      <Figure n={faults} title="faults fired" href={place("control")} />
      <Figure n={sick} title="services down" bad />
      {live.partial ? (
        <span class="faint" title="Requests, incidents and faults are counted in what this page has of the journal.">
          in the newest {count(live.entries.length)} entries
        </span>
      ) : null}
    </section>
  );
}

function Figure({ n, title, bad = false, href }: { n: number; title: string; bad?: boolean; href?: string }) {
  const inner = (
    <>
      <b class={bad && n > 0 ? "bad" : ""}>{count(n)}</b> {title}
    </>
  );
  return href === undefined ? (
    <span class="figure">{inner}</span>
  ) : (
    <a class="figure" href={href}>
      {inner}
    </a>
  );
}

function Services({ services, health }: { services: readonly Service[]; health: HealthView | undefined }) {
  return (
    <div class="table-box">
      <table class="services">
        <thead>
          <tr>
            <th>Service</th>
            <th class="number">Latency</th>
            <th class="number">Average</th>
            <th class="number">Good / failed</th>
            <th class="number">24 h</th>
            <th>Last run</th>
          </tr>
        </thead>
        {services.map(({ name, title, addresses }) => {
          const check = health?.checks[name];
          return (
            <tbody key={name}>
              <CheckRow name={title} check={check} />
              <tr class="addresses">
                <td colSpan={6}>
                  <div>
                    {addresses.map((address) => (
                      <span key={address.name + address.scheme} title={addressText(address)}>
                        {address.name} <span class="mono">{shortAddress(address)}</span>
                      </span>
                    ))}
                  </div>
                </td>
              </tr>
              {Object.entries(check?.checks ?? {}).map(([part, one]) => (
                <CheckRow key={part} name={part} check={one} inner />
              ))}
            </tbody>
          );
        })}
      </table>
    </div>
  );
}

function CheckRow(props: { name: string; check: Check | undefined; inner?: boolean }) {
  const { name, check } = props;
  const tone: Tone = !check
    ? "plain"
    : check.status === "healthy"
      ? "good"
      : check.status === "degraded"
        ? "warn"
        : "bad";
  return (
    <>
      <tr class={props.inner ? "inner" : ""}>
        <th scope="row">
          <Dot tone={tone} label={name} />
          {check && tone !== "good" ? <Badge tone={tone}>{check.status}</Badge> : null}
        </th>
        <td class="number">{check ? duration(check.latency_ms) : "–"}</td>
        <td class="number">{duration(check?.avg_ms)}</td>
        <td class="number">
          {check?.successes ?? "–"} / <span class={check?.failures ? "bad" : ""}>{check?.failures ?? "–"}</span>
        </td>
        <td class="number">{check?.uptime_24h === undefined ? "–" : `${check.uptime_24h}%`}</td>
        <td class="faint" title={check?.last_run === undefined ? undefined : local(check.last_run)}>
          {check?.last_run?.slice(11, 19) ?? "–"}
        </td>
      </tr>
      {check?.error === undefined ? null : (
        <tr class="trouble">
          <td colSpan={6}>
            {check.error} {check.hint}
          </td>
        </tr>
      )}
    </>
  );
}

function addressText({ name, scheme, host, port }: Service["addresses"][number]): string {
  return scheme === "tcp" ? `${name} ${host}:${port}` : `${scheme}://${host}:${port}`;
}

/** Ports tell loopback addresses apart; the title has the whole of them. */
function shortAddress({ scheme, host, port }: Service["addresses"][number]): string {
  const short = host === "127.0.0.1" || host === "localhost" ? "" : host;
  return `${scheme === "https" ? "https " : ""}${short}:${port}`;
}

function EgressTable({ egress }: { egress: Egress | undefined }): ComponentChildren {
  if (!egress) return null;
  const refused = egress.targets.filter(({ verdict }) => verdict === "refused");
  if (refused.length === 0)
    return (
      <Empty title="Nothing tried to leave">
        What a client or a webhook sends to a host that is not emulated is refused and listed here.
      </Empty>
    );
  return (
    <Table
      rows={refused}
      keyOf={({ target }) => target}
      columns={[
        {
          title: "Target",
          class: "target",
          cell: ({ target, reason }) => (
            <>
              <span class="mono">{target}</span>
              <span class="faint">{reason}</span>
            </>
          ),
        },
        { title: "Times", class: "number", cell: ({ count: times }) => count(times) },
        {
          title: "Last",
          class: "faint",
          cell: ({ lastAt }) => <span title={local(lastAt)}>{lastAt.slice(11, 19)}</span>,
        },
      ]}
    />
  );
}
