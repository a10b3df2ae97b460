/** What an application is told of a message that came in, in the order of the wire. */
import { placeOf } from "../domain/geography.ts";
import { contentTypeOf } from "../domain/media-type.ts";
import type { Message } from "../domain/message.ts";

type Parameters = readonly (readonly [string, string])[];

export function inboundParameters(
  message: Message,
  media: readonly { readonly sid: string; readonly source: string }[],
  optOutType: string | undefined,
): Parameters {
  const { sid, accountSid, to, body, messagingServiceSid, numSegments } = message;
  const from = message.from ?? "";
  const service: Parameters = messagingServiceSid === null ? [] : [["MessagingServiceSid", messagingServiceSid]];
  const optOut: Parameters = optOutType === undefined ? [] : [["OptOutType", optOutType]];
  const attached = media.flatMap(
    ({ sid: mediaSid, source }, n): Parameters => [
      [`MediaContentType${n}`, contentTypeOf(source)],
      [`MediaUrl${n}`, `https://api.twilio.com/2010-04-01/Accounts/${accountSid}/Messages/${sid}/Media/${mediaSid}`],
    ],
  );
  if (from.startsWith("whatsapp:"))
    return [
      ["SmsMessageSid", sid],
      ["NumMedia", String(media.length)],
      ["ProfileName", ""],
      ["MessageType", media.length > 0 ? "image" : "text"],
      ["SmsSid", sid],
      ["WaId", from.replace(/\D/g, "")],
      ["SmsStatus", "received"],
      ["Body", body],
      ["To", to],
      ...service,
      ["NumSegments", String(numSegments)],
      ["ReferralNumMedia", "0"],
      ["MessageSid", sid],
      ["AccountSid", accountSid],
      ["From", from],
      ...attached,
      ["ApiVersion", "2010-04-01"],
    ];
  const [here, there] = [placeOf(to), placeOf(from)];
  return [
    ["ToCountry", here.Country],
    ["ToState", here.State],
    ["SmsMessageSid", sid],
    ["NumMedia", String(media.length)],
    ["ToCity", here.City],
    ["FromZip", there.Zip],
    ["SmsSid", sid],
    ["FromState", there.State],
    ["SmsStatus", "received"],
    ["FromCity", there.City],
    ["Body", body],
    ["FromCountry", there.Country],
    ["To", to],
    ...service,
    ["ToZip", here.Zip],
    ...optOut,
    ["NumSegments", String(numSegments)],
    ["MessageSid", sid],
    ["AccountSid", accountSid],
    ["From", from],
    ...attached,
    ["ApiVersion", "2010-04-01"],
  ];
}
