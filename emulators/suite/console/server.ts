/**
 * Serves what the console's page needs: its files under `/_backlot/console/`, which stay out of the journal, captured mail
 * for its frames, and each member's control API. Everything else the page asks of the suite's control API.
 */
import type { Context, Hono } from "hono";
import type { KernelEnv } from "../../kernel/emulator.ts";
import { answer, type Exchange } from "../../kernel/exchange.ts";
import type { FeedTokens } from "../../kernel/feed-token.ts";
import { plainErrors } from "../../kernel/plain-errors.ts";
import type { Member } from "../member.ts";
import type { PageFiles } from "./files.ts";
import { mailRoutes } from "./mail-parts.ts";
import { memberRoutes } from "./member-routes.ts";
import { base } from "./page.ts";

export function consoleRoutes(control: Hono<KernelEnv>, members: readonly Member[], files: PageFiles): void {
  pageRoutes(control, members);
  fileRoutes(control, files);
}

export function pageRoutes(control: Hono<KernelEnv>, members: readonly Member[]): void {
  mailRoutes(control, members, `${base}/mail`);
  memberRoutes(control, members);
}

/** A file's name has a hash of what is in it. */
const forGood = "public, max-age=31536000, immutable";

export function fileRoutes(control: Hono<KernelEnv>, files: PageFiles): void {
  control.get(`${base}/:file`, async (c: Context<KernelEnv>) => {
    const found = await files.read(c.req.param("file") ?? "");
    if (!found) return plainErrors.notFound(c.env.exchange);
    return answer(c.env.exchange, 200, found.bytes, { "content-type": found.type, "cache-control": forGood });
  });
}

/** The page's files hold nothing of the run; a frame cannot send a header, so captured mail takes a feed token in its query. */
export function consoleGuard(
  guard: (exchange: Exchange) => Response | undefined,
  tokens: FeedTokens,
): (exchange: Exchange) => Response | undefined {
  return (exchange) => {
    if (exchange.method === "GET") {
      const { target } = exchange;
      if (/^\/_backlot\/console\/[\w.-]+$/.test(target)) return undefined;
      const query = /^\/_backlot\/console\/(?:api\/console\/)?mail\/[^?]*\?(.*)$/s.exec(target)?.[1];
      if (query !== undefined && tokens.verify(new URLSearchParams(query).get("token") ?? "")) return undefined;
    }
    return guard(exchange);
  };
}
