/** The report of a pack: one page without scripts, fonts or pictures from elsewhere, and without a time of its making. */
import type { StepResult } from "./scenario/run.ts";

export interface ReportFacts {
  readonly title: string;
  readonly about: string;
  readonly seed: string;
  readonly start: string;
  readonly end: string;
  readonly version: string;
  readonly steps: readonly StepResult[];
  /** Each with the file of the pack that shows it. */
  readonly counts: readonly (readonly [what: string, count: string, path: string])[];
  /** Epoch milliseconds of what happened, by lane. */
  readonly lanes: readonly { readonly name: string; readonly at: readonly number[] }[];
  /** Spot prices over time, one line each. */
  readonly prices: readonly {
    readonly name: string;
    readonly points: readonly (readonly [at: number, price: number])[];
  }[];
  /** Compliant and other resources by policy. */
  readonly compliance: readonly { readonly name: string; readonly compliant: number; readonly other: number }[];
  readonly missing: readonly string[];
}

const style = `body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c2430}
a{color:inherit}h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}table{border-collapse:collapse;width:100%}
td,th{text-align:left;padding:.25rem .6rem;border-bottom:1px solid #d9dee5;vertical-align:top}
.note{margin:.3rem 0;color:#4a5768}.good{fill:#2f855a}.bad{fill:#9b2c2c}.none{fill:#9aa5b1}.ok{color:#17663a}.no{color:#a3161a}svg{width:100%;height:auto;background:#f6f8fa}text{font-size:11px;fill:#3c4858}
@media(prefers-color-scheme:dark){body{background:#12161c;color:#e4e9f0}svg{background:#1a2029}text{fill:#aab6c5}td,th{border-color:#333c48}.note{color:#aab6c5}.ok{color:#62c98d}.no{color:#ff8c8c}}`;

export function reportHtml(facts: ReportFacts): string {
  const { title, about, seed, start, end, version } = facts;
  const parts = [
    `<h1>${html(title)}</h1>`,
    about === "" ? "" : `<p>${html(about)}</p>`,
    table([["Seed", seed], ["Virtual time", `${start} to ${end}`], ["Backlot", version], ...facts.counts]),
    facts.steps.length === 0 ? "" : `<h2>Steps</h2>${stepTable(facts.steps)}`,
    facts.lanes.every(({ at }) => at.length === 0) ? "" : `<h2>What happened when</h2>${timeline(facts)}`,
    facts.prices.length === 0 ? "" : `<h2>Spot prices, last day</h2>${priceChart(facts)}`,
    facts.compliance.length === 0 ? "" : `<h2>Compliance by policy</h2>${complianceChart(facts.compliance)}`,
    facts.missing.length === 0
      ? ""
      : `<h2>Not covered</h2><ul>${facts.missing.map((one) => `<li>${html(one)}</li>`).join("")}</ul>`,
  ];
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${html(title)}</title>
<style>${style}</style></head><body>
${parts.filter((part) => part !== "").join("\n")}
</body></html>
`;
}

function html(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

function table(rows: readonly (readonly [name: string, value: string, path?: string])[]): string {
  const shown = (value: string, path: string | undefined) =>
    path === undefined ? html(value) : `<a href="../${html(path)}">${html(value)}</a>`;
  return `<table>${rows.map(([name, value, path]) => `<tr><th scope="row">${html(name)}</th><td>${shown(value, path)}</td></tr>`).join("")}</table>`;
}

interface Row {
  /** Its own order, and that of the step in the file, which repetitions share. */
  readonly order: string;
  readonly step: string;
  readonly name: string;
  readonly failure: string | undefined;
  readonly times: number;
}

function stepTable(steps: readonly StepResult[]): string {
  const row = ({ order, step, name, times, failure }: Row) => {
    const [at, told] = times === 1 ? [order, name] : [step, `${name.replace(repetition, "")} (${times} times)`];
    const verdict = failure === undefined ? `<td class="ok">passed</td>` : `<td class="no">${html(failure)}</td>`;
    return `<tr><td>${at}</td><td>${html(told)}</td>${verdict}</tr>`;
  };
  return `<table><tr><th>Step</th><th>What it does</th><th>Verdict</th></tr>${folded(steps).map(row).join("")}</table>`;
}

/** `Mail to those who are not (3)`. */
const repetition = / \(\d+\)$/;

/** Repetitions that ended alike, one after the other, are one row. */
function folded(steps: readonly StepResult[]): readonly Row[] {
  const rows: Row[] = [];
  for (const { order, name, failure } of steps) {
    const step = repetition.test(name) ? order.replace(/\.\d+$/, "") : order;
    const last = rows.at(-1);
    if (last && last.step === step && last.failure === failure)
      rows[rows.length - 1] = { ...last, times: last.times + 1 };
    else rows.push({ order, step, name, failure, times: 1 });
  }
  return rows;
}

const [width, left] = [900, 240];
const fixed = (value: number) => value.toFixed(1);
const colours = ["#2b6cb0", "#b7791f", "#2f855a", "#9b2c2c", "#6b46c1", "#2c7a7b"];

function timeline({ lanes, start, end }: ReportFacts): string {
  const [from, to] = [Date.parse(start), Date.parse(end)];
  const x = (at: number) => left + ((width - left - 20) * (at - from)) / Math.max(1, to - from);
  const rows = lanes.map(({ name, at }, row) => {
    const y = 22 + row * 26;
    const marks = [...new Set(at.map((one) => fixed(x(one))))];
    const dots = marks.map((cx) => `<circle cx="${cx}" cy="${y}" r="4" fill="${colours[row % colours.length]}"/>`);
    return `<text x="8" y="${y + 4}">${html(name)} (${at.length})</text><line x1="${left}" y1="${y}" x2="${width - 20}" y2="${y}" stroke="#cbd2da"/>${dots.join("")}`;
  });
  const foot = lanes.length * 26 + 22;
  const axis = timeAxis({ from, to, left, y: foot });
  return `<svg viewBox="0 0 ${width} ${foot + 10}" role="img" aria-label="Timeline">${rows.join("")}${axis}</svg>`;
}

/** When the picture begins and ends. */
function timeAxis({ from, to, left, y }: { from: number; to: number; left: number; y: number }): string {
  const shown = (at: number) => new Date(at).toISOString().slice(0, 16).replace("T", " ");
  return `<text x="${left}" y="${y}">${shown(from)}</text><text x="${width - 20}" y="${y}" text-anchor="end">${shown(to)}</text>`;
}

const dayMs = 86_400_000;

/** A price holds until the next one. */
function priceChart({ prices: series, end }: ReportFacts): string {
  const to = Date.parse(end);
  const from = to - dayMs;
  const values = series.flatMap(({ points }) => points.map(([, price]) => price));
  const [low, high] = [least(values), most(values)];
  const x = (at: number) => fixed(60 + ((width - 80) * (Math.min(Math.max(at, from), to) - from)) / dayMs);
  const y = (price: number) => fixed(190 - (170 * (price - low)) / Math.max(1e-9, high - low));
  const lines = series.map(({ points: own }, n) => {
    const path = own.map(([at, price], k) => `${x(at)},${y(price)} ${x(own[k + 1]?.[0] ?? to)},${y(price)}`).join(" ");
    return `<polyline points="${path}" fill="none" stroke="${colours[n % colours.length]}" stroke-width="1.5"/>`;
  });
  const names = series.map(({ name }, n) => {
    const [left, top] = [60 + (n % 6) * 135, 226 + Math.floor(n / 6) * 16];
    return `<rect x="${left}" y="${top - 9}" width="10" height="10" fill="${colours[n % colours.length]}"/><text x="${left + 15}" y="${top}">${html(name)}</text>`;
  });
  const height = 236 + Math.floor((series.length - 1) / 6) * 16;
  const axis = timeAxis({ from, to, left: 60, y: 206 });
  return `<p class="note">m5.large, Linux/UNIX, US dollars an hour</p><svg viewBox="0 0 ${width} ${height}" role="img" aria-label="Spot prices"><text x="4" y="24">${high.toFixed(4)}</text><text x="4" y="194">${low.toFixed(4)}</text>${lines.join("")}${axis}${names.join("")}</svg>`;
}

const least = (values: readonly number[]) =>
  values.reduce((left, right) => Math.min(left, right), Number.POSITIVE_INFINITY);
const most = (values: readonly number[]) =>
  values.reduce((left, right) => Math.max(left, right), Number.NEGATIVE_INFINITY);

function complianceChart(policies: ReportFacts["compliance"]): string {
  const rows = policies.map(({ name, compliant, other }, row) => {
    const y = 8 + row * 24;
    const good = (compliant / Math.max(1, compliant + other)) * 530;
    const bars =
      compliant + other === 0
        ? `<rect class="none" x="300" y="${y + 6}" width="530" height="4"/>`
        : `<rect class="good" x="300" y="${y}" width="${fixed(good)}" height="16"/><rect class="bad" x="${fixed(300 + good)}" y="${y}" width="${fixed(530 - good)}" height="16"/>`;
    return `<text x="8" y="${y + 12}">${html(name.slice(0, 42))}</text>${bars}<text x="838" y="${y + 12}">${compliant} / ${other}</text>`;
  });
  return `<p class="note">Resources that comply (green) and those that do not (red)</p><svg viewBox="0 0 ${width} ${policies.length * 24 + 12}" role="img" aria-label="Compliance">${rows.join("")}</svg>`;
}
