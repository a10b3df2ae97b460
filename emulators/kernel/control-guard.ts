/** Who may use the control API: whoever has its token, when one is set. */
import { answerJson, type Exchange } from "./exchange.ts";
import type { FeedTokens } from "./feed-token.ts";
import { sameText } from "./signatures.ts";

/** Live, ready and health: what orchestrators ask while everything starts. */
export const vitalPaths = /^\/(health|api\/v1\/health|_backlot\/(health|live|ready))($|\?)/;

/** The event stream alone may be opened with a short-lived token in its query: EventSource sends no header. */
const events = /^\/_backlot\/events\?(.*)$/s;

export function tokenGuard(
  token: string | undefined,
  tokens?: FeedTokens,
): (exchange: Exchange) => Response | undefined {
  return (exchange) => {
    // Orchestrators send no token, and signs of life say nothing a neighbour could use.
    if (token === undefined || vitalPaths.test(exchange.target)) return undefined;
    const given = /^Bearer (.+)$/.exec(exchange.header("authorization") ?? "")?.[1];
    if (given !== undefined && sameText(given, token)) return undefined;
    const query = exchange.method === "GET" ? events.exec(exchange.target)?.[1] : undefined;
    if (query !== undefined && tokens?.verify(new URLSearchParams(query).get("token") ?? "")) return undefined;
    return answerJson(
      exchange,
      401,
      { error: "unauthorized", message: "The control API needs `Authorization: Bearer <BACKLOT_CONTROL_TOKEN>`." },
      { "www-authenticate": "Bearer" },
    );
  };
}
