import * as z from "zod";
import { answer, answerJson } from "../../../kernel/exchange.ts";
import { instantOf } from "../../domain/mailpit-query.ts";
import type { MessageSummary } from "../../domain/message.ts";
import type { Term } from "../../domain/search-index.ts";
import { MailpitError } from "../../errors.ts";
import { markAllRead, markRead, removeAll, removeMessages } from "../../mailbox.ts";
import { renderList, type Totals } from "../../wire/mailpit.ts";
import { type App, bodyOf, type MailRuntime, ok, queryOf, summaryOf, wholeNumber } from "./context.ts";

const Ids = z.array(z.string()).nullish();
const ReadStatus = z.object({ Read: z.boolean().default(false), IDs: Ids, Search: z.string().default("") });
const Deletion = z.object({ IDs: Ids });

/** Lists, search, read status and deletion of several messages. */
export function mailpitMessages(app: App, runtime: MailRuntime): void {
  const { state } = runtime;
  const render = (messages: readonly MessageSummary[]) =>
    Promise.all(messages.map((message) => summaryOf(runtime, message)));
  const totals = () => {
    const total = state.count();
    return { total, unread: total - state.readCount(), tags: state.allTags() };
  };
  const listed = (start: number, counts: ReturnType<typeof totals>): Totals => ({
    ...counts,
    start,
    matches: counts.total,
    matchesUnread: counts.unread,
  });

  app.get("/api/v1/messages", async (c) => {
    const { exchange } = c.env;
    exchange.note("operation", "GET /api/v1/messages");
    const query = queryOf(exchange);
    const start = wholeNumber(query.get("start"), 0);
    const limit = wholeNumber(query.get("limit"), 50);
    const page = { start, limit: limit === 0 ? -1 : limit, before: instantOf(query.get("before") ?? "", undefined) };
    const messages = await render(state.summaryPage(page));
    return answerJson(exchange, 200, renderList(listed(start, totals()), messages));
  });

  app.get("/api/v1/search", async (c) => {
    const { exchange } = c.env;
    exchange.note("operation", "GET /api/v1/search");
    const query = queryOf(exchange);
    const start = wholeNumber(query.get("start"), 0);
    const limit = wholeNumber(query.get("limit"), 50);
    const before = instantOf(query.get("before") ?? "", undefined);
    const earlier: readonly Term[] =
      before === undefined ? [] : [{ tag: "entry", test: ({ receivedAt }) => receivedAt < before }];
    const found = await state.searcher.search(wanted(query), query.get("tz") ?? undefined, ...earlier);
    const shown = found.slice(start, start + limit).flatMap(({ id }) => state.summary(id) ?? []);
    const matchesUnread = found.and({ tag: "marked", ...state.readMarks(), negated: true }).length;
    const counts: Totals = { ...totals(), start, matches: found.length, matchesUnread };
    return answerJson(exchange, 200, renderList(counts, await render(shown)));
  });

  app.delete("/api/v1/search", async (c) => {
    const { exchange } = c.env;
    exchange.note("operation", "DELETE /api/v1/search");
    const query = queryOf(exchange);
    const found = await state.searcher.search(wanted(query), query.get("tz") ?? undefined);
    removeMessages(
      runtime,
      Array.from(found, ({ id }) => id),
    );
    return ok(exchange);
  });

  app.put("/api/v1/messages", async (c) => {
    const { exchange } = c.env;
    exchange.note("operation", "PUT /api/v1/messages");
    const { Read, IDs, Search } = bodyOf(exchange, ReadStatus);
    if (IDs?.length && Search !== "")
      throw new MailpitError(400, "You may specify either IDs or a search query, not both");
    if (Search !== "") {
      const found = await state.searcher.search(Search, queryOf(exchange).get("tz") ?? undefined);
      markRead(
        runtime,
        Array.from(found, ({ id }) => id),
        Read,
      );
    } else if (IDs?.length) markRead(runtime, IDs, Read);
    else markAllRead(runtime, Read);
    return ok(exchange);
  });

  app.delete("/api/v1/messages", (c) => {
    const { exchange } = c.env;
    exchange.note("operation", "DELETE /api/v1/messages");
    const ids = idsToDelete(exchange.body);
    if (ids.length > 0) removeMessages(runtime, ids);
    else removeAll(runtime);
    // MailHog's route too: its npm client reads any body as JSON, and names no type that it accepts, as all others do.
    if (exchange.header("accept") === undefined) return answer(exchange, 200, null, {});
    return ok(exchange);
  });
}

function wanted(query: URLSearchParams): string {
  const search = (query.get("query") ?? "").trim();
  if (search === "") throw new MailpitError(400, "Error: no search query");
  return search;
}

/** No body, or one that cannot be read, means all of them, as in Mailpit (and as in MailHog, which has no body). */
function idsToDelete(body: Buffer): readonly string[] {
  try {
    const parsed = Deletion.safeParse(JSON.parse(body.toString("utf8")));
    return (parsed.success ? parsed.data.IDs : undefined) ?? [];
  } catch {
    return [];
  }
}
