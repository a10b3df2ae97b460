/** What Backlot has to reach. Reported, not enforced: a busy machine misses bars without anything being wrong. */
import { backlot, type MetricName, metric } from "./metrics.ts";
import type { Row } from "./readings.ts";

interface Bar {
  readonly metric: MetricName;
  /** Subjects whose names begin so; the worst of them counts. */
  readonly subject: string;
  readonly limit: { readonly ratioAtLeast: number } | { readonly ratioAtMost: number } | { readonly below: number };
}

const bars: readonly Bar[] = [
  { metric: "create", subject: backlot, limit: { ratioAtLeast: 0.5 } },
  { metric: "fetch", subject: backlot, limit: { ratioAtLeast: 0.5 } },
  { metric: "list", subject: backlot, limit: { ratioAtLeast: 0.5 } },
  { metric: "spotPage", subject: backlot, limit: { below: 3 } },
  { metric: "spotPage", subject: backlot, limit: { ratioAtMost: 2 } },
  { metric: "spotSweep", subject: `${backlot}, the first`, limit: { below: 100 } },
  { metric: "spotPool", subject: backlot, limit: { below: 10 } },
  { metric: "mail", subject: backlot, limit: { ratioAtLeast: 0.6 } },
  { metric: "mail", subject: backlot, limit: { ratioAtLeast: 0.75 } },
  { metric: "peerCreate", subject: backlot, limit: { ratioAtLeast: 2 } },
  { metric: "peerFetch", subject: backlot, limit: { ratioAtLeast: 2 } },
  { metric: "peerList", subject: backlot, limit: { ratioAtLeast: 3 } },
  { metric: "peerMail", subject: backlot, limit: { ratioAtLeast: 2.5 } },
  { metric: "peerBigMail", subject: backlot, limit: { ratioAtLeast: 4 } },
  { metric: "peerUnpooled", subject: backlot, limit: { ratioAtLeast: 40 } },
  { metric: "start", subject: `${backlot}, all`, limit: { below: 400 } },
  { metric: "start", subject: `${backlot}, only`, limit: { below: 200 } },
  { metric: "start", subject: "npm start", limit: { below: 1200 } },
  { metric: "memory", subject: `${backlot}, all`, limit: { below: 150 } },
  { metric: "memory", subject: `${backlot}, only`, limit: { below: 95 } },
  { metric: "stop", subject: backlot, limit: { below: 2000 } },
];

export interface Verdict {
  readonly ok: boolean;
  readonly text: string;
}

/** Bars whose metric was not measured are left out. */
export function judge(rows: readonly Row[]): readonly Verdict[] {
  return bars.flatMap((bar) => {
    const measured = rows.filter((row) => row.metric === bar.metric && row.subject.startsWith(bar.subject));
    const worst = measured.sort((left, right) => badness(right, bar) - badness(left, bar))[0];
    return worst ? [verdict(bar, worst)] : [];
  });
}

function badness(row: Row, bar: Bar): number {
  if ("below" in bar.limit) return row.median;
  return "ratioAtMost" in bar.limit ? (row.ratio ?? 0) : -(row.ratio ?? 0);
}

function verdict(bar: Bar, row: Row): Verdict {
  const { title, unit, floor } = metric(bar.metric);
  const { limit } = bar;
  const ratio = row.ratio ?? 0;
  const reached = "below" in limit ? `${row.median.toFixed(row.median < 10 ? 2 : 0)} ${unit}` : `${ratio.toFixed(2)}x`;
  const [ok, asked] =
    "below" in limit
      ? [row.median < limit.below, `below ${limit.below} ${unit}`]
      : "ratioAtMost" in limit
        ? [ratio <= limit.ratioAtMost, `at most ${limit.ratioAtMost}x ${floor ?? ""}`]
        : [ratio >= limit.ratioAtLeast, `at least ${limit.ratioAtLeast}x ${floor ?? ""}`];
  return { ok, text: `${ok ? "ok    " : "MISSED"} ${title} (${row.subject}): ${reached}, ${asked}` };
}
