/**
 * A message on the wire. The fields stand in the order the service has sent them in since 2020; the text is built by hand
 * because creating and listing messages is what clients do most.
 */
import type { ShownMessage } from "../domain/message.ts";
import { errorMessages } from "../domain/message-life.ts";
import { rfc2822 as date } from "./dates.ts";
import { quoted } from "./json.ts";
import { xmlAttributes, xmlElement, xmlEnvelope } from "./xml.ts";

export interface MessageView {
  /** Decides whether the price is known yet. */
  readonly now: number;
  /** `.json`, or nothing in XML. */
  readonly extension: "" | ".json";
  /** A fresh message has no feedback resource yet. */
  readonly created?: boolean;
}

export function renderMessage(message: ShownMessage, view: MessageView): string {
  const path = `/2010-04-01/Accounts/${message.accountSid}/Messages/${message.sid}`;
  const billed = message.price !== null && message.billedAt !== null && view.now >= message.billedAt;
  const price = billed && message.price !== null ? `"${dollars(message.price)}"` : "null";
  const error = message.errorCode === null ? undefined : errorMessages[message.errorCode];
  const feedback = view.created ? "" : `, "feedback": "${path}/Feedback${view.extension}"`;
  return (
    `{"body": ${quoted(message.body)}, "num_segments": "${message.numSegments}", "direction": "${message.direction}", ` +
    `"from": ${textOrNull(message.from)}, "date_updated": "${date(message.updatedAt)}", "price": ${price}, ` +
    `"error_message": ${error === undefined ? "null" : quoted(error)}, "uri": "${path}${view.extension}", ` +
    `"account_sid": "${message.accountSid}", "num_media": "${message.numMedia}", "to": ${quoted(message.to)}, ` +
    `"date_created": "${date(message.createdAt)}", "status": "${message.status}", "sid": "${message.sid}", ` +
    `"date_sent": ${message.sentAt === null ? "null" : `"${date(message.sentAt)}"`}, ` +
    `"messaging_service_sid": ${textOrNull(message.messagingServiceSid)}, "error_code": ${message.errorCode}, ` +
    `"price_unit": "USD", "api_version": "2010-04-01", ` +
    `"subresource_uris": {"media": "${path}/Media${view.extension}"${feedback}}}`
  );
}

export function renderMessageXml(message: ShownMessage, view: Omit<MessageView, "extension">): string {
  return xmlEnvelope(messageElement(message, view));
}

function messageElement(message: ShownMessage, view: Omit<MessageView, "extension">): string {
  return xmlElement("Message", JSON.parse(renderMessage(message, { ...view, extension: "" })));
}

/** `-830` hundred-thousandths of a dollar are `-0.00830`. */
function dollars(price: number): string {
  if (price !== priced) [priced, dollarsText] = [price, (price / 100_000).toFixed(5)];
  return dollarsText;
}
/** Neighbours in a list mostly cost the same. */
let [priced, dollarsText] = [0, "0.00000"];

function textOrNull(text: string | null): string {
  return text === null ? "null" : quoted(text);
}

/** What stands around the messages of a page; links are relative to https://api.twilio.com. */
export interface PageFrame {
  readonly page: number;
  readonly pageSize: number;
  readonly start: number;
  readonly end: number;
  readonly uri: string;
  readonly firstPageUri: string;
  readonly previousPageUri: string | null;
  readonly nextPageUri: string | null;
}

const comma = Buffer.from(", ");

/** In pieces. @param messages what `renderMessage` says of each, in bytes, so that nothing is encoded anew */
export function renderMessagePage(page: PageFrame, messages: readonly Uint8Array[]): readonly Uint8Array[] {
  const head = Buffer.from(
    `{"first_page_uri": ${quoted(page.firstPageUri)}, "end": ${page.end}, ` +
      `"previous_page_uri": ${textOrNull(page.previousPageUri)}, "messages": [`,
  );
  const tail = Buffer.from(
    `], "uri": ${quoted(page.uri)}, "page_size": ${page.pageSize}, "start": ${page.start}, ` +
      `"next_page_uri": ${textOrNull(page.nextPageUri)}, "page": ${page.page}}`,
  );
  const parts: Uint8Array[] = [head];
  for (const message of messages) parts.push(message, comma);
  if (messages.length > 0) parts.pop();
  parts.push(tail);
  return parts;
}

export function renderMessagePageXml(page: PageFrame, messages: readonly ShownMessage[], now: number): string {
  const attributes = xmlAttributes({
    end: page.end,
    firstpageuri: page.firstPageUri,
    nextpageuri: page.nextPageUri,
    page: page.page,
    pagesize: page.pageSize,
    previouspageuri: page.previousPageUri,
    start: page.start,
    uri: page.uri,
  });
  const elements = messages.map((message) => messageElement(message, { now })).join("");
  return xmlEnvelope(`<Messages${attributes}>${elements}</Messages>`);
}
