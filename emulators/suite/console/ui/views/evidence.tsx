/** Evidence of what happened: record it, take the pack away, see whether it is whole. */
import { useState } from "preact/hooks";
import type { ShelvedPack, Verdict } from "../../../evidence/answers.ts";
import { count, size } from "../format.ts";
import { Badge, Copy, Empty, Field, Panel, Problem, Said, Time } from "../parts.tsx";
import { useAction, useLive, useResource, useShared } from "../state.ts";
import { Table } from "../table.tsx";

const base = "/_backlot/evidence";

export function Evidence() {
  const packs = useResource<{ packs: readonly ShelvedPack[] }>(`${base}/packs`, { everyMs: 5_000 });
  return (
    <div class="stack">
      <Recording made={packs.reload} />
      <Packs packs={packs.value?.packs} error={packs.error} changed={packs.reload} />
    </div>
  );
}

function Recording({ made }: { made(): void }) {
  const { api } = useShared();
  const live = useLive();
  const action = useAction();
  const [title, setTitle] = useState("");
  const state = useResource<{ recordingSince: string | null }>(base, {
    mark: live.count(undefined, ["control"]),
    everyMs: 5_000,
  });
  const since = state.value?.recordingSince ?? null;
  return (
    <Panel
      title="Recording"
      aside={
        state.value ? (
          <Badge tone={since === null ? "plain" : "bad"}>{since === null ? "off" : "recording"}</Badge>
        ) : null
      }
    >
      {since === null ? (
        <form
          class="fields"
          onSubmit={(event) => {
            event.preventDefault();
            action.run(async () => {
              await api.send("POST", `${base}/start`, title === "" ? {} : { title });
              state.reload();
              return "What happens from now on goes into the pack.";
            });
          }}
        >
          <Field label="Title" value={title} onInput={setTitle} placeholder="Checkout of release 12" wide />
          <button type="submit" disabled={action.busy || !state.value}>
            Start recording
          </button>
        </form>
      ) : (
        <div class="fields">
          <span>
            Since <Time iso={since} /> everything that the services answer, send and take is kept.
          </span>
          <button
            type="button"
            disabled={action.busy}
            onClick={() =>
              action.run(async () => {
                try {
                  const { name, files } = await api.send<Pick<ShelvedPack, "name" | "files">>("POST", `${base}/stop`);
                  return `${name}: ${count(files)} files.`;
                } finally {
                  state.reload();
                  made();
                }
              })
            }
          >
            {action.busy ? "Making the pack…" : "Stop and make the pack"}
          </button>
        </div>
      )}
      <Said action={action} />
      <Problem text={state.error} />
    </Panel>
  );
}

function Packs(props: { packs: readonly ShelvedPack[] | undefined; error: string | undefined; changed(): void }) {
  const { packs, error, changed } = props;
  const [verdicts, setVerdicts] = useState<Readonly<Record<string, Verdict>>>({});
  return (
    <Panel title="Packs" aside={packs ? count(packs.length) : null}>
      <Problem text={error} />
      {!packs ? null : packs.length === 0 ? (
        <Empty title="No pack yet">
          Record above, or run a scenario with Make evidence. The ten newest packs are held until Backlot ends.
        </Empty>
      ) : (
        <Table
          label="Packs"
          rows={packs}
          keyOf={({ id }) => id}
          columns={[
            {
              title: "Pack",
              class: "wrap",
              cell: ({ title, name }) => (
                <>
                  {title} {title === name ? null : <span class="faint mono">{name}</span>}
                </>
              ),
            },
            { title: "Made", cell: ({ madeAt }) => <Time iso={madeAt} /> },
            { title: "Files", class: "number", cell: ({ files }) => count(files) },
            { title: "Size", class: "number nowrap", cell: ({ bytes }) => size(bytes) },
            {
              title: "Fingerprint",
              class: "nowrap",
              cell: ({ id, fingerprint }) => (
                <>
                  <span class="mono" title={fingerprint}>
                    {id}
                  </span>{" "}
                  <Copy text={fingerprint} />
                </>
              ),
            },
            { title: "Verified", class: "nowrap", cell: ({ id }) => <VerdictBadge verdict={verdicts[id]} /> },
            {
              title: "Actions",
              hideTitle: true,
              class: "number nowrap",
              cell: (pack) => (
                <PackActions
                  pack={pack}
                  judged={(verdict) => setVerdicts((before) => ({ ...before, [pack.id]: verdict }))}
                  removed={changed}
                />
              ),
            },
          ]}
        />
      )}
      {packs?.map(({ id, title }) => {
        const verdict = verdicts[id];
        return verdict ? <VerdictDetail key={id} title={title} verdict={verdict} /> : null;
      })}
    </Panel>
  );
}

function VerdictBadge({ verdict }: { verdict: Verdict | undefined }) {
  if (!verdict) return <span class="faint">not yet</span>;
  return <Badge tone={verdict.code === 0 ? "good" : "bad"}>{verdict.code === 0 ? "whole" : "not whole"}</Badge>;
}

function VerdictDetail({ title, verdict }: { title: string; verdict: Verdict }) {
  const { code, files, signature, fingerprint, findings } = verdict;
  return (
    <section aria-label={`Verdict on ${title}`} class="wrap">
      <h3>{title}</h3>
      {code === 0 ? (
        <p>
          Every hash, list and link between its parts agrees: {count(files)} files, signature {signature}, fingerprint{" "}
          <span class="mono">{fingerprint}</span>.
        </p>
      ) : (
        <ul class="lines">
          {findings.map(({ check, path, detail }) => (
            <li key={`${check} ${path} ${detail}`}>
              <Badge tone="bad">{check}</Badge> <span class="mono">{path}</span> {detail}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function PackActions(props: { pack: ShelvedPack; judged(verdict: Verdict): void; removed(): void }) {
  const { api } = useShared();
  const action = useAction();
  const { pack, judged, removed } = props;
  const path = `${base}/packs/${pack.id}`;
  const act = (work: () => Promise<void>) =>
    action.run(async () => {
      await work();
      return undefined;
    });
  return (
    <>
      <button
        type="button"
        class="quiet"
        disabled={action.busy}
        onClick={() => act(async () => judged(await api.get<Verdict>(`${path}/verdict`)))}
      >
        Verify
      </button>
      <button
        type="button"
        class="quiet"
        disabled={action.busy}
        onClick={() => act(async () => save(await api.blob(`${path}/pack.tar`), `${pack.name}.tar`))}
      >
        Download
      </button>
      <button
        type="button"
        class="quiet"
        aria-label={`Delete ${pack.title}`}
        disabled={action.busy}
        onClick={() =>
          act(async () => {
            await api.send("DELETE", path);
            removed();
          })
        }
      >
        Delete
      </button>
      {action.said?.bad ? <span class="bad">{action.said.text}</span> : null}
    </>
  );
}

/** A link could not bear the control token; what was fetched with it is handed to the browser as a file. */
function save(bytes: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(bytes);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
