/** Spot prices as steps over time, one line a zone, under the on-demand price that caps them. */
import { useEffect, useRef, useState } from "preact/hooks";
import { dollars, here, instant, local } from "../format.ts";

export interface ZonePath {
  readonly id: string;
  readonly name: string;
  /** Epoch seconds and dollars, ascending. */
  readonly points: readonly (readonly [at: number, price: number])[];
}

export interface ChartInput {
  readonly zones: readonly ZonePath[];
  /** Epoch seconds. */
  readonly from: number;
  readonly to: number;
  readonly onDemand: number;
  readonly hidden: ReadonlySet<string>;
  /** Whether the scale reaches up to on-demand and down to nothing, or fits the lines. */
  readonly whole: boolean;
}

const height = 300;
const edge = { left: 58, right: 14, top: 12, bottom: 26 } as const;

export function PriceChart(input: ChartInput) {
  const { zones, from, to, onDemand, hidden, whole } = input;
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(800);
  const [at, setAt] = useState<number | undefined>(undefined);
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const watch = new ResizeObserver(() => setWidth(element.clientWidth));
    watch.observe(element);
    return () => watch.disconnect();
  }, []);
  const shown = zones.filter(({ id }) => !hidden.has(id));
  const [low, high] = scaleOf(shown, onDemand, whole);
  const right = width - edge.right;
  const bottom = height - edge.bottom;
  const x = (time: number) => edge.left + ((time - from) / (to - from)) * (right - edge.left);
  const y = (price: number) => bottom - ((price - low) / (high - low)) * (bottom - edge.top);
  const pick = (px: number) => {
    const time = from + ((px - edge.left) / (right - edge.left)) * (to - from);
    setAt(Math.round(Math.max(from, Math.min(to, time))));
  };
  const step = Math.max(1, Math.round((to - from) / 48));
  const keys = (event: KeyboardEvent) => {
    const now = at ?? to;
    const next = { ArrowLeft: now - step, ArrowRight: now + step, Home: from, End: to }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    setAt(Math.max(from, Math.min(to, next)));
  };
  return (
    <div ref={box} class="chart">
      <div
        role="slider"
        tabIndex={0}
        aria-label="Prices by time; the arrow keys read them"
        aria-valuemin={from}
        aria-valuemax={to}
        aria-valuenow={at ?? to}
        aria-valuetext={readingText(shown, at ?? to)}
        onPointerMove={(event) => pick(event.clientX - event.currentTarget.getBoundingClientRect().left)}
        onPointerLeave={() => setAt(undefined)}
        onBlur={() => setAt(undefined)}
        onKeyDown={keys}
      >
        <svg viewBox={`0 0 ${width} ${height}`} width={width} height={height} aria-hidden="true">
          {ticksOf(low, high, 5).map((price) => (
            <g key={price} class="grid-line">
              <line x1={edge.left} x2={right} y1={y(price)} y2={y(price)} />
              <text x={edge.left - 7} y={y(price) + 4} text-anchor="end">
                {dollars(price, high - low)}
              </text>
            </g>
          ))}
          {timesOf(from, to, width).map(({ time, text }) => (
            <text key={time} class="when" x={x(time)} y={height - 8} text-anchor="middle">
              {text}
            </text>
          ))}
          {onDemand >= low && onDemand <= high ? (
            <g class="cap">
              <line x1={edge.left} x2={right} y1={y(onDemand)} y2={y(onDemand)} />
              <text x={edge.left + 6} y={y(onDemand) + 14}>
                on-demand ${onDemand}
              </text>
            </g>
          ) : null}
          {zones.map(({ id, points }, index) =>
            hidden.has(id) ? null : (
              <path key={id} class={`line zone-${index}`} d={pathOf(points, x, y, x(to))} data-zone={id} />
            ),
          )}
          {at === undefined ? null : (
            <g class="cross">
              <line x1={x(at)} x2={x(at)} y1={edge.top} y2={bottom} />
              {zones.map(({ id, points }, index) => {
                const price = priceAt(points, at);
                return hidden.has(id) || price === undefined ? null : (
                  <circle key={id} class={`zone-${index}`} cx={x(at)} cy={y(price)} r="3.5" />
                );
              })}
            </g>
          )}
        </svg>
      </div>
      {at === undefined ? null : <Reading zones={zones} hidden={hidden} at={at} left={x(at) > width / 2} />}
    </div>
  );
}

function Reading({
  zones,
  hidden,
  at,
  left,
}: Pick<ChartInput, "zones" | "hidden"> & { readonly at: number; readonly left: boolean }) {
  const iso = new Date(at * 1000).toISOString();
  return (
    <div class={`reading ${left ? "left" : "right"}`} aria-hidden="true">
      <div title={local(iso)}>{instant(iso)} UTC</div>
      {zones.map(({ id, name, points }, index) =>
        hidden.has(id) ? null : (
          <div key={id} class="pair">
            <span>
              <i class={`swatch zone-${index}`} /> {name}
            </span>
            <b>{price(priceAt(points, at))}</b>
          </div>
        ),
      )}
      <div class="faint">here {instant(here(iso))}</div>
    </div>
  );
}

export const price = (value: number | undefined) => (value === undefined ? "–" : `$${value.toFixed(4)}`);

function readingText(zones: readonly ZonePath[], at: number): string {
  const prices = zones.map(({ name, points }) => `${name} ${price(priceAt(points, at))}`);
  return `${instant(new Date(at * 1000).toISOString())} UTC: ${prices.join(", ")}`;
}

/** The price that held at an instant: that of the last point at or before it. */
export function priceAt(points: ZonePath["points"], at: number): number | undefined {
  let [low, high] = [0, points.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((points[middle]?.[0] ?? 0) <= at) low = middle + 1;
    else high = middle;
  }
  return points[low - 1]?.[1];
}

function pathOf(
  points: ZonePath["points"],
  x: (time: number) => number,
  y: (price: number) => number,
  end: number,
): string {
  const [first, ...rest] = points;
  if (!first) return "";
  const fixed = (value: number) => value.toFixed(1);
  return `M${fixed(x(first[0]))} ${fixed(y(first[1]))}${rest
    .map(([at, value]) => `H${fixed(x(at))}V${fixed(y(value))}`)
    .join("")}H${fixed(end)}`;
}

export function scaleOf(zones: readonly ZonePath[], onDemand: number, whole: boolean): readonly [number, number] {
  if (whole) return [0, onDemand * 1.1];
  const prices = zones.flatMap(({ points }) => points.map(([, value]) => value));
  if (prices.length === 0) return [0, onDemand * 1.1];
  const [low, high] = [Math.min(...prices), Math.max(...prices)];
  const margin = Math.max((high - low) * 0.08, high * 0.005);
  return [Math.max(0, low - margin), high + margin];
}

/** Round numbers, about as many as wanted. */
export function ticksOf(low: number, high: number, wanted: number): number[] {
  const rough = (high - low) / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const size = ([1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
  const ticks: number[] = [];
  for (let n = Math.ceil(low / size); n * size <= high; n += 1) ticks.push(n * size);
  return ticks;
}

const hour = 3_600;
const day = 24 * hour;

function timesOf(from: number, to: number, width: number): { readonly time: number; readonly text: string }[] {
  const most = Math.max(2, Math.floor(width / 110));
  const sizes = [hour, 3 * hour, 6 * hour, 12 * hour, day, 2 * day, 7 * day, 14 * day, 30 * day];
  const size = sizes.find((candidate) => (to - from) / candidate <= most) ?? 30 * day;
  const found: { time: number; text: string }[] = [];
  for (let time = Math.ceil(from / size) * size; time <= to; time += size) {
    const iso = new Date(time * 1000).toISOString();
    if ((time - from) / (to - from) > 0.03 && (time - from) / (to - from) < 0.97)
      found.push({ time, text: size < day ? iso.slice(5, 16).replace("T", " ") : iso.slice(0, 10) });
  }
  return found;
}
