/**
 * Pages as they were last sent. Who waits for a message asks for the same page again and again, mostly while nothing
 * changes; then neither rows are read nor text is made.
 */
export interface KeptPages {
  /** The page for this key as it reads at `now`. */
  get(key: string, now: number, make: () => MadePage): Buffer;
}

export interface MadePage {
  readonly text: string;
  /** Instants between which it reads like this: from the first on, until before the second. */
  readonly from: number;
  readonly until: number;
}

/** Of one version of the rows; a page of 1,000 messages has 900 KB. */
const mostKept = 20;

/** @param version changes with the rows, and is undefined while a change may still be taken back. */
export function keepPages(version: () => number | undefined): KeptPages {
  const kept = new Map<string, Omit<MadePage, "text"> & { readonly bytes: Buffer }>();
  let keptOf: number | undefined;
  return {
    get(key, now, make) {
      const current = version();
      if (current !== keptOf) {
        kept.clear();
        keptOf = current;
      }
      const known = kept.get(key);
      if (known && now >= known.from && now < known.until) return known.bytes;
      const { text, ...window } = make();
      const bytes = Buffer.from(text);
      if (current === undefined) return bytes;
      if (kept.size >= mostKept) kept.clear();
      kept.set(key, { bytes, ...window });
      return bytes;
    },
  };
}
