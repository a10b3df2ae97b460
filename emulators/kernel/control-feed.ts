/** Control routes of the live journal, the same at an emulator and at the suite. */
import type { Hono } from "hono";
import * as z from "zod";
import { isoMilliseconds } from "./clock.ts";
import type { KernelEnv } from "./emulator.ts";
import { answer, answerJson } from "./exchange.ts";
import { beginningPattern, type Feed, positionPattern } from "./feed.ts";
import type { FeedTokens } from "./feed-token.ts";
import { eventsPath, tooManyViewers } from "./feed-upgrade.ts";
import { eventStream, eventStreamHeaders } from "./http/event-stream.ts";
import { readQuery } from "./http/input.ts";
import { JournalFilter } from "./journal-filter.ts";
import { ControlError } from "./plain-errors.ts";

export const FeedQuery = JournalFilter.extend({
  /** Position after which to begin, or how far back; without it the feed begins with what happens next. */
  since: z
    .string()
    .regex(beginningPattern, "a position such as 123, 123@epoch or twilio:123,smtp:45, or -100 for the newest hundred")
    .optional(),
  /** From POST /_backlot/events/token, for viewers that cannot send a header. */
  token: z.string().optional(),
});

export function feedRoutes(control: Hono<KernelEnv>, feed: Pick<Feed, "open">, tokens: FeedTokens): void {
  control.post(`${eventsPath}/token`, (c) => {
    const { token, expiresAt } = tokens.issue();
    return answerJson(c.env.exchange, 200, { token, expiresAt: isoMilliseconds(expiresAt) });
  });
  control.get(eventsPath, (c) => {
    const { exchange } = c.env;
    const { since, token: _, ...filter } = readQuery(exchange, FeedQuery);
    const last = exchange.header("last-event-id");
    const reader = feed.open(last !== undefined && positionPattern.test(last) ? last : since, filter);
    if (!reader) throw new ControlError(503, "too_many_viewers", tooManyViewers);
    return answer(exchange, 200, eventStream(reader), eventStreamHeaders);
  });
}
