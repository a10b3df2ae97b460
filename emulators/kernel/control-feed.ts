/** Control routes of the live journal, the same at an emulator and at the suite. */
import type { IncomingMessage } from "node:http";
import type { Hono } from "hono";
import * as z from "zod";
import { isoMilliseconds } from "./clock.ts";
import type { KernelEnv } from "./emulator.ts";
import { answer, answerJson } from "./exchange.ts";
import { beginningPattern, type Feed, positionPattern } from "./feed.ts";
import type { FeedTokens } from "./feed-token.ts";
import { eventsPath, type FeedUpgrades } from "./feed-upgrade.ts";
import { eventStream, eventStreamHeaders } from "./http/event-stream.ts";
import { checked, readQuery } from "./http/input.ts";
import { mayUse } from "./http/origin.ts";
import { JournalFilter } from "./journal-view.ts";
import { ControlError } from "./plain-errors.ts";
import { sameText } from "./signatures.ts";

export const FeedQuery = JournalFilter.extend({
  /** Position after which to begin, or how far back; without it the feed begins with what happens next. */
  since: z
    .string()
    .regex(beginningPattern, "a position such as 123, 123@epoch or twilio:123,smtp:45, or -100 for the newest hundred")
    .optional(),
  /** From POST /_backlot/events/token, for viewers that cannot send a header. */
  token: z.string().optional(),
});

type Opening = Pick<Feed, "open">;

export function feedRoutes(control: Hono<KernelEnv>, feed: Opening, tokens: FeedTokens): void {
  control.post(`${eventsPath}/token`, (c) => {
    const { token, expiresAt } = tokens.issue();
    return answerJson(c.env.exchange, 200, { token, expiresAt: isoMilliseconds(expiresAt) });
  });
  control.get(eventsPath, (c) => {
    const { exchange } = c.env;
    const { since, token: _, ...filter } = readQuery(exchange, FeedQuery);
    const last = exchange.header("last-event-id");
    const reader = feed.open(last !== undefined && positionPattern.test(last) ? last : since, filter);
    if (!reader) throw new ControlError(503, "too_many_viewers", tooMany);
    return answer(exchange, 200, eventStream(reader), eventStreamHeaders);
  });
}

const tooMany = "Too many viewers watch the live journal; close some of them.";

/** The same checks and the same feed for WebSocket, which does not pass through the routes. */
export function feedUpgrades(options: {
  readonly feed: Opening;
  readonly tokens: FeedTokens;
  readonly controlToken: string | undefined;
  readonly corsOrigins: readonly string[];
  answersTo(host: string): boolean;
}): FeedUpgrades {
  const { feed, tokens, controlToken, corsOrigins } = options;
  const permitted = (incoming: IncomingMessage, query: URLSearchParams): boolean => {
    if (controlToken === undefined) return true;
    const bearer = /^Bearer (.+)$/.exec(incoming.headers.authorization ?? "")?.[1];
    if (bearer !== undefined && sameText(bearer, controlToken)) return true;
    return tokens.verify(query.get("token") ?? "");
  };
  return {
    open(incoming) {
      const host = incoming.headers.host ?? "";
      if (!options.answersTo(host)) return { status: 421, message: `${host} is not a name this server answers to.` };
      const { origin } = incoming.headers;
      if (!mayUse(origin, host, corsOrigins))
        return { status: 403, message: `A page of ${origin} may not watch; see BACKLOT_CORS_ORIGINS.` };
      const query = new URLSearchParams((incoming.url ?? "").replace(/^[^?]*\??/s, ""));
      if (!permitted(incoming, query))
        return { status: 401, message: "Give ?token= from POST /_backlot/events/token, or the bearer token." };
      try {
        const { since, token: _, ...filter } = checked(FeedQuery, Object.fromEntries(query), "query");
        return feed.open(since, filter) ?? { status: 503, message: tooMany };
      } catch (cause) {
        return { status: 400, message: cause instanceof Error ? cause.message : String(cause) };
      }
    },
  };
}
