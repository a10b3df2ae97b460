/** What was bought on the spot market: requests and instances on one timeline, and the button that takes one away. */
import { instant } from "../format.ts";
import { Badge, Empty, Facts, Panel, Problem, Said, Time, type Tone } from "../parts.tsx";
import { go, place, useAction, useLive, useResource, useShared } from "../state.ts";
import { VirtualList } from "../virtual-list.tsx";

interface Tag {
  readonly key: string;
  readonly value: string;
}
interface Instance {
  readonly id: string;
  readonly region: string;
  readonly zoneId: string;
  readonly type: string;
  readonly state: string;
  readonly lifecycle: string;
  readonly spotRequest: string | null;
  readonly metadataPort: number | null;
  readonly tags: readonly Tag[];
  readonly launchedAt: string;
  readonly endedAt: string | null;
  readonly rebalanceAt: string | null;
  readonly interruption: {
    readonly action: string;
    readonly noticeAt: string;
    readonly at: string;
    readonly by: string;
  } | null;
}
interface Request {
  readonly id: string;
  readonly region: string;
  readonly type: string;
  readonly instanceType: string;
  readonly state: string;
  readonly code: string;
  readonly message: string;
  readonly behavior: string;
  readonly maxPrice: number;
  readonly instance: string | null;
  readonly fleet: string | null;
  readonly tags: readonly Tag[];
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly endedAt: string | null;
}

interface Life {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly what: string;
  readonly from: number;
  /** Undefined while it lives. */
  readonly to: number | undefined;
  readonly marks: readonly { readonly at: number; readonly kind: "rebalance" | "notice" | "gone" }[];
  readonly instance?: Instance;
  readonly request?: Request;
}

const nameOf = (tags: readonly Tag[]) => tags.find(({ key }) => key === "Name")?.value ?? "";

export function livesOf(instances: readonly Instance[], requests: readonly Request[]): readonly Life[] {
  const lives: Life[] = [
    ...instances.map((instance) => ({
      id: instance.id,
      name: nameOf(instance.tags),
      state: instance.state,
      what: `${instance.type} · ${instance.lifecycle} · ${instance.zoneId}`,
      from: Date.parse(instance.launchedAt),
      to: instance.endedAt === null ? undefined : Date.parse(instance.endedAt),
      marks: [
        ...(instance.rebalanceAt === null
          ? []
          : [{ at: Date.parse(instance.rebalanceAt), kind: "rebalance" as const }]),
        ...(instance.interruption === null
          ? []
          : [
              { at: Date.parse(instance.interruption.noticeAt), kind: "notice" as const },
              { at: Date.parse(instance.interruption.at), kind: "gone" as const },
            ]),
      ],
      instance,
    })),
    ...requests.map((request) => ({
      id: request.id,
      name: nameOf(request.tags),
      state: request.state,
      what: `${request.instanceType} · ${request.type} request · ${request.code}`,
      from: Date.parse(request.createdAt),
      to: request.endedAt === null ? undefined : Date.parse(request.endedAt),
      marks: [],
      request,
    })),
  ];
  return lives.sort((left, right) => right.from - left.from || (left.id < right.id ? -1 : 1));
}

const tones: Readonly<Record<string, Tone>> = {
  running: "good",
  active: "good",
  pending: "info",
  open: "info",
  "shutting-down": "warn",
  stopping: "warn",
  disabled: "warn",
  failed: "bad",
};

export function SpotLives({ id, own }: { id: string | undefined; own: string }) {
  const live = useLive();
  const options = { mark: live.count("ec2-spot", ["change", "control"]), everyMs: 10_000 };
  const instances = useResource<{ instances: readonly Instance[] }>(`${own}/instances`, options);
  const requests = useResource<{ requests: readonly Request[] }>(`${own}/requests`, options);
  const clock = useResource<{ epochMs: number }>("/_backlot/clock", options);
  const lives = livesOf(instances.value?.instances ?? [], requests.value?.requests ?? []);
  const now = clock.value?.epochMs ?? 0;
  const span = spanOf(lives, now);
  const chosen = lives.find((one) => one.id === id);
  const ready = instances.value !== undefined && requests.value !== undefined;
  return (
    <div class={`split wide-list ${id === undefined ? "" : "chosen"}`}>
      <Panel
        title="Instances and requests"
        class="list"
        aside={
          lives.length === 0
            ? null
            : `${instant(new Date(span.from).toISOString()).slice(5, 16)} – ${instant(new Date(span.to).toISOString()).slice(5, 16)} UTC`
        }
      >
        <Problem text={instances.error ?? requests.error} />
        {ready && lives.length === 0 ? (
          <Empty title="Nothing was bought yet">
            Ask with RequestSpotInstances, RunInstances or CreateFleet; what you get appears here and can be taken away.
          </Empty>
        ) : (
          <VirtualList
            rows={lives}
            rowHeight={58}
            label="Instances and requests, latest first"
            keyOf={(row) => row.id}
            selected={id}
            onSelect={(row) => go("spot", "lives", row.id)}
            render={(row) => <LifeRow life={row} span={span} now={now} />}
          />
        )}
      </Panel>
      {chosen?.instance ? (
        <InstanceDetail instance={chosen.instance} own={own} />
      ) : chosen?.request ? (
        <RequestDetail request={chosen.request} />
      ) : (
        <Panel title="Instance" class="detail">
          <Empty title={id === undefined || !ready ? "Nothing chosen" : `${id} does not exist`}>
            Choose an instance to see its life and to interrupt it.
          </Empty>
        </Panel>
      )}
    </div>
  );
}

interface Span {
  readonly from: number;
  readonly to: number;
}

/** From the first start to the last instant that is known, and a little more. */
function spanOf(lives: readonly Life[], now: number): Span {
  let [from, to] = [now, now];
  for (const life of lives) {
    from = Math.min(from, life.from);
    for (const { at } of life.marks) to = Math.max(to, at);
  }
  const margin = Math.max(1_000, (to - from) * 0.02);
  return { from: from - margin, to: to + margin };
}

function LifeRow({ life, span, now }: { life: Life; span: Span; now: number }) {
  const part = (at: number) => `${((100 * (at - span.from)) / (span.to - span.from)).toFixed(2)}%`;
  const end = life.to ?? Math.max(now, life.from);
  return (
    <div class="two">
      <div>
        <span class="cut strong">{life.name === "" ? life.id : life.name}</span>
        <span class="push" />
        {life.to === undefined && life.marks.some(({ kind }) => kind === "notice") ? (
          <Badge tone="warn">notice</Badge>
        ) : null}
        <Badge tone={tones[life.state] ?? "plain"}>{life.state}</Badge>
      </div>
      <div class="faint">
        {life.name === "" ? null : <span class="mono cut">{life.id}</span>}
        <span class="cut">{life.what}</span>
      </div>
      <svg class="life" width="100%" height="10" aria-hidden="true">
        <rect
          class={life.request ? "request" : life.to === undefined ? "alive" : "over"}
          x={part(life.from)}
          y="2"
          width={part(span.from + Math.max(0, end - life.from))}
          height="6"
          rx="2"
        />
        {life.marks.map(({ at, kind }) => (
          <rect key={kind} class={`mark ${kind}`} x={part(at)} y="0" width="2" height="10" />
        ))}
      </svg>
    </div>
  );
}

function InstanceDetail({ instance, own }: { instance: Instance; own: string }) {
  const { api } = useShared();
  const action = useAction();
  const alive = instance.state === "running" || instance.state === "pending";
  const can = alive && instance.lifecycle === "spot" && instance.interruption === null;
  const interrupt = (more: Readonly<Record<string, unknown>>, done: (noticeAt: string, deadline: string) => string) =>
    action.run(async () => {
      const told = await api.send<{ noticeAt: string; deadline: string }>("POST", `${own}/interrupt`, {
        instance: instance.id,
        ...more,
      });
      return done(told.noticeAt, told.deadline);
    });
  return (
    <Panel
      title={instance.id}
      class="detail"
      aside={<Badge tone={tones[instance.state] ?? "plain"}>{instance.state}</Badge>}
    >
      <div class="scroll">
        <div class="buttons" role="group" aria-label="Interrupt">
          <button
            type="button"
            class="danger"
            disabled={!can || action.busy}
            onClick={() => interrupt({}, (_, deadline) => `Told; it goes at ${instant(deadline)}.`)}
          >
            Interrupt now
          </button>
          <button
            type="button"
            disabled={!can || action.busy}
            onClick={() => interrupt({ noticeSeconds: 0, rebalance: false }, () => "Taken away without a notice.")}
          >
            Without notice
          </button>
          <button
            type="button"
            disabled={!can || instance.rebalanceAt !== null || action.busy}
            onClick={() => interrupt({ rebalance: "only" }, () => "A rebalance was recommended.")}
          >
            Recommend rebalance
          </button>
        </div>
        {can ? null : <p class="faint">{whyNot(instance, alive)}</p>}
        <Said action={action} />
        <Facts
          rows={[
            ["Type", `${instance.type}, ${instance.lifecycle}`],
            ["Where", `${instance.region}, ${instance.zoneId}`],
            ...(instance.spotRequest === null
              ? []
              : [
                  [
                    "Request",
                    <a href={place("spot", "lives", instance.spotRequest)}>{instance.spotRequest}</a>,
                  ] as const,
                ]),
            ["Launched", <Time iso={instance.launchedAt} />],
            ["Rebalance", <Time iso={instance.rebalanceAt} />],
            ...(instance.interruption === null
              ? []
              : [
                  ["Notice", <Time iso={instance.interruption.noticeAt} />] as const,
                  [
                    "Goes",
                    <span>
                      <Time iso={instance.interruption.at} /> ({instance.interruption.action}, by{" "}
                      {instance.interruption.by})
                    </span>,
                  ] as const,
                ]),
            ["Ended", <Time iso={instance.endedAt} />],
            ...(instance.metadataPort === null
              ? []
              : [["Metadata", <span class="mono">{`http://127.0.0.1:${instance.metadataPort}`}</span>] as const]),
            ...tagFacts(instance.tags),
          ]}
        />
      </div>
    </Panel>
  );
}

function whyNot(instance: Instance, alive: boolean): string {
  if (instance.lifecycle !== "spot") return "On-demand instances are not interrupted.";
  if (instance.interruption !== null) return "It has had its notice.";
  return alive ? "" : `It is ${instance.state}.`;
}

function tagFacts(tags: readonly Tag[]) {
  if (tags.length === 0) return [];
  const lines = tags.map(({ key, value }) => (
    <div key={key} class="mono">
      {key} = {value}
    </div>
  ));
  return [["Tags", lines] as const];
}

function RequestDetail({ request }: { request: Request }) {
  return (
    <Panel
      title={request.id}
      class="detail"
      aside={<Badge tone={tones[request.state] ?? "plain"}>{request.state}</Badge>}
    >
      <div class="scroll">
        <Facts
          rows={[
            ["Status", request.code],
            ["Says", request.message],
            ["Type", `${request.instanceType}, ${request.type}`],
            ["Most", `$${request.maxPrice} an hour`],
            ["Interrupted", request.behavior],
            ["Instance", request.instance && <a href={place("spot", "lives", request.instance)}>{request.instance}</a>],
            ...(request.fleet === null ? [] : [["Fleet", <span class="mono">{request.fleet}</span>] as const]),
            ["Made", <Time iso={request.createdAt} />],
            ["Status since", <Time iso={request.updatedAt} />],
            ["Ended", <Time iso={request.endedAt} />],
            ...tagFacts(request.tags),
          ]}
        />
      </div>
    </Panel>
  );
}
