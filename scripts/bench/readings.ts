/** Collects one number per round, metric and subject, and says what is in the middle. */
import { type MetricName, metric } from "./metrics.ts";

export interface Row {
  readonly metric: MetricName;
  readonly subject: string;
  readonly values: readonly number[];
  readonly median: number;
  /** Against the floor, as the median of the rounds' own ratios: what is compared was measured at nearly the same time. */
  readonly ratio: number | undefined;
}

export type Readings = ReturnType<typeof createReadings>;

export function createReadings() {
  const bySubject = new Map<string, { metric: MetricName; subject: string; values: number[] }>();
  const key = (name: MetricName, subject: string) => `${name}\u0000${subject}`;
  const ratioOf = (name: MetricName, values: readonly number[]) => {
    const { floor } = metric(name);
    const floors = floor === undefined ? undefined : bySubject.get(key(name, floor))?.values;
    if (!floors || floors === values) return undefined;
    return median(values.flatMap((value, round) => (floors[round] ? [value / floors[round]] : [])));
  };
  return {
    add(name: MetricName, subject: string, value: number): void {
      const found = bySubject.get(key(name, subject));
      if (found) found.values.push(value);
      else bySubject.set(key(name, subject), { metric: name, subject, values: [value] });
    },
    rows: (): readonly Row[] =>
      [...bySubject.values()].map(({ metric: name, subject, values }) => ({
        metric: name,
        subject,
        values,
        median: median(values),
        ratio: ratioOf(name, values),
      })),
  };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
