/** The page itself: the same few lines for everybody, with the first answers of the control API in them. */
import type { Hono } from "hono";
import { afterReal } from "../../kernel/clock.ts";
import type { KernelEnv } from "../../kernel/emulator.ts";
import { answer, type Exchange, retargeted } from "../../kernel/exchange.ts";
import { passThrough } from "../../kernel/routing.ts";
import type { PageFiles } from "./files.ts";
import type { PageFacts } from "./page-facts.ts";

/** Where the page's files are. */
export const base = "/_backlot/console";

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
  // It holds how things stand: going back to it shows how they stand then.
  "cache-control": "no-store",
  "cross-origin-opener-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  vary: "accept",
};

const icon =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect width='16' height='16' rx='4' fill='%23345'/%3E%3Cpath d='M4 5h8M4 8h6M4 11h8' stroke='white' stroke-width='1.6'/%3E%3C/svg%3E";

/** What the frame around every view asks. */
const frameAsks = ["/_backlot/services", "/_backlot/health", "/_backlot/clock"];
/** And the overview, the first view of the whole. */
const overviewAsks = ["/_backlot/egress", "/_backlot/dead-letters?limit=1"];

/** A service that takes longer to say how it is keeps nobody from the page, which asks again. */
const patienceMs = 100;

export interface PageParts {
  readonly facts: PageFacts;
  readonly files: PageFiles;
  /** The control API that the page will ask; undefined when it takes a token. */
  readonly control: (() => Promise<Hono<KernelEnv>>) | undefined;
}

export async function consolePage(exchange: Exchange, { facts, files, control }: PageParts): Promise<Response> {
  const asks = facts.part === undefined ? [...frameAsks, ...overviewAsks] : frameAsks;
  const [names, answers] = await Promise.all([files.names(), control && firstAnswers(control, exchange, asks)]);
  const known = JSON.stringify(facts);
  const data = answers === undefined ? known : `${known.slice(0, -1)},"answers":${answers}}`;
  return answer(exchange, 200, pageOf(names, facts, data), pageHeaders);
}

/** A block of JSON is data: no policy has to permit it, and a `<` that is written otherwise cannot end it. */
const pageOf = (names: readonly string[], facts: PageFacts, data: string) => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Backlot</title>
<link rel="icon" href="${icon}">
<link rel="stylesheet" href="${base}/${entry(names, "css")}">
<script type="module" src="${base}/${entry(names, "js")}"></script>
${preloads(names, facts)}</head>
<body><script type="application/json" id="data">${data.replaceAll("<", "\\u003c")}</script><div id="console"></div><noscript>The console needs JavaScript; the control API under /_backlot/ does not.</noscript></body>
</html>
`;

function entry(names: readonly string[], extension: string): string {
  const found = names.find((name) => name.startsWith("console-") && name.endsWith(`.${extension}`));
  if (found === undefined) throw new Error(`the console's bundle has no ${extension} file: run npm run build`);
  return found;
}

/** What the script imports, without waiting for it to say so; for a part also its view, to which the whole only comes later. */
function preloads(names: readonly string[], { part }: PageFacts): string {
  const wanted = part === undefined ? /^chunk-.*\.js$/ : /^(chunk|later)-.*\.js$/;
  const scripts = names.filter((name) => wanted.test(name));
  return scripts.map((name) => `<link rel="modulepreload" href="${base}/${name}">\n`).join("");
}

/** As JSON; what failed, was too long or came too late is left for the page to ask. */
async function firstAnswers(
  control: () => Promise<Hono<KernelEnv>>,
  exchange: Exchange,
  asks: readonly string[],
): Promise<string> {
  const app = await control();
  const answers: string[] = [];
  const work = asks.map(async (target) => {
    const asked = retargeted(exchange, { method: "GET", target });
    await passThrough(app, asked);
    const { status, body } = asked.answered ?? {};
    if (status === 200 && typeof body === "string") answers.push(`${JSON.stringify(target)}:${body}`);
  });
  await inTime(Promise.all(work));
  return `{${answers.join(",")}}`;
}

async function inTime(work: Promise<unknown>): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const stop = afterReal(patienceMs, resolve);
  await Promise.race([work, late]);
  stop();
}
