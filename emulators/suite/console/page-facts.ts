/** What the page is served with, and reads: types alone, for both sides of the wire. */

export interface PageFacts {
  readonly seed: string;
  /** Where the page asks: the suite's control API, or a part's. */
  readonly base?: string;
  /** The emulator whose part of the console it is; absent for the whole. */
  readonly part?: string;
  /** Where the whole is, for a part. */
  readonly suite?: string;
}

export interface PageData extends PageFacts {
  /**
   * What the control API answers to the first questions, by path: the page is drawn whole before it asks anything. Absent
   * when the control API takes a token, which whoever asks for a page cannot show.
   */
  readonly answers?: Readonly<Record<string, unknown>>;
}
