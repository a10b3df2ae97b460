/** The spot market: what a type costs where and how it moved, and what was bought of it. */
import { useEffect, useState } from "preact/hooks";
import { count } from "../format.ts";
import { Copy, Empty, Panel, Problem, Select, Tabs } from "../parts.tsx";
import { go, place, useLive, useResource } from "../state.ts";
import { Table } from "../table.tsx";
import { PriceChart, price, type ZonePath } from "./spot-chart.tsx";
import { SpotLives } from "./spot-lives.tsx";

const own = "/_backlot/members/ec2-spot/ec2-spot";

interface Offered {
  readonly region: string;
  readonly regions: readonly { readonly name: string; readonly geography: string }[];
  readonly products: readonly string[];
  readonly types: readonly {
    readonly name: string;
    readonly vcpu: number;
    readonly memoryMib: number;
    readonly architecture: string;
  }[];
}
interface Prices {
  readonly from: string;
  readonly to: string;
  readonly onDemand: number;
  readonly advice: { readonly savings: number; readonly interruption: string } | null;
  readonly zones: readonly ZonePath[];
}
interface Shown {
  readonly region: string;
  readonly type: string;
  readonly product: string;
  readonly days: number;
}

/** `#/spot/prices/<region>/<type>/<product>/<days>` and `#/spot/lives/<id>`. */
export function Spot({ rest }: { rest: readonly string[] }) {
  const [tab = "prices", ...more] = rest;
  return (
    <div class="tabbed">
      <Tabs
        label="Spot"
        current={tab}
        href={(name) => place("spot", name)}
        tabs={[
          { id: "prices", title: "Prices" },
          { id: "lives", title: "Instances and requests" },
        ]}
      />
      {tab === "lives" ? <SpotLives id={more[0]} own={own} /> : <Market asked={more} />}
    </div>
  );
}

function Market({ asked }: { asked: readonly string[] }) {
  const [region, type = "m5.large", product = "Linux/UNIX", days = "7"] = asked;
  const offered = useResource<Offered>(`${own}/markets${region === undefined ? "" : `?region=${region}`}`);
  if (!offered.value)
    return (
      <Panel title="Prices" class="fill">
        <Problem text={offered.error} />
      </Panel>
    );
  const shown: Shown = { region: offered.value.region, type, product, days: Number(days) || 7 };
  return <Prices offered={offered.value} shown={shown} />;
}

const goTo = ({ region, type, product, days }: Shown) => go("spot", "prices", region, type, product, String(days));

function Prices({ offered, shown }: { offered: Offered; shown: Shown }) {
  const live = useLive();
  const query = new URLSearchParams({ ...shown, days: String(shown.days) });
  const { value, error } = useResource<Prices>(`${own}/prices?${query}`, {
    everyMs: 30_000,
    mark: live.count("ec2-spot", ["control"]),
  });
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const [whole, setWhole] = useState(true);
  const about = offered.types.find(({ name }) => name === shown.type);
  const toggle = (id: string) => {
    const next = new Set(hidden);
    if (!next.delete(id)) next.add(id);
    setHidden(next);
  };
  return (
    <Panel
      title={`${shown.type} in ${shown.region}`}
      class="fill"
      aside={
        <>
          {about
            ? `${about.vcpu} vCPU · ${count(about.memoryMib / 1024)} GiB · ${about.architecture}`
            : "not offered here"}
          <Copy label="Copy query" text={value && commandOf(shown, value.from)} />
        </>
      }
    >
      <Choices offered={offered} shown={shown} whole={whole} setWhole={setWhole} />
      <Problem text={error} />
      {value === undefined ? (
        <div class="chart" />
      ) : value.zones.length === 0 ? (
        <Empty title="No price in any zone">
          {shown.type} is not sold as {shown.product} on this market. Choose another type or product above.
        </Empty>
      ) : (
        <>
          <Figures prices={value} />
          <PriceChart
            zones={value.zones}
            from={Date.parse(value.from) / 1000}
            to={Date.parse(value.to) / 1000}
            onDemand={value.onDemand}
            hidden={hidden}
            whole={whole}
          />
          <Zones prices={value} hidden={hidden} toggle={toggle} />
        </>
      )}
    </Panel>
  );
}

const spans = [1, 7, 30, 90] as const;

function Choices(props: { offered: Offered; shown: Shown; whole: boolean; setWhole(whole: boolean): void }) {
  const { offered, shown, whole, setWhole } = props;
  return (
    <div class="fields">
      <Select
        label="Region"
        value={shown.region}
        onChange={(region) => goTo({ ...shown, region })}
        options={offered.regions.map(({ name, geography }) => [name, `${name} (${geography})`] as const)}
      />
      <TypeField offered={offered} shown={shown} />
      <Select
        label="Product"
        value={shown.product}
        onChange={(product) => goTo({ ...shown, product })}
        options={offered.products.map((name) => [name, name] as const)}
      />
      <div class="buttons" role="group" aria-label="Time shown">
        {spans.map((days) => (
          <button key={days} type="button" aria-pressed={days === shown.days} onClick={() => goTo({ ...shown, days })}>
            {days === 1 ? "1 day" : `${days} days`}
          </button>
        ))}
      </div>
      <div class="buttons" role="group" aria-label="Scale">
        <button type="button" aria-pressed={whole} onClick={() => setWhole(true)}>
          Up to on-demand
        </button>
        <button type="button" aria-pressed={!whole} onClick={() => setWhole(false)}>
          Fit to prices
        </button>
      </div>
    </div>
  );
}

/** Hundreds of types: typed with suggestions, taken when it is one of them. */
function TypeField({ offered, shown }: { offered: Offered; shown: Shown }) {
  const [text, setText] = useState(shown.type);
  useEffect(() => setText(shown.type), [shown.type]);
  const choose = (name: string) => {
    setText(name);
    if (name !== shown.type && offered.types.some((type) => type.name === name)) goTo({ ...shown, type: name });
  };
  return (
    <label class="field narrow">
      <span>Instance type</span>
      <input
        list="spot-types"
        value={text}
        spellcheck={false}
        autocomplete="off"
        onInput={(event) => choose(event.currentTarget.value.trim())}
      />
      <datalist id="spot-types">
        {offered.types.map(({ name, vcpu, memoryMib }) => (
          <option key={name} value={name}>
            {vcpu} vCPU, {memoryMib / 1024} GiB
          </option>
        ))}
      </datalist>
    </label>
  );
}

function Figures({ prices }: { prices: Prices }) {
  const now = prices.zones.map(({ name, points }) => ({ name, price: points.at(-1)?.[1] ?? 0 }));
  const cheapest = now.reduce((best, one) => (one.price < best.price ? one : best));
  return (
    <dl class="figures">
      <div>
        <dt>Cheapest now</dt>
        <dd>
          {price(cheapest.price)} <span class="faint">{cheapest.name}</span>
        </dd>
      </div>
      <div>
        <dt>On-demand</dt>
        <dd>{price(prices.onDemand)}</dd>
      </div>
      <div title="Mean of the last thirty days over all zones, against on-demand">
        <dt>Savings</dt>
        <dd>{prices.advice === null ? "–" : `${prices.advice.savings}%`}</dd>
      </div>
      <div title="Part of instances interrupted in a month">
        <dt>Interrupted</dt>
        <dd>
          {prices.advice?.interruption ?? "–"} <Band label={prices.advice?.interruption} />
        </dd>
      </div>
    </dl>
  );
}

const bands = ["<5%", "5-10%", "10-15%", "15-20%", ">20%"];

/** The Spot Advisor's five steps. */
function Band({ label }: { label: string | undefined }) {
  const reached = bands.indexOf(label ?? "");
  return (
    <span class="band" aria-hidden="true">
      {bands.map((band, index) => (
        <i key={band} class={index <= reached ? `on level-${reached}` : ""} />
      ))}
    </span>
  );
}

function Zones({ prices, hidden, toggle }: { prices: Prices; hidden: ReadonlySet<string>; toggle(id: string): void }) {
  return (
    <Table
      label="Zones"
      whole
      rows={prices.zones.map(({ id, name, points }, index) => {
        const values = points.map(([, value]) => value);
        return { id, name, index, now: values.at(-1) ?? 0, least: Math.min(...values), most: Math.max(...values) };
      })}
      keyOf={({ id }) => id}
      columns={[
        {
          title: "Zone",
          class: "nowrap",
          cell: ({ id, name, index }) => (
            <label class="check">
              <input type="checkbox" checked={!hidden.has(id)} onChange={() => toggle(id)} />
              <i class={`swatch zone-${index}`} aria-hidden="true" /> {name}
            </label>
          ),
        },
        { title: "Zone id", class: "mono", cell: ({ id }) => id },
        { title: "Now", class: "number", cell: ({ now }) => price(now) },
        { title: "Lowest", class: "number", cell: ({ least }) => price(least) },
        { title: "Highest", class: "number", cell: ({ most }) => price(most) },
        {
          title: "Below on-demand",
          class: "number",
          cell: ({ now }) => `${Math.round(100 * (1 - now / prices.onDemand))}%`,
        },
      ]}
    />
  );
}

function commandOf({ region, type, product }: Shown, from: string): string {
  return `aws ec2 describe-spot-price-history --region ${region} --instance-types ${type} --product-descriptions "${product}" --start-time ${from}`;
}
