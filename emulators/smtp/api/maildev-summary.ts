import type { Hono } from "hono";
import type { KernelEnv, Runtime } from "../../kernel/emulator.ts";
import { answerJson } from "../../kernel/exchange.ts";
import { plainTerm } from "../domain/mailpit-query.ts";
import type { MessageSummary } from "../domain/message.ts";
import type { Term } from "../domain/search-index.ts";
import type { MailState } from "../state.ts";
import { renderShort } from "../wire/maildev.ts";

/** Of a request that does not say how many, or says 0; of any. */
const usualPage = 50;
const largestPage = 200;

/** MailDev 3's list for its own page: without bodies, a page at a time. */
export function maildevSummary(app: Hono<KernelEnv>, runtime: Runtime<MailState>): void {
  const { state } = runtime;

  app.get("/api/email/summary", async (c) => {
    const { exchange } = c.env;
    exchange.note("operation", "GET /api/email/summary");
    const query = new URL(exchange.target, "http://localhost").searchParams;
    const skip = whole(query.get("skip")) ?? 0;
    const limit = Math.min(whole(query.get("limit")) || usualPage, largestPage);
    const search = (query.get("search") ?? "").trim();
    const [unreadOnly, oldestFirst] = [query.get("unread") === "true", query.get("sort") === "asc"];
    const { page, total, unread } =
      search === "" && !unreadOnly ? everyMessage(state) : await matches(state, search, unreadOnly);
    const from = oldestFirst ? Math.max(0, total - skip - limit) : skip;
    const newestFirst = page(from, oldestFirst ? Math.max(0, total - skip) : skip + limit);
    const shown = oldestFirst ? newestFirst.toReversed() : newestFirst;
    const items = await Promise.all(
      shown.map(async (message) => renderShort(message, await state.reader.gist(message), state.isRead(message.id))),
    );
    return answerJson(exchange, 200, {
      items,
      total,
      storeTotal: state.count(),
      unread,
      skip,
      limit,
    });
  });
}

/** What a summary is a page of. */
interface Summarised {
  /** As an array's `slice`, of what there is, newest first. */
  page(start: number, end: number): readonly MessageSummary[];
  readonly total: number;
  /** How many are unread, of those that were searched for. */
  readonly unread: number;
}

/** The whole mailbox, of which only the page is read. */
function everyMessage(state: MailState): Summarised {
  const total = state.count();
  return {
    page: (start, end) => (end > start ? state.summaryPage({ start, limit: end - start }) : []),
    total,
    unread: total - state.readCount(),
  };
}

const nothing: Term = { tag: "entry", test: () => false };

/** `search` is a text and no query: `to:` and `-` in it are letters. */
async function matches(state: MailState, search: string, unreadOnly: boolean): Promise<Summarised> {
  const { searcher } = state;
  const term = plainTerm(search);
  const matching =
    search === "" ? await searcher.search("", undefined) : await searcher.find(term === "ignored" ? nothing : term);
  const unread = matching.and({ tag: "marked", ...state.readMarks(), negated: true });
  const chosen = unreadOnly ? unread : matching;
  return {
    page: (start, end) => chosen.slice(start, end).flatMap(({ id }) => state.summary(id) ?? []),
    total: chosen.length,
    unread: unread.length,
  };
}

/** What is no whole number from 0 on is as if it were not there. */
export function whole(text: string | null): number | undefined {
  return text !== null && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}
