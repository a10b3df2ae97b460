/** Words that recipients unsubscribe with. The whole body counts, trimmed and in any case. https://www.twilio.com/docs/api/errors/21610 */

export type Keyword = "STOP" | "START" | "HELP";

const words: Readonly<Record<Keyword, readonly string[]>> = {
  STOP: ["STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"],
  START: ["START", "YES", "UNSTOP"],
  HELP: ["HELP", "INFO"],
};

export function keywordOf(body: string): Keyword | undefined {
  const word = body.trim().toUpperCase();
  if (words.STOP.includes(word)) return "STOP";
  if (words.START.includes(word)) return "START";
  return words.HELP.includes(word) ? "HELP" : undefined;
}

export const autoReplies: Readonly<Record<Keyword, string>> = {
  STOP:
    "You have successfully been unsubscribed. You will not receive any more messages from this number. " +
    "Reply START to resubscribe.",
  START:
    "You have successfully been re-subscribed to messages from this number. Reply HELP for help. Reply STOP to " +
    "unsubscribe. Msg&Data Rates May Apply.",
  HELP: "Reply STOP to unsubscribe. Msg&Data Rates May Apply.",
};

/** `scope` is the sending number, or the messaging service for all its numbers. */
export function optOutKey(accountSid: string, scope: string, recipient: string): string {
  return `${accountSid}/${scope}/${recipient}`;
}
