/** What a reader of the journal may ask for; the feed and journal.har take the same filter. */
import * as z from "zod";
import { entryKinds } from "./entry-kinds.ts";

export const JournalFilter = z.strictObject({
  /** One kind, or several with commas. */
  kind: z
    .string()
    .refine((text) => text.split(",").every((kind) => entryKinds.some((known) => known === kind)), {
      message: `one or more of ${entryKinds.join(", ")}, comma-separated`,
    })
    .optional(),
  subject: z.string().optional(),
  /** As the emulator names it, e.g. `RunInstances`. */
  operation: z.string().optional(),
  /** Text anywhere in the entry as it is shown, in any case. */
  q: z.string().min(1).optional(),
});
export type JournalFilter = z.output<typeof JournalFilter>;
