/** What a query asks of the records: where, when, and on which conditions. */
import type { Range } from "./estate.ts";
import type { Mask } from "./mask.ts";
import type { RecordKind } from "./readings.ts";
import type { Window } from "./scans.ts";

export interface Question {
  /** Ranges of rows, each inside one subscription. */
  readonly ranges: readonly (Range & { readonly subscription: number })[];
  readonly window: Window;
  readonly kind: RecordKind;
  /** Only the newest evaluation of each row, or every one in the window. */
  readonly latestOnly: boolean;
  readonly mask: Mask;
}
