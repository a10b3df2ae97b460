/** Usage records, counted from the messages, calls and numbers that are there. */
import type { Hono } from "hono";
import type { KernelEnv } from "../../kernel/emulator.ts";
import {
  type Category,
  categories,
  dayOf,
  readDay,
  type Span,
  type SpanName,
  spanNames,
  spansOf,
} from "../domain/usage.ts";
import { reject } from "../errors.ts";
import { addUsage } from "../store-usage.ts";
import { wantsXml } from "../wire/headers.ts";
import type { Shown } from "../wire/resource.ts";
import type { Call, TwilioRuntime } from "./call.ts";
import { eachIn, readPage } from "./page.ts";
import { callOf, respondList } from "./resource.ts";
import { usageOf } from "./usage-sums.ts";

const base = "/2010-04-01/Accounts/:account/Usage/Records";
const dayMs = 86_400_000;

export function mountUsage(app: Hono<KernelEnv>, runtime: TwilioRuntime): void {
  for (const end of [".json", ""]) {
    app.get(`${base}${end}`, (c) => list(callOf(runtime, c), undefined));
    for (const name of spanNames) app.get(`${base}/${name}${end}`, (c) => list(callOf(runtime, c), name));
  }
}

function list(call: Call, name: SpanName | undefined): Response {
  const { exchange, account, query, runtime } = call;
  exchange.note("operation", `ListUsageRecord${name ?? ""}`);
  const day = (parameter: string) => {
    const text = query.get(parameter);
    const read = readDay(text, exchange.at);
    return text && read === undefined ? reject("invalidParameter", parameter, text) : read;
  };
  const wanted = query.get("Category") || undefined;
  const chosen = categories.filter((category) => wanted === undefined || category.name === wanted);
  const spans = spansOf(name, exchange.at, dayOf(account.createdAt), day("StartDate"), day("EndDate"));
  const subaccounts =
    query.get("IncludeSubaccounts")?.toLowerCase() === "false" ? [] : runtime.state.accountsOf(account.sid);
  const sids = [account.sid, ...subaccounts.map(({ sid }) => sid).filter((sid) => sid !== account.sid)];
  const rows = spans.flatMap((span) => chosen.map((category) => ({ span, category })));
  const path = `/2010-04-01/Accounts/${account.sid}/Usage/Records${name === undefined ? "" : `/${name}`}`;
  const sid = ({ span, category }: (typeof rows)[number]) => `${category.name}@${span.start}`;
  const { records, frame } = readPage<(typeof rows)[number]>(call, `${path}${wantsXml(exchange) ? "" : ".json"}`, {
    filters: ["Category", "StartDate", "EndDate", "IncludeSubaccounts"],
    each: eachIn(rows, sid),
    keep: () => true,
    sid,
  });
  return respondList(
    call,
    { list: "usage_records", name: "UsageRecord" },
    withoutTokens(frame),
    records.map(({ span, category }) => render(call, sids, category, span)),
  );
}

/** Usage records have no sids to make tokens of: the page number alone leads on. */
function withoutTokens<F extends { readonly next: string | null; readonly previous: string | null }>(frame: F): F {
  const bare = (link: string | null) => link?.replace(/&PageToken=.*$/, "") ?? null;
  return { ...frame, next: bare(frame.next), previous: bare(frame.previous) };
}

function render({ runtime, exchange, account }: Call, sids: readonly string[], category: Category, span: Span): Shown {
  const from = Date.parse(span.start);
  const before = Date.parse(span.end) + dayMs;
  const sums = addUsage(...sids.map((sid) => usageOf(runtime, category.name, { account: sid, from, before })));
  const end = wantsXml(exchange) ? "" : ".json";
  const path = `/2010-04-01/Accounts/${account.sid}/Usage/Records`;
  const link = (name: string) => `${path}/${name}${end}?Category=${category.name}`;
  const price = (-sums.price / 100_000).toFixed(5);
  const isTotal = category.name === "totalprice";
  return {
    account_sid: account.sid,
    api_version: "2010-04-01",
    as_of: `${new Date(exchange.at).toISOString().slice(0, 19)}+00:00`,
    category: category.name,
    count: isTotal ? null : String(sums.count),
    count_unit: category.countUnit,
    description: category.description,
    end_date: span.end,
    price: Number(price),
    price_unit: "usd",
    start_date: span.start,
    subresource_uris: {
      all_time: link("AllTime"),
      daily: link("Daily"),
      last_month: link("LastMonth"),
      monthly: link("Monthly"),
      this_month: link("ThisMonth"),
      today: link("Today"),
      yearly: link("Yearly"),
      yesterday: link("Yesterday"),
    },
    uri: `${path}${end}?Category=${category.name}&StartDate=${span.start}&EndDate=${span.end}`,
    usage: isTotal ? price : String(sums.usage),
    usage_unit: category.usageUnit,
  };
}
