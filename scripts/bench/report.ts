/** The readings as an aligned table. */
import { type MetricName, metric } from "./metrics.ts";
import type { Row } from "./readings.ts";

export function table(rows: readonly Row[]): string {
  const lines = [["", "median", "(min-max)", "", "to floor"]];
  let current: MetricName | undefined;
  for (const row of [...rows].sort((left, right) => place(left.metric, rows) - place(right.metric, rows))) {
    if (row.metric !== current) lines.push([metric(row.metric).title]);
    current = row.metric;
    const range = `(${figure(Math.min(...row.values))}-${figure(Math.max(...row.values))})`;
    const ratio = row.ratio === undefined ? "" : `${row.ratio.toFixed(2)}x`;
    lines.push([`  ${row.subject}`, figure(row.median), range, metric(row.metric).unit, ratio]);
  }
  const widths = [0, 1, 2, 3, 4].map((column) =>
    Math.max(...lines.filter((line) => line.length > 1).map((line) => line[column]?.length ?? 0)),
  );
  return lines
    .map((line) =>
      line
        .map((cell, column) => pad(cell, column, widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** Metrics in the order in which they were first measured. */
function place(name: MetricName, rows: readonly Row[]): number {
  return rows.findIndex((row) => row.metric === name);
}

function pad(cell: string, column: number, width: number): string {
  return column === 0 || column === 3 ? cell.padEnd(width) : cell.padStart(width);
}

function figure(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString("en-US");
  return value.toFixed(value >= 10 ? 1 : 2);
}
