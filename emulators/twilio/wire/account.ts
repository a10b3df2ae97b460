import type { Account } from "../store.ts";
import { rfc2822 } from "./dates.ts";

const subresources = [
  ["available_phone_numbers", "AvailablePhoneNumbers"],
  ["calls", "Calls"],
  ["conferences", "Conferences"],
  ["incoming_phone_numbers", "IncomingPhoneNumbers"],
  ["notifications", "Notifications"],
  ["outgoing_caller_ids", "OutgoingCallerIds"],
  ["recordings", "Recordings"],
  ["transcriptions", "Transcriptions"],
  ["addresses", "Addresses"],
  ["signing_keys", "SigningKeys"],
  ["connect_apps", "ConnectApps"],
  ["sip", "SIP"],
  ["authorized_connect_apps", "AuthorizedConnectApps"],
  ["usage", "Usage"],
  ["keys", "Keys"],
  ["applications", "Applications"],
  ["short_codes", "SMS/ShortCodes"],
  ["queues", "Queues"],
  ["messages", "Messages"],
  ["balance", "Balance"],
] as const;

/** An account as the 2010 API shows it; `extension` is `.json`, or nothing in XML. */
export function renderAccount(account: Account, extension: "" | ".json"): Record<string, unknown> {
  const path = `/2010-04-01/Accounts/${account.sid}`;
  return {
    auth_token: account.authToken,
    date_created: rfc2822(account.createdAt),
    date_updated: rfc2822(account.updatedAt),
    friendly_name: account.friendlyName,
    owner_account_sid: account.ownerSid,
    sid: account.sid,
    status: account.status,
    subresource_uris: Object.fromEntries(subresources.map(([name, last]) => [name, `${path}/${last}${extension}`])),
    type: account.type,
    uri: `${path}${extension}`,
  };
}
