/** Control routes of what was recorded: the journal, the same as an HTTP archive, and metrics. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Hono } from "hono";
import * as z from "zod";
import type { KernelEnv } from "./emulator.ts";
import { answer, answerJson } from "./exchange.ts";
import { readQuery } from "./http/input.ts";
import type { Journal } from "./journal.ts";
import { archive } from "./journal-har.ts";
import { JournalFilter, journalMatcher, showEntry } from "./journal-view.ts";
import { type Metrics, metricsType } from "./metrics.ts";
import { packageRoot } from "./package-root.ts";

export const JournalQuery = JournalFilter.extend({
  /** Sequence after which to begin. */
  since: z.coerce.number().int().min(0).default(0),
  limit: z.coerce.number().int().min(1).max(10_000).default(1_000),
});

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
      entries: read(readQuery(c.env.exchange, JournalQuery)),
    }),
  );
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
