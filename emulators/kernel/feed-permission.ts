/** Who may watch the live journal by WebSocket, which does not pass through the routes: the same checks, the same feed. */
import type { IncomingMessage } from "node:http";
import type { Feed } from "./feed.ts";
import type { FeedTokens } from "./feed-token.ts";
import { type FeedUpgrades, tooManyViewers } from "./feed-upgrade.ts";
import { mayUse } from "./http/origin.ts";
import { sameText } from "./signatures.ts";

export function feedUpgrades(options: {
  readonly feed: Pick<Feed, "open">;
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
    async open(incoming) {
      const host = incoming.headers.host ?? "";
      if (!options.answersTo(host)) return { status: 421, message: `${host} is not a name this server answers to.` };
      const { origin } = incoming.headers;
      if (!mayUse(origin, host, corsOrigins))
        return { status: 403, message: `A page of ${origin} may not watch; see BACKLOT_CORS_ORIGINS.` };
      const query = new URLSearchParams((incoming.url ?? "").replace(/^[^?]*\??/s, ""));
      if (!permitted(incoming, query))
        return { status: 401, message: "Give ?token= from POST /_backlot/events/token, or the bearer token." };
      try {
        const [{ checked }, { FeedQuery }] = await Promise.all([
          import("./http/input.ts"),
          import("./control-feed.ts"),
        ]);
        const { since, token: _, ...filter } = checked(FeedQuery, Object.fromEntries(query), "query");
        return feed.open(since, filter) ?? { status: 503, message: tooManyViewers };
      } catch (cause) {
        return { status: 400, message: cause instanceof Error ? cause.message : String(cause) };
      }
    },
  };
}
