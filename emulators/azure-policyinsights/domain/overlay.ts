/** Evaluations outside the daily scans: what clients changed, attested, remediated or asked to be looked at again. */

export interface Evaluation {
  readonly row: number;
  /** Epoch milliseconds. */
  readonly instant: number;
  readonly compliance: number;
  /** True when it differs from the one before: then it is an event too. */
  readonly changed: boolean;
}

export interface Overlay {
  /** Of each row that has any, earliest first. */
  readonly ofRow: ReadonlyMap<number, readonly Evaluation[]>;
  readonly newestFirst: readonly Evaluation[];
}

export const noOverlay: Overlay = { ofRow: new Map(), newestFirst: [] };

export function createOverlay(evaluations: readonly Evaluation[]): Overlay {
  if (evaluations.length === 0) return noOverlay;
  const ofRow = new Map<number, Evaluation[]>();
  for (const evaluation of evaluations) {
    const list = ofRow.get(evaluation.row);
    if (list) list.push(evaluation);
    else ofRow.set(evaluation.row, [evaluation]);
  }
  for (const list of ofRow.values()) if (list.length > 1) list.sort((left, right) => left.instant - right.instant);
  return { ofRow, newestFirst: evaluations.toSorted(newestFirst) };
}

export function newestFirst(left: Evaluation, right: Evaluation): number {
  return right.instant - left.instant || left.row - right.row;
}

/** The last evaluation at or before an instant. */
export function lastAt(evaluations: readonly Evaluation[] | undefined, instant: number): Evaluation | undefined {
  if (!evaluations) return undefined;
  for (let at = evaluations.length - 1; at >= 0; at -= 1) {
    const evaluation = evaluations[at];
    if (evaluation && evaluation.instant <= instant) return evaluation;
  }
  return undefined;
}
