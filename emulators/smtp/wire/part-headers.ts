import type { Content } from "../domain/mailhog-mime.ts";

/** Those of a part's headers that describe its content and are safe to send as headers of HTTP. */
const passed = /^(?:content-(?:type|disposition|id|description|language|location|transfer-encoding)|x-[a-z0-9-]+)$/;
const printable = /^[\x20-\x7e\x80-\xff]*$/;

/**
 * The headers of a downloaded part: its own, as MailHog sends them, in a page that may run nothing, since the content is
 * whatever a test put in a mail. `encoding` is the lower-case Content-Transfer-Encoding.
 */
export function partHeaders(
  own: Content["headers"],
  name: string,
): { readonly headers: Record<string, string>; readonly encoding: string } {
  const headers: Record<string, string> = {
    "content-type": "application/octet-stream",
    "content-disposition": `attachment; filename="${name}"`,
  };
  for (const [header, values] of Object.entries(own)) {
    const value = values.join(", ");
    if (passed.test(header.toLowerCase()) && printable.test(value)) headers[header.toLowerCase()] = value;
  }
  headers["content-security-policy"] = "sandbox; default-src 'none'";
  headers["x-content-type-options"] = "nosniff";
  return { headers, encoding: headers["content-transfer-encoding"]?.trim().toLowerCase() ?? "" };
}
