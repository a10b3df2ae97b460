/** Everything that watches one emulator: journal, live feed, metrics, health, spans. */
import { type Clock, isoMilliseconds } from "./clock.ts";
import type { Emulator, Runtime } from "./emulator.ts";
import { createFeed, type Feed } from "./feed.ts";
import { createFeedTokens, type FeedTokens } from "./feed-token.ts";
import { type Checks, createChecks } from "./health.ts";
import { createJournal, type Journal } from "./journal.ts";
import { openJournalFile } from "./journal-file.ts";
import type { Log } from "./log.ts";
import { createMetrics, type Metrics } from "./metrics.ts";
import type { Settings } from "./settings.ts";
import { exportSpans } from "./span-export.ts";

/** A journal in memory, carried on in the data folder when there is one. */
export function openJournal(name: string, settings: Settings, clock: Clock, log: Log): Journal {
  const limits = { size: settings.journalSize, bytes: settings.journalBytes };
  if (settings.dataDir === undefined) return createJournal(name, clock, limits);
  let told = false;
  return createJournal(
    name,
    clock,
    limits,
    openJournalFile({
      folder: settings.dataDir,
      emulator: name,
      limits,
      epoch: clock.wall().toString(36),
      onFailure(cause) {
        if (!told) log.error({ cause: String(cause) }, "the journal cannot be written; it is kept in memory only");
        told = true;
      },
    }),
  );
}

export interface Observation {
  readonly feed: Feed;
  readonly tokens: FeedTokens;
  readonly metrics: Metrics;
  readonly checks: Checks;
  /** Ends the feeds, so that no viewer keeps a socket open. */
  endFeeds(): void;
  close(): Promise<void>;
}

export function observe<State, Seed>(emulator: Emulator<State, Seed>, runtime: Runtime<State>): Observation {
  const { name, journal, clock, settings, log } = runtime;
  const feed = createFeed(name, journal);
  const metrics = createMetrics({ ...runtime, emulator: name, viewers: () => feed.viewers });
  const checks = createChecks(
    emulator.health.map((check) => ({ name: check.name, hint: check.hint, run: () => check.check(runtime) })),
    clock,
  );
  const spans =
    settings.otlpEndpoint === undefined
      ? undefined
      : exportSpans({ endpoint: settings.otlpEndpoint, emulator: name, journal, log });
  return {
    feed,
    metrics,
    checks,
    tokens: createFeedTokens(settings.controlToken, clock),
    endFeeds: () => feed.close(),
    async close() {
      checks.close();
      await spans?.close();
      journal.close();
    },
  };
}

/** Names this run to a collector of spans. */
export const runName = (clock: Clock) => `${isoMilliseconds(clock.wall())} ${process.pid}`;
