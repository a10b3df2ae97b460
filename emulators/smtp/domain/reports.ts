import { formatAddress, grouped, mailDate, textPart, words } from "./compose.ts";

export interface ReportedMail {
  readonly id: string;
  /** Envelope sender: where the report goes. */
  readonly mailFrom: string;
  readonly recipient: string;
  /** ORCPT and ENVID as the sender gave them. */
  readonly originalRecipient: string | undefined;
  readonly envelopeId: string | undefined;
  /** FULL returns the whole message, everything else its header. */
  readonly returnFull: boolean;
  readonly arrivedAt: number;
  readonly reportedAt: number;
  readonly server: string;
  readonly raw: Buffer;
}

/** A delivery status notification (RFC 3464 in RFC 6522); `action` is failed, delayed or delivered. */
export function statusNotification(
  mail: ReportedMail,
  result: { readonly action: "failed" | "delayed" | "delivered"; readonly status: string; readonly text: string },
): Buffer {
  const code = result.status.startsWith("2") ? 250 : result.status.startsWith("4") ? 451 : 550;
  const perMessage = fields([
    ["Reporting-MTA", `dns; ${mail.server}`],
    ["Original-Envelope-Id", mail.envelopeId],
    ["Arrival-Date", mailDate(mail.arrivedAt)],
  ]);
  const perRecipient = fields([
    ["Original-Recipient", mail.originalRecipient],
    ["Final-Recipient", `rfc822; ${mail.recipient}`],
    ["Action", result.action],
    ["Status", result.status],
    ["Remote-MTA", `dns; mx.${mail.recipient.slice(mail.recipient.lastIndexOf("@") + 1)}`],
    ["Diagnostic-Code", `smtp; ${code} ${result.status} ${result.text}`],
    ["Last-Attempt-Date", mailDate(mail.reportedAt)],
    ["Will-Retry-Until", result.action === "delayed" ? mailDate(mail.reportedAt + 4 * 86_400_000) : undefined],
  ]);
  const subject = {
    failed: "Undelivered Mail Returned to Sender",
    delayed: "Delayed Mail (still being retried)",
    delivered: "Successful Mail Delivery Report",
  }[result.action];
  const human = `This is the mail system at host ${mail.server}.\n\n<${mail.recipient}>: ${result.action}\n    ${code} ${result.status} ${result.text}\n`;
  return report(mail, {
    type: "delivery-status",
    subject,
    human,
    machine: `Content-Type: message/delivery-status\r\n\r\n${perMessage}\r\n${perRecipient}`,
    from: { name: "Mail Delivery System", address: `MAILER-DAEMON@${mail.server}` },
  });
}

/** A complaint as mailbox providers send it to senders (RFC 5965). */
export function abuseReport(mail: ReportedMail): Buffer {
  const machine = fields([
    ["Feedback-Type", "abuse"],
    ["User-Agent", "Backlot/1"],
    ["Version", "1"],
    ["Original-Mail-From", `<${mail.mailFrom}>`],
    ["Original-Rcpt-To", `<${mail.recipient}>`],
    ["Arrival-Date", mailDate(mail.arrivedAt)],
    ["Reporting-MTA", `dns; ${mail.server}`],
  ]);
  return report(mail, {
    type: "feedback-report",
    subject: "Email Feedback Report",
    human: `This is an email abuse report for a message received for ${mail.recipient}.\n`,
    machine: `Content-Type: message/feedback-report\r\n\r\n${machine}`,
    from: { name: "Feedback Loop", address: `feedback@${mail.server}` },
  });
}

/** An answer that nobody wrote (RFC 3834). */
export function autoReply(mail: ReportedMail, subject: string, messageId: string): Buffer {
  const head = fields([
    ["From", formatAddress({ name: "", address: mail.recipient })],
    ["To", formatAddress({ name: "", address: mail.mailFrom })],
    ["Subject", words(`Out of office: ${subject}`)],
    ["Date", mailDate(mail.reportedAt)],
    ["Message-ID", `<ooo.${mail.id}@${mail.server}>`],
    ["In-Reply-To", messageId === "" ? undefined : `<${messageId}>`],
    ["Auto-Submitted", "auto-replied"],
    ["MIME-Version", "1.0"],
  ]);
  return Buffer.from(
    `${head}${textPart("text/plain", "I am out of the office and will answer when I am back.\n")}\r\n`,
  );
}

function report(
  mail: ReportedMail,
  parts: { type: string; subject: string; human: string; machine: string; from: { name: string; address: string } },
): Buffer {
  const head = fields([
    ["From", formatAddress(parts.from)],
    ["To", formatAddress({ name: "", address: mail.mailFrom })],
    ["Subject", parts.subject],
    ["Date", mailDate(mail.reportedAt)],
    ["Message-ID", `<${parts.type}.${mail.id}@${mail.server}>`],
    ["Auto-Submitted", "auto-replied"],
    ["MIME-Version", "1.0"],
  ]);
  const end = mail.raw.indexOf("\r\n\r\n");
  const returned = mail.returnFull || end === -1 ? mail.raw : mail.raw.subarray(0, end + 2);
  const original = `Content-Type: ${mail.returnFull ? "message/rfc822" : "text/rfc822-headers"}\r\n\r\n${returned.toString("latin1")}`;
  const body = grouped("report", [textPart("text/plain", parts.human), parts.machine, original], mail.id);
  return Buffer.from(
    head + body.replace("multipart/report;", `multipart/report; report-type=${parts.type};`),
    "latin1",
  );
}

function fields(list: readonly (readonly [name: string, value: string | undefined])[]): string {
  return list
    .map(([name, value]) => (value === undefined ? "" : `${name}: ${value.replaceAll(/[\0\n\r](?! )/g, " ")}\r\n`))
    .join("");
}
