import type { Capability } from "../kernel/emulator.ts";

const mailhog = ["contract/smtp-mailhog", "contract/smtp-clients"];
const mailpit = ["contract/smtp-mailpit"];
const maildev = ["contract/smtp-maildev"];
const live = ["contract/smtp-live"];
const relay = ["contract/smtp-release"];

/** The mailbox APIs that test suites already speak. */
export const dialects = [
  { operation: "GET /", status: "full", provedBy: mailhog },
  { operation: "Mailpit GET /api/v1/messages", status: "full", provedBy: mailpit },
  { operation: "Mailpit PUT, DELETE /api/v1/messages", status: "full", provedBy: mailpit },
  {
    operation: "Mailpit GET, DELETE /api/v1/search",
    status: "partial",
    provedBy: mailpit,
    note: "looks at the first 65536 characters of a message's text",
  },
  {
    operation: "Mailpit GET /api/v1/message/{id}",
    status: "full",
    provedBy: mailpit,
    note: "its texts have line feeds, where Mailpit keeps the line ends that were sent",
  },
  { operation: "Mailpit GET /api/v1/message/{id}/headers, /raw", status: "full", provedBy: mailpit },
  { operation: "Mailpit GET /api/v1/message/{id}/part/{partID}", status: "full", provedBy: mailpit },
  { operation: "Mailpit GET /api/v1/message/{id}/part/{partID}/thumb", status: "absent", provedBy: [] },
  {
    operation: "Mailpit GET /api/v1/message/{id}/html-check",
    status: "absent",
    provedBy: [],
    note: "needs the tables of caniemail.com",
  },
  {
    operation: "Mailpit GET /api/v1/message/{id}/link-check",
    status: "partial",
    provedBy: mailpit,
    note: "lists the links with status 451: none is called",
  },
  {
    operation: "Mailpit GET /api/v1/message/{id}/sa-check",
    status: "partial",
    provedBy: mailpit,
    note: "400, as without SpamAssassin",
  },
  {
    operation: "Mailpit POST /api/v1/message/{id}/release",
    status: "full",
    provedBy: relay,
    note: "to BACKLOT_MAIL_RELAY; Date and Message-ID stay as they were sent",
  },
  { operation: "Mailpit POST /api/v1/send", status: "full", provedBy: mailpit },
  { operation: "Mailpit GET, PUT, DELETE /api/v1/tags", status: "full", provedBy: mailpit },
  { operation: "Mailpit GET, PUT /api/v1/chaos", status: "full", provedBy: ["contract/smtp-faults"] },
  {
    operation: "Mailpit GET /api/v1/info, /api/v1/webui, /livez, /readyz, /metrics",
    status: "full",
    provedBy: mailpit,
  },
  {
    operation: "Mailpit GET /api/v1/swagger.json",
    status: "partial",
    provedBy: mailpit,
    note: "paths and methods, without the fields of bodies",
  },
  { operation: "Mailpit GET /view/{id}.html, .txt", status: "full", provedBy: mailpit },
  { operation: "Mailpit WS /api/events", status: "full", provedBy: live },
  { operation: "MailHog GET /api/v2/messages", status: "full", provedBy: mailhog },
  { operation: "MailHog GET /api/v2/search", status: "full", provedBy: mailhog },
  {
    operation: "MailHog GET /api/v2/outgoing-smtp",
    status: "partial",
    provedBy: mailhog,
    note: "always empty: servers are named in the request to release",
  },
  {
    operation: "MailHog GET, POST, PUT, DELETE /api/v2/jim",
    status: "partial",
    provedBy: ["contract/smtp-faults"],
    note: "disconnects at DATA and not at any read; the link is slow for a message and not for a session",
  },
  {
    operation: "MailHog GET /api/v1/messages",
    status: "full",
    provedBy: mailhog,
    note: "under /mailhog, on BACKLOT_MAILHOG_PORT, and on the mailbox port with BACKLOT_MAIL_DIALECT=mailhog",
  },
  { operation: "MailHog DELETE /api/v1/messages", status: "full", provedBy: mailhog },
  {
    operation: "MailHog GET, DELETE /api/v1/messages/{id}",
    status: "partial",
    provedBy: mailhog,
    note: "shows the first MiB of a message larger than 10 MiB",
  },
  {
    operation: "MailHog GET /api/v1/messages/{id}/download",
    status: "full",
    provedBy: mailhog,
    note: "the bytes that were sent, where MailHog rebuilds the header in no order",
  },
  { operation: "MailHog GET /api/v1/messages/{id}/mime/part/{n}/download", status: "full", provedBy: mailhog },
  { operation: "MailHog POST /api/v1/messages/{id}/release", status: "full", provedBy: relay },
  { operation: "MailHog GET /api/v1/events", status: "full", provedBy: ["contract/smtp-clients"] },
  { operation: "MailHog WS /api/v2/websocket", status: "full", provedBy: live },
  {
    operation: "MailDev 2 GET /email, /email/{id}, /html, /source, /download, /attachment/{name}",
    status: "full",
    provedBy: maildev,
  },
  { operation: "MailDev 2 PATCH, DELETE /email", status: "full", provedBy: maildev },
  { operation: "MailDev 2 GET /config, /healthz, /reloadMailsFromDirectory", status: "full", provedBy: maildev },
  { operation: "MailDev 2 POST /email/{id}/relay/{to}", status: "full", provedBy: relay },
  { operation: "MailDev 3 /api/email, /api/email/summary, /api/email/delete", status: "full", provedBy: maildev },
  {
    operation: "MailDev socket.io newMail, deleteMail",
    status: "full",
    provedBy: live,
    note: "newMail carries what both versions tell",
  },
  { operation: "MailDev 3 /mcp", status: "absent", provedBy: [] },
] as const satisfies readonly Capability[];
