import type { Hono } from "hono";
import type { KernelEnv } from "../../kernel/emulator.ts";
import { answer } from "../../kernel/exchange.ts";

const about = `Backlot's mailbox: everything that was sent by SMTP to this emulator, and nothing that left it.

Mailpit's API v1 (also under /mailpit)
  GET    /api/v1/messages?start=0&limit=50      GET /api/v1/search?query=subject:hello
  GET    /api/v1/message/{id|latest}, /headers, /raw, /part/{partID}
  POST   /api/v1/send                           GET /view/{id|latest}.html

MailHog's API (also under /mailhog, there with GET /api/v1/messages as MailHog has it)
  GET    /api/v2/messages?start=0&limit=50      GET /api/v2/search?kind=from|to|containing&query=...
  GET    /api/v1/messages/{id}                  GET /api/v1/events

MailDev's API, versions 2 and 3 (also under /maildev)
  GET    /email, /email/{id}                    GET /api/email, /api/email/summary

Backlot's own
  GET    /_backlot/smtp/messages/wait?query=...&timeoutMs=5000
  POST   /_backlot/smtp/messages/take           GET /_backlot/smtp/inboxes
  GET    /_backlot/smtp/messages/{id}, /links, /codes, /events, /envelope, /transcript, /raw
  POST   /_backlot/faults                       GET /_backlot/health
`;

export function root(app: Hono<KernelEnv>): void {
  app.get("/", (c) => {
    c.env.exchange.note("operation", "GET /");
    return answer(c.env.exchange, 200, about, { "content-type": "text/plain; charset=utf-8" });
  });
}
