import * as z from "zod";
import { answerJson, type Exchange } from "../../../kernel/exchange.ts";
import { type Attachment, type Composition, compose } from "../../domain/compose.ts";
import { MailpitError } from "../../errors.ts";
import { isAddress } from "../../release.ts";
import { submit } from "../../submit.ts";
import { type App, jsonOf, type MailRuntime } from "./context.ts";

const Person = z.object({ Email: z.string().default(""), Name: z.string().default("") });
const list = <T extends z.ZodType>(item: T) =>
  z
    .array(item)
    .nullish()
    .transform((items) => items ?? []);
const SendRequest = z.object({
  From: Person.default({ Email: "", Name: "" }),
  To: list(Person),
  Cc: list(Person),
  Bcc: list(z.string()),
  ReplyTo: list(Person),
  Subject: z.string().default(""),
  Text: z.string().default(""),
  HTML: z.string().default(""),
  Headers: z.record(z.string(), z.string()).nullish(),
  Tags: list(z.string()),
  Attachments: list(
    z.object({
      Content: z.string(),
      Filename: z.string().default(""),
      ContentType: z.string().default(""),
      ContentID: z.string().default(""),
    }),
  ),
});
type SendRequest = z.output<typeof SendRequest>;

const reserved = ["to", "from", "cc", "bcc", "reply-to", "date", "subject", "content-type", "mime-version"];

export function mailpitSend(app: App, runtime: MailRuntime): void {
  app.post("/api/v1/send", (c) => {
    const { exchange } = c.env;
    exchange.note("operation", "POST /api/v1/send");
    const request = requestOf(exchange);
    const at = runtime.clock.now();
    const content = JSON.stringify(request);
    const key = runtime.ids.derive("smtp.send", [content]).hex(24);
    const raw = compose(compositionOf(request, { at, key, host: runtime.state.profile()?.name ?? "localhost" }));
    const recipients = [...request.To, ...request.Cc].map(({ Email }) => Email).concat(request.Bcc);
    const { id } = submit(runtime, {
      raw,
      mailFrom: request.From.Email,
      recipients,
      username: basicUser(exchange),
      remote: exchange.remote,
    });
    exchange.note("resource", id);
    return answerJson(exchange, 200, { ID: id });
  });
}

function requestOf(exchange: Exchange): SendRequest {
  const fail = (message: string): never => {
    throw new MailpitError(400, message, true);
  };
  let given: unknown;
  try {
    given = jsonOf(exchange);
  } catch (cause) {
    return fail(cause instanceof Error ? cause.message : String(cause));
  }
  const parsed = SendRequest.safeParse(given);
  if (!parsed.success)
    return fail(`json: ${parsed.error.issues[0]?.path.join(".")}: ${parsed.error.issues[0]?.message}`);
  const request = parsed.data;
  for (const [field, people] of [
    ["To", request.To],
    ["Cc", request.Cc],
    ["Reply-To", request.ReplyTo],
  ] as const)
    for (const { Email } of people) if (!isAddress(Email)) fail(`invalid ${field} address: ${Email}`);
  for (const email of request.Bcc) if (!isAddress(email)) fail(`invalid Bcc address: ${email}`);
  if (request.From.Email === "") fail("error building message: from not set");
  if (request.To.length + request.Cc.length + request.Bcc.length === 0)
    fail("error building message: no recipients (to, cc, bcc) set");
  const taken = request.Tags.length > 0 ? [...reserved, "x-tags"] : reserved;
  for (const [name, value] of Object.entries(request.Headers ?? {})) {
    if (taken.includes(name.toLowerCase())) fail(`cannot overwrite header: "${name}"`);
    if (!/^[\x21-\x39\x3b-\x7e]+$/.test(name) || /[\r\n]/.test(value)) fail(`invalid header: "${name}"`);
  }
  return request;
}

function compositionOf(request: SendRequest, made: { at: number; key: string; host: string }): Composition {
  const people = (list: SendRequest["To"]) => list.map(({ Name, Email }) => ({ name: Name, address: Email }));
  const headers = Object.entries(request.Headers ?? {});
  const ownId = headers.find(([name]) => name.toLowerCase() === "message-id")?.[1];
  return {
    from: { name: request.From.Name, address: request.From.Email },
    to: people(request.To),
    cc: people(request.Cc),
    bcc: [], // a Bcc header would show the others who they are; the envelope has them
    replyTo: people(request.ReplyTo),
    subject: request.Subject,
    messageId: ownId ?? `<${made.key}@${made.host}>`,
    date: made.at,
    headers: [
      ...(request.Tags.length > 0 ? [["X-Tags", request.Tags.join(", ")] as const] : []),
      ...headers.filter(([name]) => name.toLowerCase() !== "message-id"),
    ],
    text: request.Text,
    html: request.HTML,
    attachments: request.Attachments.map(attachmentOf),
    key: made.key,
  };
}

function attachmentOf(given: SendRequest["Attachments"][number]): Attachment {
  // What a browser reads as a data: URL brings its type in front of the comma.
  const encoded = given.Content.slice(given.Content.lastIndexOf(",") + 1).replaceAll(/\s/g, "");
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(encoded) || encoded.length % 4 !== 0)
    throw new MailpitError(400, `error decoding base64 attachment "${given.Filename}": illegal base64 data`, true);
  const content = Buffer.from(encoded, "base64");
  const type = given.ContentType === "" ? sniff(content) : given.ContentType;
  return { filename: given.Filename, contentType: type, contentId: given.ContentID, content };
}

const signatures: readonly (readonly [bytes: string, type: string])[] = [
  ["89504e470d0a1a0a", "image/png"],
  ["ffd8ff", "image/jpeg"],
  ["47494638", "image/gif"],
  ["255044462d", "application/pdf"],
  ["504b0304", "application/zip"],
  ["1f8b08", "application/x-gzip"],
];

/** The type of content that comes without one, by its first bytes. */
function sniff(content: Buffer): string {
  const start = content.toString("hex", 0, 8);
  const known = signatures.find(([bytes]) => start.startsWith(bytes));
  if (known) return known[1];
  if (/^\s*<(?:!doctype html|html|head|body|script)/i.test(content.toString("latin1", 0, 64)))
    return "text/html; charset=utf-8";
  return content.includes(0) ? "application/octet-stream" : "text/plain; charset=utf-8";
}

function basicUser(exchange: Exchange): string | undefined {
  const encoded = /^Basic (\S+)$/i.exec(exchange.header("authorization") ?? "")?.[1];
  return encoded === undefined ? undefined : Buffer.from(encoded, "base64").toString("utf8").split(":", 1)[0];
}
