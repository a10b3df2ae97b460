/** Deliveries with every attempt, dead letters, endpoints, and the probe of a receiver. */
import { useState } from "preact/hooks";
import type { DeliveryState, ShownAttempt, ShownDelivery, SignatureCheck } from "../../../../kernel/control-answers.ts";
import { count, duration, newestOf } from "../format.ts";
import { shortNames } from "../journal-list.tsx";
import { Badge, Code, Empty, Facts, Headers, Panel, Problem, Said, Select, Tabs, Time, type Tone } from "../parts.tsx";
import { go, place, useAction, useLive, useResource, useShared } from "../state.ts";
import { VirtualList } from "../virtual-list.tsx";
import { Endpoints } from "./endpoints.tsx";
import { pairsOf } from "./journal.tsx";
import { Probe } from "./probe.tsx";
import { type CheckedAttempt, Signature } from "./signature.tsx";

type Listed = ShownDelivery & { readonly service: string };

const tones: Readonly<Record<DeliveryState, Tone>> = {
  waiting: "warn",
  delivered: "good",
  dead: "bad",
  discarded: "plain",
};

export function Webhooks(props: {
  tab: string | undefined;
  service: string | undefined;
  id: string | undefined;
  names: readonly string[];
}) {
  const { tab = "deliveries", service, id, names } = props;
  return (
    <div class="tabbed">
      <Tabs
        label="Webhooks"
        current={tab}
        href={(name) => place("webhooks", name)}
        tabs={[
          { id: "deliveries", title: "Deliveries" },
          { id: "dead", title: "Dead letters" },
          { id: "endpoints", title: "Endpoints" },
          { id: "probe", title: "Probe a receiver" },
        ]}
      />
      {tab === "endpoints" ? (
        <Endpoints names={names} />
      ) : tab === "probe" ? (
        <Probe names={names} />
      ) : (
        <Deliveries key={tab} dead={tab === "dead"} service={service} id={id} />
      )}
    </div>
  );
}

function Deliveries({ dead, service, id }: { dead: boolean; service: string | undefined; id: string | undefined }) {
  const live = useLive();
  const [state, setState] = useState("");
  const mark = live.count(undefined, ["delivery", "control"]);
  const wanted = dead ? "dead" : state;
  const { value, error, reload } = useResource<{
    services: Readonly<
      Record<string, { deliveries: readonly ShownDelivery[]; counts: Readonly<Record<DeliveryState, number>> }>
    >;
  }>(`/_backlot/webhooks/deliveries?limit=500${wanted === "" ? "" : `&state=${wanted}`}`, { mark, everyMs: 5_000 });
  const rows: readonly Listed[] = Object.entries(value?.services ?? {})
    .flatMap(([name, page]) => page.deliveries.map((delivery) => ({ ...delivery, service: name })))
    .sort((left, right) => (left.occurredAt < right.occurredAt ? 1 : left.occurredAt > right.occurredAt ? -1 : 0));
  const total = Object.values(value?.services ?? {}).reduce((sum, { counts }) => sum + counts.dead, 0);
  const tab = dead ? "dead" : "deliveries";
  return (
    <div class={`split ${id === undefined ? "" : "chosen"}`}>
      <Panel
        title={dead ? "Dead letters" : "Deliveries"}
        class="list"
        aside={
          dead ? (
            newestOf(rows.length, total)
          ) : (
            <Select
              label="State"
              hideLabel
              value={state}
              onChange={setState}
              options={[
                ["", "All states"],
                ["waiting", "Waiting"],
                ["delivered", "Delivered"],
                ["dead", "Dead"],
                ["discarded", "Discarded"],
              ]}
            />
          )
        }
      >
        <Problem text={error} />
        {value && rows.length === 0 ? (
          dead ? (
            <Empty title="No dead letter">
              A delivery whose last try failed ends here, to be replayed or discarded.
            </Empty>
          ) : (
            <Empty title="No delivery yet">
              Register an <a href={place("webhooks", "endpoints")}>endpoint</a>, or give a provider's request a callback
              URL.
            </Empty>
          )
        ) : (
          <VirtualList
            rows={rows}
            rowHeight={46}
            label={dead ? "Dead letters" : "Deliveries"}
            keyOf={(row) => `${row.service}/${row.id}`}
            selected={id === undefined ? undefined : `${service}/${id}`}
            onSelect={(row) => go("webhooks", tab, row.service, row.id)}
            render={(row) => (
              <div class="two">
                <div>
                  <span class="cut strong">{row.type}</span>
                  <span class="push" />
                  <Badge tone={tones[row.state]}>{row.state}</Badge>
                </div>
                <div class="faint">
                  <span class="cut mono">{row.url}</span>
                  <span class="push" />
                  <span class="nowrap">
                    {shortNames[row.service] ?? row.service} · {row.tries === 1 ? "1 try" : `${row.tries} tries`} ·{" "}
                    {row.occurredAt.slice(11, 19)}
                  </span>
                </div>
              </div>
            )}
          />
        )}
      </Panel>
      {id === undefined || service === undefined ? (
        <Panel title="Attempts" class="detail">
          {dead && rows.length > 0 ? (
            <AllDead rows={rows} total={total} done={reload} />
          ) : (
            <Empty title="No delivery chosen">Choose one to see each attempt with its request and answer.</Empty>
          )}
        </Panel>
      ) : (
        <DeliveryDetail key={id} service={service} id={id} mark={mark} />
      )}
    </div>
  );
}

function AllDead({ rows, total, done }: { rows: readonly Listed[]; total: number; done(): void }) {
  const { api } = useShared();
  const action = useAction();
  const services = [...new Set(rows.map((row) => row.service))];
  return (
    <div class="padded">
      <p>
        {count(total)} {total === 1 ? "delivery" : "deliveries"} gave up. Choose one to see why, or try all of them
        again.
      </p>
      <button
        type="button"
        disabled={action.busy}
        onClick={() =>
          action.run(async () => {
            for (const name of services) await api.send("POST", `/_backlot/members/${name}/dead-letters/replay`, {});
            done();
            return "All of them are under way again.";
          })
        }
      >
        Replay all
      </button>
      <Said action={action} />
    </div>
  );
}

function DeliveryDetail({ service, id, mark }: { service: string; id: string; mark: number }) {
  const { api } = useShared();
  const action = useAction();
  const [reason, setReason] = useState("");
  const path = `/_backlot/members/${service}`;
  const found = useResource<ShownDelivery & { body: string; attempts: readonly ShownAttempt[] }>(
    `${path}/webhooks/deliveries/${encodeURIComponent(id)}`,
    { mark },
  );
  const signatures = useResource<{ attempts: readonly CheckedAttempt[] }>(
    `${path}/webhooks/deliveries/${encodeURIComponent(id)}/signatures`,
    { mark },
  );
  const delivery = found.value;
  if (!delivery)
    return (
      <Panel title="Delivery" class="detail">
        <Problem text={found.error} />
      </Panel>
    );
  return (
    <Panel title={delivery.type} class="detail" aside={<Badge tone={tones[delivery.state]}>{delivery.state}</Badge>}>
      <div class="scroll">
        <Facts
          rows={[
            ["To", <span class="mono">{`${delivery.method} ${delivery.url}`}</span>],
            ["About", <span class="mono">{delivery.subject}</span>],
            ["Webhook id", <span class="mono">{delivery.webhookId}</span>],
            [
              "Asked for by",
              delivery.scheme === "endpoint" ? "a registered endpoint" : `a request, as ${delivery.scheme}`,
            ],
            ["Occurred", <Time iso={delivery.occurredAt} />],
            ...(delivery.nextDue === null ? [] : [["Next try", <Time iso={delivery.nextDue} />] as const]),
            ...(delivery.reason === null ? [] : [["Why it ended", delivery.reason] as const]),
          ]}
        />
        {delivery.state === "dead" ? (
          <form
            class="inline"
            onSubmit={(event) => {
              event.preventDefault();
              action.run(async () => {
                await api.send("POST", `${path}/dead-letters/discard`, { ids: [id], reason });
                found.reload();
                return "Discarded.";
              });
            }}
          >
            <button
              type="button"
              disabled={action.busy}
              onClick={() =>
                action.run(async () => {
                  await api.send("POST", `${path}/dead-letters/replay`, { ids: [id] });
                  found.reload();
                  return "It is under way again.";
                })
              }
            >
              Replay
            </button>
            <label class="field wide">
              <span class="hidden">Reason for discarding</span>
              <input
                value={reason}
                placeholder="Reason for discarding"
                onInput={(event) => setReason(event.currentTarget.value)}
              />
            </label>
            <button type="submit" disabled={action.busy || reason === ""}>
              Discard
            </button>
          </form>
        ) : null}
        <Said action={action} />
        <h3>Attempts</h3>
        {delivery.attempts.length === 0 ? <p class="faint">None yet.</p> : null}
        {[...delivery.attempts].reverse().map((attempt, index) => (
          <AttemptBox
            key={attempt.n}
            attempt={attempt}
            checks={signatures.value?.attempts.find(({ n }) => n === attempt.n)?.checks ?? []}
            open={index === 0}
          />
        ))}
        <h3>Body</h3>
        <Code label="Body of the delivery" text={delivery.body} />
      </div>
    </Panel>
  );
}

function AttemptBox(props: { attempt: ShownAttempt; checks: readonly SignatureCheck[]; open: boolean }) {
  const { attempt, checks, open } = props;
  const good = attempt.outcome === "delivered";
  return (
    <details class="attempt" open={open}>
      <summary>
        <Badge tone={good ? "good" : "bad"}>{attempt.status ?? attempt.outcome}</Badge>
        <span>Attempt {attempt.n}</span>
        <Time iso={attempt.at} />
        <span class="push" />
        <span class="faint">{duration(attempt.wallMs)}</span>
      </summary>
      {attempt.detail === null ? null : <p class="problem">{attempt.detail}</p>}
      {attempt.nextDue === null ? null : (
        <p class="faint">
          Tried again at <Time iso={attempt.nextDue} />
        </p>
      )}
      <h4>Request</h4>
      <Headers label="Request headers" headers={pairsOf(attempt.request.headers)} />
      {checks.map((check) => (
        <Signature key={check.scheme} check={check} />
      ))}
      <h4>Answer</h4>
      {attempt.response === null ? (
        <p class="faint">There was none.</p>
      ) : (
        <>
          <Headers label="Answer headers" headers={pairsOf(attempt.response.headers)} />
          {attempt.response.body === "" ? (
            <p class="faint">Its body was empty.</p>
          ) : (
            <Code label="Answer body" text={attempt.response.body} />
          )}
        </>
      )}
    </details>
  );
}
