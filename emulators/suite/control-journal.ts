/** The members' journals as one: merged by virtual time, as an archive, and their metrics on one page. */
import type { Hono } from "hono";
import * as z from "zod";
import { harType, packageVersion } from "../kernel/control-journal.ts";
import type { KernelEnv } from "../kernel/emulator.ts";
import { answer, answerJson } from "../kernel/exchange.ts";
import { positionPattern, readPositions } from "../kernel/feed.ts";
import { readQuery } from "../kernel/http/input.ts";
import { JournalFilter } from "../kernel/journal-filter.ts";
import { archive } from "../kernel/journal-har.ts";
import { filterQuery } from "../kernel/journal-view.ts";
import { mergeMetrics, metricsType } from "../kernel/metrics.ts";
import { ask, guarded, type Member } from "./member.ts";

export const SuiteJournalQuery = JournalFilter.extend({
  since: z.string().regex(positionPattern, "a cursor such as twilio:123,smtp:45").optional(),
  limit: z.coerce.number().int().min(1).max(10_000).default(1_000),
});

type Entry = Readonly<Record<string, unknown>> & {
  readonly sequence: number;
  readonly at: string;
  readonly emulator: string;
};
interface Page {
  readonly dropped: number;
  readonly entries: readonly Entry[];
}

export function suiteJournalRoutes(control: Hono<KernelEnv>, members: readonly Member[]): void {
  const read = async ({ since, limit, ...filter }: z.output<typeof SuiteJournalQuery>) => {
    const cursors = readPositions(since ?? "");
    const from = (name: string) => (cursors.get(name) ?? "0").replace(/@.*/, "");
    const pages = await guarded(
      Promise.all(
        members.map(async (member) => {
          const query = new URLSearchParams({ ...filterQuery(filter), limit: String(limit), since: from(member.name) });
          return [member.name, await ask<Page>(member, "GET", `/_backlot/journal?${query}`)] as const;
        }),
      ),
    );
    const entries = pages
      .flatMap(([, page]) => page.entries)
      .sort(inOrder)
      .slice(0, limit);
    const reached = (name: string) => entries.findLast((entry) => entry.emulator === name)?.sequence ?? from(name);
    return {
      cursor: pages.map(([name]) => `${name}:${reached(name)}`).join(","),
      dropped: Object.fromEntries(pages.map(([name, page]) => [name, page.dropped])),
      entries,
    };
  };
  control.get("/_backlot/journal", async (c) =>
    answerJson(c.env.exchange, 200, await read(readQuery(c.env.exchange, SuiteJournalQuery))),
  );
  control.get("/_backlot/journal.har", async (c) => {
    const { entries } = await read({ ...readQuery(c.env.exchange, SuiteJournalQuery), kind: "request" });
    return answer(c.env.exchange, 200, JSON.stringify(archive(entries, packageVersion())), { "content-type": harType });
  });
  control.get("/_backlot/metrics", async (c) => {
    const pages = await guarded(Promise.all(members.map((member) => ask<string>(member, "GET", "/_backlot/metrics"))));
    return answer(c.env.exchange, 200, mergeMetrics(pages), { "content-type": metricsType });
  });
}

function inOrder(left: Entry, right: Entry): number {
  return compare(left.at, right.at) || compare(left.emulator, right.emulator) || left.sequence - right.sequence;
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
