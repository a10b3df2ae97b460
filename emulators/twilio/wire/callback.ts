/** Twilio's own requests to applications, before they are signed. */
import type { Callback } from "../../kernel/webhook.ts";
import type { Message } from "../domain/message.ts";
import { errorMessages } from "../domain/message-life.ts";
import { withQuery } from "../domain/signature.ts";

/** The webhook scheme that signs them. */
export const schemeName = "twilio";
const formType = "application/x-www-form-urlencoded; charset=UTF-8";

/** A request in Twilio's form: parameters in the body of a POST, in the query of a GET. */
export function twilioCallback(request: {
  readonly type: string;
  readonly subject: string;
  readonly accountSid: string;
  readonly occurredAt: number;
  readonly method: "GET" | "POST";
  readonly url: string;
  readonly parameters: readonly (readonly [string, string])[];
}): Callback {
  const { type, subject, accountSid, occurredAt, method, url } = request;
  const parameters = new URLSearchParams(
    request.parameters.map(([name, value]): [string, string] => [name, value]),
  ).toString();
  const isGet = method === "GET";
  return {
    type,
    subject,
    occurredAt,
    scheme: schemeName,
    credential: accountSid,
    method,
    url: isGet && parameters !== "" ? withQuery(url, parameters) : url,
    contentType: formType,
    body: isGet ? "" : parameters,
  };
}

/** What a StatusCallback is told of a message that has just entered its present status; `channelSid` sent it by WhatsApp. */
export function statusCallback(message: Message, url: string, at: number, channelSid?: string): Callback {
  const { sid, status, errorCode, messagingServiceSid } = message;
  const parameters: [string, string][] = [];
  if (errorCode !== null) parameters.push(["ErrorCode", String(errorCode)]);
  if (channelSid !== undefined) {
    const [channel = "", number = ""] = message.to.split(":");
    parameters.push(["ChannelInstallSid", channelSid], ["ChannelPrefix", channel], ["ChannelToAddress", number]);
    if (status === "read") parameters.push(["EventType", "READ"]);
    if (errorCode !== null) parameters.push(["ChannelStatusMessage", errorMessages[errorCode] ?? ""]);
  } else if (status === "delivered" || status === "undelivered") parameters.push(["RawDlrDoneDate", receiptTime(at)]);
  parameters.push(["SmsSid", sid], ["SmsStatus", status], ["MessageStatus", status], ["To", message.to]);
  if (messagingServiceSid !== null) parameters.push(["MessagingServiceSid", messagingServiceSid]);
  parameters.push(["MessageSid", sid], ["AccountSid", message.accountSid], ["From", message.from ?? ""]);
  parameters.push(["ApiVersion", "2010-04-01"]);
  return twilioCallback({
    type: `message.${status}`,
    subject: sid,
    accountSid: message.accountSid,
    occurredAt: at,
    method: "POST",
    url,
    parameters,
  });
}

/** `YYMMDDhhmm`, as carriers write it. */
function receiptTime(at: number): string {
  return new Date(at).toISOString().replace(/\D/g, "").slice(2, 12);
}
