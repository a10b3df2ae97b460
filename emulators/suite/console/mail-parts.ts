/**
 * Captured mail for the console's frames and links: its HTML with embedded images in place, and its attachments. Both come
 * from strangers, so the HTML leaves with a policy that runs nothing and loads nothing, and attachments only download.
 */
import type { Hono } from "hono";
import type { Attachment, Email } from "postal-mime";
import type { KernelEnv } from "../../kernel/emulator.ts";
import { answer } from "../../kernel/exchange.ts";
import { ControlError } from "../../kernel/plain-errors.ts";
import { guarded, type Member, MemberError } from "../member.ts";

const frameHeaders = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy":
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox",
  // The console frames it; frame-ancestors says the same to newer browsers.
  "x-frame-options": "SAMEORIGIN",
};

export function mailRoutes(control: Hono<KernelEnv>, members: readonly Member[], base: string): void {
  control.get(`${base}/:id/html`, async (c) => {
    const mail = await read(members, c.req.param("id"));
    return answer(c.env.exchange, 200, withImages(mail), frameHeaders);
  });
  control.get(`${base}/:id/parts/:n{[0-9]+}`, async (c) => {
    const mail = await read(members, c.req.param("id"));
    const n = Number(c.req.param("n"));
    const part = mail.attachments[n];
    if (!part) throw new ControlError(404, "no_such_part", `The message has ${mail.attachments.length} attachments.`);
    return answer(c.env.exchange, 200, bytesOf(part), {
      "content-type": "application/octet-stream",
      "content-disposition": `attachment; filename*=UTF-8''${encodeURIComponent(part.filename ?? `part-${n}`).replace(/['()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16)}`)}`,
    });
  });
  control.get(`${base}/:id/parts`, async (c) => {
    const { attachments } = await read(members, c.req.param("id"));
    const parts = attachments.map((part, n) => ({
      n,
      filename: part.filename,
      contentType: part.mimeType,
      size: bytesOf(part).length,
      inline: part.related === true,
    }));
    return answer(c.env.exchange, 200, JSON.stringify({ parts }), { "content-type": "application/json" });
  });
}

async function read(members: readonly Member[], id: string): Promise<Email> {
  const member = members.find(({ name }) => name === "smtp");
  if (!member) throw new ControlError(404, "unknown_emulator", "SMTP is not running here.");
  const response = await guarded(
    member.request("GET", `/_backlot/smtp/messages/${encodeURIComponent(id)}/raw`).catch((cause: unknown) => {
      throw new MemberError("smtp", 502, String(cause));
    }),
  );
  if (!response.ok) throw new ControlError(response.status, "not_found", `There is no message ${id}.`);
  const { default: PostalMime } = await import("postal-mime"); // only who reads mail here needs a parser
  return PostalMime.parse(await response.arrayBuffer(), { attachmentEncoding: "arraybuffer" });
}

function bytesOf({ content }: Attachment): Uint8Array {
  return typeof content === "string" ? Buffer.from(content, "base64") : new Uint8Array(content);
}

/** `cid:` links become the images themselves: the frame may load nothing. */
function withImages({ html, attachments }: Email): string {
  if (html === undefined) return "<!doctype html><p>This message has no HTML part.</p>";
  const byId = new Map(attachments.map((part) => [part.contentId?.replace(/^<|>$/g, ""), part]));
  return html.replace(/\bcid:([^"'\s)>]+)/gi, (link, id: string) => {
    const part = byId.get(decode(id));
    if (!part || !/^image\/[\w.+-]+$/.test(part.mimeType)) return link;
    return `data:${part.mimeType};base64,${Buffer.from(bytesOf(part)).toString("base64")}`;
  });
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // not percent-encoded after all
  }
}
