/** Control routes of what was recorded: the journal, the same as an HTTP archive, and metrics. */
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Hono } from "hono";
import * as z from "zod";
import type { KernelEnv } from "./emulator.ts";
import { entryKinds } from "./entry-kinds.ts";
import { answer, answerJson } from "./exchange.ts";
import { readBody, readQuery } from "./http/input.ts";
import type { Journal, JournalHold } from "./journal.ts";
import { JournalFilter } from "./journal-filter.ts";
import { archive } from "./journal-har.ts";
import { journalMatcher, showEntry } from "./journal-view.ts";
import { type Metrics, metricsType } from "./metrics.ts";
import { packageRoot } from "./package-root.ts";
import { ControlError } from "./plain-errors.ts";

export const JournalQuery = JournalFilter.extend({
  /** Sequence after which to begin. */
  since: z.coerce.number().int().min(0).default(0),
  limit: z.coerce.number().int().min(1).max(10_000).default(1_000),
});

/** Entries of these kinds are kept until the hold is deleted, however many they become. */
export const HoldInput = z.strictObject({ kinds: z.array(z.enum(entryKinds)).min(1) });

export const harType = "application/har+json";

export function journalRoutes(control: Hono<KernelEnv>, journal: Journal, metrics: Metrics): void {
  const read = ({ since, limit, ...filter }: z.output<typeof JournalQuery>) => {
    const matches = journalMatcher(filter);
    return journal.read({ since, limit, ...(matches === undefined ? {} : { matches }) }).map(showEntry);
  };
  control.get("/_backlot/journal", (c) =>
    answerJson(c.env.exchange, 200, {
      last: journal.last,
      dropped: journal.dropped,
      epoch: journal.epoch,
      lost: journal.lost,
      entries: read(readQuery(c.env.exchange, JournalQuery)),
    }),
  );
  const holds = new Map<string, JournalHold>();
  control.post("/_backlot/journal/holds", (c) => {
    const { kinds } = readBody(c.env.exchange, HoldInput);
    const hold = journal.hold(kinds);
    const id = randomUUID(); // a service that was started anew must not end an earlier one's hold under its number
    holds.set(id, hold);
    return answerJson(c.env.exchange, 201, { id, since: hold.since, epoch: journal.epoch });
  });
  control.delete("/_backlot/journal/holds/:id", (c) => {
    const id = c.req.param("id");
    const hold = holds.get(id);
    if (!hold)
      throw new ControlError(404, "no_such_hold", `Nobody holds the journal by ${id}; POST /_backlot/journal/holds.`);
    hold.release();
    holds.delete(id);
    return answer(c.env.exchange, 204, null, {});
  });
  control.get("/_backlot/journal.har", (c) => {
    const entries = read({ ...readQuery(c.env.exchange, JournalQuery), kind: "request" });
    return answer(c.env.exchange, 200, JSON.stringify(archive(entries, packageVersion())), { "content-type": harType });
  });
  control.get("/_backlot/egress", (c) =>
    answerJson(c.env.exchange, 200, { refused: read(JournalQuery.parse({ kind: "egress", limit: 10_000 })) }),
  );
  control.get("/_backlot/metrics", (c) => answer(c.env.exchange, 200, metrics.text(), { "content-type": metricsType }));
}

export function packageVersion(): string {
  const described: unknown = JSON.parse(readFileSync(join(packageRoot(), "package.json"), "utf8"));
  return typeof described === "object" && described !== null && "version" in described
    ? String(described.version)
    : "0";
}
