/** What the suite keeps to watch its members by: their feeds as one, and how each has been. */
import { type Clock, everyReal, stopwatch } from "../kernel/clock.ts";
import { createFeedTokens, type FeedTokens } from "../kernel/feed-token.ts";
import { type CheckHistory, createHistory, healthEveryMs } from "../kernel/health.ts";
import type { Settings } from "../kernel/settings.ts";
import { createMergedFeed, type MergedFeed } from "./feed.ts";
import { ask, type Member } from "./member.ts";

export interface SuiteObservation {
  readonly feed: MergedFeed;
  readonly tokens: FeedTokens;
  /** Remembers one answer of a member, and tells how it has been. */
  record(member: string, healthy: boolean, tookMs: number): CheckHistory;
  close(): void;
}

/** @param own the suite's own journal, which is watched as theirs are */
export function observeMembers(
  members: readonly Member[],
  own: Member,
  settings: Settings,
  clock: Clock,
): SuiteObservation {
  const feed = createMergedFeed([...members, own]);
  const histories = new Map(members.map(({ name }) => [name, createHistory()]));
  const look = (member: Member) =>
    ask<{ status: string }>(member, "GET", "/_backlot/health").then(
      ({ status }) => status !== "unhealthy",
      () => false,
    );
  const observation: SuiteObservation = {
    feed,
    tokens: createFeedTokens(settings.controlToken, clock),
    record(member, healthy, tookMs) {
      const history = histories.get(member) ?? createHistory();
      history.record(clock.wall(), healthy, tookMs);
      return history.show(clock.wall());
    },
    close() {
      stop();
      feed.close();
    },
  };
  const stop = everyReal(healthEveryMs, () => {
    for (const member of members) {
      const elapsed = stopwatch();
      void look(member).then((healthy) => observation.record(member.name, healthy, elapsed()));
    }
  });
  return observation;
}
