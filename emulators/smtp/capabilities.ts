import type { Capability } from "../kernel/emulator.ts";
import { dialects } from "./capabilities-dialects.ts";

const smtp = ["contract/smtp-session", "contract/smtp-nodemailer"];
const faults = ["contract/smtp-faults"];
const lives = ["contract/smtp-lives"];
const own = ["contract/smtp-control"];

export const capabilities = [
  { operation: "SMTP EHLO, HELO", status: "full", provedBy: smtp },
  {
    operation: "SMTP MAIL, RCPT, DATA",
    status: "full",
    provedBy: [...smtp, "contract/smtp-hard", "contract/smtp-clients"],
  },
  { operation: "SMTP RSET, NOOP, QUIT, VRFY, HELP", status: "full", provedBy: smtp },
  { operation: "SMTP PIPELINING, 8BITMIME, SMTPUTF8, SIZE, ENHANCEDSTATUSCODES", status: "full", provedBy: smtp },
  { operation: "SMTP AUTH PLAIN, LOGIN, CRAM-MD5, XOAUTH2", status: "full", provedBy: ["contract/smtp-session"] },
  { operation: "SMTP STARTTLS, implicit TLS", status: "full", provedBy: ["contract/smtp-tls"] },
  { operation: "SMTP DSN", status: "full", provedBy: ["contract/smtp-session", ...lives] },
  { operation: "SMTP BDAT, BINARYMIME, ETRN, EXPN", status: "absent", provedBy: [] },
  {
    operation: "planned faults at connect, command, helo, starttls, auth, mail, rcpt, data, eod",
    status: "full",
    provedBy: [...faults, "contract/smtp-tls"],
  },
  { operation: "magic recipients", status: "full", provedBy: [...faults, ...lives] },
  { operation: "event email.accepted", status: "full", provedBy: ["contract/smtp-events"] },
  { operation: "event email.delivered", status: "full", provedBy: ["contract/smtp-events"] },
  { operation: "event email.deferred, bounced, complained, replied, clicked", status: "full", provedBy: lives },
  {
    operation: "event email.opened, unsubscribed",
    status: "partial",
    provedBy: lives,
    note: "by magic recipient or by request, never by loading an image or following a link",
  },
  {
    operation: "events in SendGrid's, Mailgun's, Postmark's, SES's and Resend's words",
    status: "partial",
    provedBy: lives,
    note: "read from the control API; webhooks go out in Backlot's own form, signed by Standard Webhooks",
  },
  {
    operation: "GET /_backlot/smtp/messages, /messages/{id}, /raw, /envelope, /transcript",
    status: "full",
    provedBy: own,
  },
  { operation: "GET /_backlot/smtp/messages/wait, POST /messages/take", status: "full", provedBy: own },
  { operation: "GET /_backlot/smtp/messages/{id}/links, /codes", status: "full", provedBy: own },
  { operation: "GET, POST /_backlot/smtp/messages/{id}/events", status: "full", provedBy: lives },
  { operation: "GET, DELETE /_backlot/smtp/inboxes", status: "full", provedBy: own },
  { operation: "GET /_backlot/smtp/export", status: "full", provedBy: own },
  ...dialects,
  {
    operation: "POP3 USER, PASS, STAT, LIST, UIDL, RETR, TOP, DELE, RSET, NOOP, CAPA, QUIT",
    status: "full",
    provedBy: ["contract/smtp-pop3"],
    note: "a user name that is an address sees the mail to it, any other the whole mailbox; off unless BACKLOT_POP3_PORT is set",
  },
  { operation: "POP3 STLS, APOP, AUTH", status: "absent", provedBy: [] },
] as const satisfies readonly Capability[];
