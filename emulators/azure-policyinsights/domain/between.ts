/** Which evaluations between the daily scans a question sees, and which records of the scans they stand in front of. */
import { nothing } from "./compliance.ts";
import { newestScan } from "./current.ts";
import { testOf } from "./mask.ts";
import { type Evaluation, lastAt, newestFirst } from "./overlay.ts";
import type { Question } from "./question.ts";
import type { Readings } from "./readings.ts";

export interface Between {
  /** What matches, newest first. */
  readonly extra: readonly Evaluation[];
  /** Rows whose record of a scan is not the latest. */
  readonly hidden: ReadonlySet<number>;
}

const none: Between = { extra: [], hidden: new Set() };

export function between(readings: Readings, question: Question): Between {
  const { overlay, estate } = readings;
  if (overlay.newestFirst.length === 0) return none;
  const { from, to } = question.window;
  const test = testOf(question.mask, estate);
  const within = (row: number) => question.ranges.some(({ first, end }) => row >= first && row < end);
  const shown = (each: Evaluation) =>
    each.compliance !== nothing &&
    each.instant >= from &&
    each.instant <= to &&
    within(each.row) &&
    test(each.row, each.compliance, each.instant);
  if (question.kind === "events")
    return { extra: overlay.newestFirst.filter((each) => each.changed && shown(each)), hidden: none.hidden };
  if (!question.latestOnly) return { extra: overlay.newestFirst.filter(shown), hidden: none.hidden };
  const extra: Evaluation[] = [];
  const hidden = new Set<number>();
  for (const [row, evaluations] of overlay.ofRow) {
    const last = lastAt(evaluations, to);
    if (!last || last.instant < newestScan(readings, row, to)) continue;
    hidden.add(row);
    if (shown(last)) extra.push(last);
  }
  return { extra: extra.sort(newestFirst), hidden };
}
