import type { Hono } from "hono";
import type { KernelEnv } from "../../kernel/emulator.ts";
import type { Exchange } from "../../kernel/exchange.ts";
import { Pieces } from "../../kernel/pieces.ts";
import type { Message } from "../domain/message.ts";
import { type MessageParameters, planMessage, type SendingWorld } from "../domain/message-draft.ts";
import { type MessageFilter, pageQuery, parseMessageFilter, tokenText } from "../domain/message-filter.ts";
import { isFinished, step } from "../domain/message-life.ts";
import { planTestMessage } from "../domain/test-credentials.ts";
import { failure, reject, resourcePath } from "../errors.ts";
import { application, channelSender, content, media, messagingService, phoneNumber, shortCode } from "../kinds.ts";
import type { Account } from "../store.ts";
import type { MessageQuery } from "../store-messages.ts";
import { wantsXml } from "../wire/headers.ts";
import {
  type PageFrame,
  renderMessage,
  renderMessagePage,
  renderMessagePageXml,
  renderMessageXml,
} from "../wire/message.ts";
import { formOf, given, queryOf, respond, respondEmpty, sidOf, type TwilioRuntime } from "./call.ts";
import { hasCallerId } from "./caller-ids.ts";
import { type KeptPages, keepPages, type MadePage } from "./kept-pages.ts";
import { common, type KeptTexts, keepTexts, readable } from "./kept-texts.ts";
import { cancelLife, enter } from "./message-life.ts";
import { draftedMessage, isOptedOut, keepMessage } from "./message-making.ts";
import { alphaSenderOf, poolOf } from "./pool.ts";
import { isQueueFull } from "./sending-rate.ts";
import { signIn } from "./sign-in.ts";
import { rememberMessage } from "./usage-sums.ts";

const messages = "/2010-04-01/Accounts/:account/Messages";

export function mountMessages(app: Hono<KernelEnv>, runtime: TwilioRuntime): void {
  const kept = { pages: keepPages(runtime.state.version), texts: keepTexts(runtime) };
  for (const path of [`${messages}.json`, messages]) {
    app.post(path, (c) => create(runtime, c.env.exchange, c.req.param("account") ?? ""));
    app.get(path, (c) => list(runtime, kept, c.env.exchange, c.req.param("account") ?? ""));
  }
  app.get(`${messages}/:sid`, (c) =>
    fetchOne(runtime, kept.texts, c.env.exchange, c.req.param("account"), c.req.param("sid")),
  );
  app.post(`${messages}/:sid`, (c) => update(runtime, c.env.exchange, c.req.param("account"), c.req.param("sid")));
  app.delete(`${messages}/:sid`, (c) => remove(runtime, c.env.exchange, c.req.param("account"), c.req.param("sid")));
}

function create(runtime: TwilioRuntime, exchange: Exchange, accountSid: string): Response {
  exchange.note("operation", "CreateMessage");
  const account = signIn(runtime, exchange, accountSid, { test: true });
  const parameters = readParameters(formOf(exchange));
  const planned =
    account.test === 1 ? planTestMessage(parameters) : planMessage(parameters, worldOf(runtime, account, exchange.at));
  if (planned.tag === "rejected") throw failure(planned.problem);
  const message = runtime.store.write(() => {
    const origin = { accountSid: account.sid, direction: "outbound-api", at: exchange.at } as const;
    const drafted = draftedMessage(runtime, origin, planned.draft);
    if (account.test === 0) keepMessage(runtime, drafted, planned.draft.contentSid);
    return drafted;
  });
  exchange.note("resource", message.sid);
  return respond(
    exchange,
    201,
    {
      json: () => renderMessage(message, { now: exchange.at, extension: ".json", created: true }),
      xml: () => renderMessageXml(message, { now: exchange.at, created: true }),
    },
    message.sid,
  );
}

interface Kept {
  readonly pages: KeptPages;
  readonly texts: KeptTexts;
}

function list(runtime: TwilioRuntime, kept: Kept, exchange: Exchange, accountSid: string): Response {
  exchange.note("operation", "ListMessage");
  const account = signIn(runtime, exchange, accountSid);
  const parsed = parseMessageFilter(queryOf(exchange));
  if (parsed.tag === "rejected") throw failure(parsed.problem);
  const { at, target } = exchange;
  const asked = (make: (page: Page) => MadePage) => () =>
    kept.pages.get(`${account.sid} ${target}`, at, () => make(pageOf(runtime, account, parsed.filter)));
  const frame = (page: Page, sids: readonly { readonly sid: string }[]) => frameOf(page, parsed.filter, target, sids);
  return respond(exchange, 200, {
    json: asked((page) => {
      const shown = page.arrivals.flatMap((arrival) => kept.texts.at(arrival, at) ?? []);
      const bytes = shown.map((one) => one.bytes);
      return { body: new Pieces(renderMessagePage(frame(page, shown), bytes)), ...common(shown) };
    }),
    xml: asked((page) => {
      const shown = page.arrivals.flatMap((arrival) => runtime.state.messageAt(arrival) ?? []);
      const spans = shown.map((message) => readable(message, at));
      const text = renderMessagePageXml(frame(page, shown), shown, at);
      return { body: new Pieces([Buffer.from(text)]), ...common(spans) };
    }),
  });
}

function fetchOne(
  runtime: TwilioRuntime,
  texts: KeptTexts,
  exchange: Exchange,
  accountSid: string,
  segment: string,
): Response {
  exchange.note("operation", "FetchMessage");
  if (wantsXml(exchange)) return respondWith(exchange, find(runtime, exchange, accountSid, segment));
  const account = signIn(runtime, exchange, accountSid);
  const sid = sidOf(segment);
  exchange.note("resource", sid);
  const shown = texts.get(sid, exchange.at);
  const { text } = shown?.accountSid === account.sid ? shown : reject("notFound", resourcePath(exchange));
  return respond(exchange, 200, { json: () => text, xml: () => text });
}

function update(runtime: TwilioRuntime, exchange: Exchange, accountSid: string, segment: string): Response {
  exchange.note("operation", "UpdateMessage");
  const message = find(runtime, exchange, accountSid, segment);
  const form = formOf(exchange);
  const status = given(form, "Status");
  const body = form.get("Body");
  // Exactly one of the two, and only these values. https://www.twilio.com/docs/api/errors/30400
  if ((status === undefined) === (body === null) || (body ?? "") !== "") reject("invalidUpdate");
  if (status !== undefined && status !== "canceled") reject("invalidUpdate");
  if (status === "canceled") {
    if (message.status !== "scheduled") reject("notCancelable");
    runtime.store.write(() => {
      cancelLife(runtime, message);
      enter(runtime, message, { status: step(message.status, "canceled"), errorCode: null }, exchange.at);
    });
  } else {
    if (!isFinished(message.status)) reject("unfinished");
    runtime.store.write(() => {
      runtime.state.redactMessage(message.sid, exchange.at);
      runtime.journal.append("change", message.sid, { resource: "message", change: "redacted" });
    });
  }
  return respondWith(exchange, runtime.state.message(message.sid) ?? message);
}

function remove(runtime: TwilioRuntime, exchange: Exchange, accountSid: string, segment: string): Response {
  exchange.note("operation", "DeleteMessage");
  const message = find(runtime, exchange, accountSid, segment);
  if (!isFinished(message.status)) reject("unfinished");
  runtime.store.write(() => {
    rememberMessage(runtime, message);
    runtime.state.deleteMessage(message.sid);
    for (const { sid } of runtime.state.resourcesOf(media, message.sid)) runtime.state.removeResource(media, sid);
    runtime.journal.append("change", message.sid, { resource: "message", change: "deleted" });
  });
  return respondEmpty(exchange);
}

function find(runtime: TwilioRuntime, exchange: Exchange, accountSid: string, segment: string): Message {
  const account = signIn(runtime, exchange, accountSid);
  const sid = sidOf(segment);
  exchange.note("resource", sid);
  const message = runtime.state.message(sid);
  return message?.accountSid === account.sid ? message : reject("notFound", resourcePath(exchange));
}

function respondWith(exchange: Exchange, message: Message): Response {
  return respond(exchange, 200, {
    json: () => renderMessage(message, { now: exchange.at, extension: ".json" }),
    xml: () => renderMessageXml(message, { now: exchange.at }),
  });
}

function readParameters(form: URLSearchParams): MessageParameters {
  return {
    to: given(form, "To"),
    from: given(form, "From"),
    messagingServiceSid: given(form, "MessagingServiceSid"),
    body: given(form, "Body"),
    mediaUrls: form.getAll("MediaUrl").filter((url) => url !== ""),
    contentSid: given(form, "ContentSid"),
    contentVariables: given(form, "ContentVariables"),
    statusCallback: given(form, "StatusCallback"),
    validityPeriod: given(form, "ValidityPeriod"),
    scheduleType: given(form, "ScheduleType"),
    sendAt: given(form, "SendAt"),
    applicationSid: given(form, "ApplicationSid"),
    smartEncoded: given(form, "SmartEncoded") === "true",
  };
}

function worldOf(runtime: TwilioRuntime, account: Account, now: number): SendingWorld {
  const { state } = runtime;
  return {
    accountSid: account.sid,
    now,
    trial: account.type === "Trial",
    isVerified: (number) => hasCallerId(state, account.sid, number),
    channelOwnerOf: (address) => state.resourceByKey(channelSender, address)?.accountSid,
    content(sid) {
      const found = state.resource(content, sid);
      return found?.accountSid === account.sid ? found.data : undefined;
    },
    ownerOf(value) {
      const number = state.resourceByKey(phoneNumber, value);
      if (number) return { accountSid: number.accountSid, sms: number.data.capabilities.sms };
      const code = state.resourceByKey(shortCode, value);
      return code && { accountSid: code.accountSid, sms: true };
    },
    service(sid) {
      const service = state.resource(messagingService, sid);
      if (service?.accountSid !== account.sid) return undefined;
      const { StatusCallback: statusCallback, ValidityPeriod: validityPeriod } = service.data;
      const alphaSender = alphaSenderOf(state, sid);
      return {
        sid,
        statusCallback,
        validityPeriod,
        senders: poolOf(state, sid),
        ...(alphaSender === undefined ? {} : { alphaSender }),
      };
    },
    isQueueFull: (sender) => isQueueFull(runtime, sender, now),
    isOptedOut: (scope, recipient) => isOptedOut(state, account.sid, scope, recipient),
    applicationCallback(sid) {
      const found = state.resource(application, sid);
      if (found?.accountSid !== account.sid) return undefined;
      return found.data.MessageStatusCallback || found.data.SmsStatusCallback || null;
    },
  };
}

/** What a filter finds on its page. */
interface Page {
  readonly arrivals: readonly number[];
  /** Whether more follows in the direction in which the page was asked for. */
  readonly more: boolean;
}

function pageOf({ state }: TwilioRuntime, account: Account, filter: MessageFilter): Page {
  const { page, pageSize, token } = filter;
  const place = token && state.placeOfMessage(account.sid, token.sid);
  if (token && !place) reject("invalidPageToken", tokenText(token.direction, token.sid));
  const backward = token?.direction === "newer";
  const query: MessageQuery = {
    accountSid: account.sid,
    ...(filter.to === undefined ? {} : { to: filter.to }),
    ...(filter.from === undefined ? {} : { from: filter.from }),
    ...(filter.sentFrom === undefined ? {} : { sentFrom: filter.sentFrom }),
    ...(filter.sentBefore === undefined ? {} : { sentBefore: filter.sentBefore }),
    ...(place && (backward ? { newerThan: place } : { olderThan: place })),
    // One more than the page holds tells whether another page follows.
    limit: pageSize + 1,
    offset: place ? 0 : page * pageSize,
  };
  const found = state.messageArrivals(query);
  const more = found.length > pageSize;
  return { arrivals: more ? (backward ? found.slice(1) : found.slice(0, pageSize)) : found, more };
}

function frameOf(
  { more }: Page,
  filter: MessageFilter,
  target: string,
  shown: readonly { readonly sid: string }[],
): PageFrame {
  const { page, pageSize, token } = filter;
  const backward = token?.direction === "newer";
  const [first, last] = [shown[0]?.sid, shown.at(-1)?.sid];
  const path = target.slice(0, (target.indexOf("?") + 1 || target.length + 1) - 1);
  const link = (number: number, direction?: "older" | "newer", sid?: string) =>
    `${path}?${pageQuery(filter, number, direction && sid ? tokenText(direction, sid) : undefined)}`;
  const start = page * pageSize;
  return {
    page,
    pageSize,
    start,
    end: Math.max(start, start + shown.length - 1),
    uri: link(page, token?.direction, token?.sid),
    firstPageUri: link(0),
    previousPageUri: page > 0 && first && (!backward || more) ? link(page - 1, "newer", first) : null,
    nextPageUri: last && (backward || more) ? link(page + 1, "older", last) : null,
  };
}
