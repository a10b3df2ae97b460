import type { Mail, MailPart } from "./mail.ts";

const reference = /((?:src|href|background)\s*=\s*["']?|url\(["']?)cid:([^"'\s>)]+)/gi;

/** The page of a mail with its `cid:` addresses leading to the parts they name; those that name none stay. */
export function withPartAddresses(mail: Pick<Mail, "html" | "parts">, addressOf: (part: MailPart) => string): string {
  const named = new Map(mail.parts.filter(({ contentId }) => contentId !== "").map((part) => [part.contentId, part]));
  return mail.html.replaceAll(reference, (whole, before: string, id: string) => {
    const part = named.get(id);
    return part === undefined ? whole : `${before}${addressOf(part)}`;
  });
}
