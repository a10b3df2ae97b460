/**
 * Pages as they were last sent. Who waits for a message asks for the same page again and again, mostly while nothing
 * changes; then neither rows are read nor text is made.
 */
import type { Pieces } from "../../kernel/pieces.ts";

export interface KeptPages {
  /** The page for this key as it reads at `now`. */
  get(key: string, now: number, make: () => MadePage): Pieces;
}

export interface MadePage {
  readonly body: Pieces;
  /** Instants between which it reads like this: from the first on, until before the second. */
  readonly from: number;
  readonly until: number;
}

/** Of one version of the rows; a page of 1,000 messages has 900 KB. */
const mostKept = 20;

/** @param version changes with the rows, and is undefined while a change may still be taken back. */
export function keepPages(version: () => number | undefined): KeptPages {
  const kept = new Map<string, MadePage>();
  let keptOf: number | undefined;
  return {
    get(key, now, make) {
      const current = version();
      if (current !== keptOf) {
        kept.clear();
        keptOf = current;
      }
      const known = kept.get(key);
      if (known && now >= known.from && now < known.until) return known.body;
      const made = make();
      if (current === undefined) return made.body;
      if (kept.size >= mostKept) kept.clear();
      kept.set(key, made);
      return made.body;
    },
  };
}
