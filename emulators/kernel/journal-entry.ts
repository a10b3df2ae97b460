/** One thing that happened. */
import type { Instant } from "./clock.ts";
import type { EntryKind } from "./entry-kinds.ts";

export interface JournalEntry {
  readonly sequence: number;
  readonly kind: EntryKind;
  /** Virtual time. */
  readonly at: Instant;
  /** Machine time, to measure by; never part of evidence. */
  readonly wallAt: Instant;
  readonly emulator: string;
  /** Id of the resource or request it is about. */
  readonly subject?: string;
  readonly data: Readonly<Record<string, unknown>>;
}
