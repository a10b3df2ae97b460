/**
 * Serves the console: one page at `/` for browsers (everybody else keeps the plain text there) and its files under
 * `/_backlot/console/`, which stay out of the journal. The page itself works through the control API alone.
 */
import type { Context, Hono } from "hono";
import type { KernelEnv } from "../../kernel/emulator.ts";
import { answer, type Exchange } from "../../kernel/exchange.ts";
import type { FeedTokens } from "../../kernel/feed-token.ts";
import { plainErrors } from "../../kernel/plain-errors.ts";
import type { Member } from "../member.ts";
import { createPageFiles } from "./files.ts";
import { mailRoutes } from "./mail-parts.ts";
import { memberRoutes } from "./member-routes.ts";

const base = "/_backlot/console";

/** Scripts, styles and data from here alone; captured mail shows in frames from here, each with a policy of its own. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src data:",
  "frame-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

const pageHeaders = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy": policy,
  "cache-control": "no-cache",
  "cross-origin-opener-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  vary: "accept",
};

const icon =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect width='16' height='16' rx='4' fill='%23345'/%3E%3Cpath d='M4 5h8M4 8h6M4 11h8' stroke='white' stroke-width='1.6'/%3E%3C/svg%3E";

export interface PageFacts {
  readonly seed: string;
  /** Where the page asks: the suite's control API, or a part's. */
  readonly base?: string;
  /** The emulator whose part it is; absent for the whole. */
  readonly part?: string;
  /** Where the whole is, for a part. */
  readonly suite?: string;
}

const pageFor = (facts: PageFacts) => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Backlot</title>
<link rel="icon" href="${icon}">
<link rel="stylesheet" href="${base}/console.css">
<script type="module" src="${base}/console.js"></script>
</head>
<body><div id="console"${Object.entries(facts)
  .map(([name, value]) => ` data-${name}="${escaped(value)}"`)
  .join("")}></div><noscript>The console needs JavaScript; the control API under /_backlot/ does not.</noscript></body>
</html>
`;

export function consolePage(exchange: Exchange, facts: PageFacts): Response {
  return answer(exchange, 200, pageFor(facts), pageHeaders);
}

/** What the page needs beside the control API: its files, captured mail for its frames, and each member's own control API. */
export function consoleRoutes(control: Hono<KernelEnv>, members: readonly Member[]): void {
  pageRoutes(control, members);
  consoleFiles(control);
}

export function pageRoutes(control: Hono<KernelEnv>, members: readonly Member[]): void {
  mailRoutes(control, members, `${base}/mail`);
  memberRoutes(control, members);
}

export function consoleFiles(control: Hono<KernelEnv>): void {
  const read = createPageFiles();
  control.get(`${base}/:file`, async (c: Context<KernelEnv>) => {
    const found = await read(c.req.param("file") ?? "");
    if (!found) return plainErrors.notFound(c.env.exchange);
    return answer(c.env.exchange, 200, found.bytes, { "content-type": found.type, "cache-control": "no-cache" });
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

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (mark) => `&#${mark.charCodeAt(0)};`);
}
