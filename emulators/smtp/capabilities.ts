import type { Capability } from "../kernel/emulator.ts";

const smtp = ["contract/smtp-session", "contract/smtp-nodemailer"];
const mailhog = ["contract/smtp-mailhog"];

export const capabilities = [
  { operation: "SMTP EHLO, HELO", status: "full", provedBy: smtp },
  { operation: "SMTP MAIL, RCPT, DATA", status: "full", provedBy: smtp },
  { operation: "SMTP RSET, NOOP, QUIT, VRFY, HELP", status: "full", provedBy: smtp },
  { operation: "SMTP PIPELINING, 8BITMIME, SMTPUTF8, SIZE, ENHANCEDSTATUSCODES", status: "full", provedBy: smtp },
  { operation: "SMTP AUTH PLAIN, LOGIN, CRAM-MD5, XOAUTH2", status: "full", provedBy: ["contract/smtp-session"] },
  { operation: "SMTP STARTTLS, implicit TLS", status: "full", provedBy: ["contract/smtp-tls"] },
  {
    operation: "SMTP DSN",
    status: "partial",
    provedBy: ["contract/smtp-session"],
    note: "parameters are recorded with the envelope; no delivery status notification is sent",
  },
  { operation: "SMTP BDAT, BINARYMIME, ETRN, EXPN", status: "absent", provedBy: [] },
  { operation: "event email.accepted", status: "full", provedBy: ["contract/smtp-events"] },
  { operation: "event email.delivered", status: "full", provedBy: ["contract/smtp-events"] },
  { operation: "event email.deferred, bounced, complained, opened, clicked", status: "absent", provedBy: [] },
  { operation: "GET /", status: "full", provedBy: mailhog },
  { operation: "GET /api/v2/messages", status: "full", provedBy: mailhog },
  { operation: "GET /api/v2/search", status: "full", provedBy: mailhog },
  {
    operation: "GET /api/v2/outgoing-smtp",
    status: "partial",
    provedBy: mailhog,
    note: "always empty: nothing is relayed",
  },
  { operation: "GET /api/v2/jim", status: "partial", provedBy: mailhog, note: "404, as from a MailHog without Jim" },
  { operation: "GET /api/v1/messages", status: "full", provedBy: mailhog },
  { operation: "DELETE /api/v1/messages", status: "full", provedBy: mailhog },
  { operation: "GET /api/v1/messages/{id}", status: "full", provedBy: mailhog },
  { operation: "DELETE /api/v1/messages/{id}", status: "full", provedBy: mailhog },
  {
    operation: "GET /api/v1/messages/{id}/download",
    status: "full",
    provedBy: mailhog,
    note: "the bytes that were sent, where MailHog rebuilds the header in no order",
  },
  { operation: "GET /api/v1/messages/{id}/mime/part/{n}/download", status: "full", provedBy: mailhog },
  {
    operation: "POST /api/v1/messages/{id}/release",
    status: "absent",
    provedBy: [],
    note: "nothing leaves the machine",
  },
  { operation: "GET /api/v1/events", status: "absent", provedBy: [] },
  { operation: "GET /api/v2/websocket", status: "absent", provedBy: [] },
  { operation: "POST, PUT, DELETE /api/v2/jim", status: "absent", provedBy: [] },
  { operation: "Mailpit API v1", status: "absent", provedBy: [] },
  { operation: "MailDev API v2, v3", status: "absent", provedBy: [] },
] as const satisfies readonly Capability[];
