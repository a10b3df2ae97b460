import type { Hono } from "hono";
import type { KernelEnv } from "../../kernel/emulator.ts";
import { answer } from "../../kernel/exchange.ts";

const about = `Backlot's mailbox: everything that was sent by SMTP to this emulator, and nothing that left it.

MailHog's API
  GET    /api/v2/messages?start=0&limit=50
  GET    /api/v2/search?kind=from|to|containing&query=...
  GET    /api/v1/messages             DELETE /api/v1/messages
  GET    /api/v1/messages/{id}        DELETE /api/v1/messages/{id}
  GET    /api/v1/messages/{id}/download
  GET    /api/v1/messages/{id}/mime/part/{n}/download

Backlot's own
  GET    /_backlot/smtp/messages      DELETE /_backlot/smtp/messages
  GET    /_backlot/smtp/messages/{id}/raw, /envelope, /transcript
  GET    /_backlot/health
`;

export function root(app: Hono<KernelEnv>): void {
  app.get("/", (c) => {
    c.env.exchange.note("operation", "GET /");
    return answer(c.env.exchange, 200, about, { "content-type": "text/plain; charset=utf-8" });
  });
}
