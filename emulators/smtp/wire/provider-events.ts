import { createHash, createHmac } from "node:crypto";
import type { EventType } from "../domain/outcome.ts";

/** An event with what every provider tells about it. */
export interface ToldEvent {
  readonly type: EventType;
  readonly messageId: string;
  readonly recipient: string;
  readonly from: string;
  readonly subject: string;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly detail: Readonly<Record<string, string>>;
}

export const dialects = ["sendgrid", "mailgun", "postmark", "ses", "resend"] as const;
export type EventDialect = (typeof dialects)[number];

/** One event in a provider's words; undefined where that provider has no such event. `key` signs where the body does. */
export function renderEvent(dialect: EventDialect, event: ToldEvent, key: string): unknown {
  switch (dialect) {
    case "sendgrid":
      return sendgrid(event);
    case "mailgun":
      return mailgun(event, key);
    case "postmark":
      return postmark(event);
    case "ses":
      return ses(event);
    case "resend":
      return resend(event);
  }
}

type Names = Readonly<Partial<Record<EventType, string>>>;
const idOf = (event: ToldEvent, purpose: string) =>
  createHash("sha256")
    .update(`${purpose}\0${event.messageId}\0${event.recipient}\0${event.type}\0${event.at}`)
    .digest();
const seconds = (event: ToldEvent) => Math.floor(event.at / 1000);
const iso = (event: ToldEvent) => new Date(event.at).toISOString();
const permanent = (event: ToldEvent) => !(event.detail.status ?? "5").startsWith("4");

const sendgridNames: Names = {
  "email.accepted": "processed",
  "email.delivered": "delivered",
  "email.deferred": "deferred",
  "email.bounced": "bounce",
  "email.complained": "spamreport",
  "email.opened": "open",
  "email.clicked": "click",
  "email.unsubscribed": "unsubscribe",
};

/** Element of the array that SendGrid's Event Webhook posts. */
function sendgrid(event: ToldEvent): unknown {
  const name = sendgridNames[event.type];
  if (name === undefined) return undefined;
  const { status, response, url } = event.detail;
  return {
    email: event.recipient,
    timestamp: seconds(event),
    "smtp-id": `<${event.messageId}@smtp.backlot.test>`,
    event: name,
    sg_event_id: idOf(event, "sg").toString("base64url").slice(0, 22),
    sg_message_id: `${event.messageId}.recvd-backlot-1`,
    ...(name === "bounce" && {
      status: status ?? "5.0.0",
      reason: response ?? "",
      type: permanent(event) ? "bounce" : "blocked",
    }),
    ...(name === "deferred" && { response: response ?? "", attempt: "1" }),
    ...(name === "delivered" && { response: "250 OK" }),
    ...(url !== undefined && { url }),
  };
}

const mailgunNames: Names = {
  "email.accepted": "accepted",
  "email.delivered": "delivered",
  "email.deferred": "failed",
  "email.bounced": "failed",
  "email.complained": "complained",
  "email.opened": "opened",
  "email.clicked": "clicked",
  "email.unsubscribed": "unsubscribed",
};

/** Mailgun signs a timestamp and a token inside the body: HMAC-SHA256 over both. */
function mailgun(event: ToldEvent, key: string): unknown {
  const name = mailgunNames[event.type];
  if (name === undefined) return undefined;
  const timestamp = String(seconds(event));
  const token = idOf(event, "mailgun").toString("hex").slice(0, 50);
  const failed = name === "failed";
  return {
    signature: {
      timestamp,
      token,
      signature: createHmac("sha256", key)
        .update(timestamp + token)
        .digest("hex"),
    },
    "event-data": {
      event: name,
      id: idOf(event, "mg").toString("base64url").slice(0, 22),
      timestamp: event.at / 1000,
      recipient: event.recipient,
      message: {
        headers: {
          "message-id": `${event.messageId}@smtp.backlot.test`,
          from: event.from,
          to: event.recipient,
          subject: event.subject,
        },
      },
      ...(failed && {
        severity: event.type === "email.deferred" || !permanent(event) ? "temporary" : "permanent",
        "delivery-status": {
          code: permanent(event) ? 550 : 451,
          "enhanced-code": event.detail.status ?? "",
          message: event.detail.response ?? "",
        },
      }),
      ...(event.detail.url !== undefined && { url: event.detail.url }),
    },
  };
}

function postmark(event: ToldEvent): unknown {
  const common = { MessageID: event.messageId, Tag: "", MessageStream: "outbound", Metadata: {} };
  switch (event.type) {
    case "email.delivered":
      return {
        RecordType: "Delivery",
        ...common,
        Recipient: event.recipient,
        DeliveredAt: iso(event),
        Details: "250 OK",
      };
    case "email.bounced":
      return {
        RecordType: "Bounce",
        ID: idOf(event, "pm").readUInt32BE(0),
        Type: permanent(event) ? "HardBounce" : "SoftBounce",
        TypeCode: permanent(event) ? 1 : 4096,
        Name: permanent(event) ? "Hard bounce" : "Soft bounce",
        ...common,
        Description: event.detail.response ?? "",
        Details: `smtp;${event.detail.status ?? ""} ${event.detail.response ?? ""}`.trim(),
        Email: event.recipient,
        From: event.from,
        BouncedAt: iso(event),
        DumpAvailable: false,
        Inactive: permanent(event),
        CanActivate: permanent(event),
        Subject: event.subject,
      };
    case "email.complained":
      return {
        RecordType: "SpamComplaint",
        ID: idOf(event, "pm").readUInt32BE(0),
        Type: "SpamComplaint",
        TypeCode: 512,
        Name: "Spam complaint",
        ...common,
        Email: event.recipient,
        From: event.from,
        BouncedAt: iso(event),
        Subject: event.subject,
      };
    case "email.opened":
      return { RecordType: "Open", ...common, FirstOpen: true, Recipient: event.recipient, ReceivedAt: iso(event) };
    case "email.clicked":
      return {
        RecordType: "Click",
        ...common,
        Recipient: event.recipient,
        ReceivedAt: iso(event),
        OriginalLink: event.detail.url ?? "",
      };
    case "email.unsubscribed":
      return {
        RecordType: "SubscriptionChange",
        ...common,
        Recipient: event.recipient,
        ChangedAt: iso(event),
        SuppressSending: true,
        SuppressionReason: "ManualSuppression",
        Origin: "Recipient",
      };
    default:
      return undefined;
  }
}

/** The message of an SES notification, as it stands in SNS's `Message`. */
function ses(event: ToldEvent): unknown {
  const mail = {
    timestamp: iso(event),
    source: event.from,
    messageId: event.messageId,
    destination: [event.recipient],
  };
  const feedbackId = idOf(event, "ses").toString("hex").slice(0, 32);
  switch (event.type) {
    case "email.delivered":
      return {
        notificationType: "Delivery",
        mail,
        delivery: {
          timestamp: iso(event),
          processingTimeMillis: 1000,
          recipients: [event.recipient],
          smtpResponse: "250 2.0.0 OK",
        },
      };
    case "email.bounced":
      return {
        notificationType: "Bounce",
        mail,
        bounce: {
          feedbackId,
          bounceType: permanent(event) ? "Permanent" : "Transient",
          bounceSubType: "General",
          bouncedRecipients: [
            {
              emailAddress: event.recipient,
              action: "failed",
              status: event.detail.status ?? "5.0.0",
              diagnosticCode: `smtp; 550 ${event.detail.status ?? ""} ${event.detail.response ?? ""}`.trim(),
            },
          ],
          timestamp: iso(event),
        },
      };
    case "email.complained":
      return {
        notificationType: "Complaint",
        mail,
        complaint: {
          feedbackId,
          complainedRecipients: [{ emailAddress: event.recipient }],
          timestamp: iso(event),
          complaintFeedbackType: "abuse",
        },
      };
    default:
      return undefined;
  }
}

const resendNames: Names = {
  "email.accepted": "email.sent",
  "email.delivered": "email.delivered",
  "email.deferred": "email.delivery_delayed",
  "email.bounced": "email.bounced",
  "email.complained": "email.complained",
  "email.opened": "email.opened",
  "email.clicked": "email.clicked",
};

function resend(event: ToldEvent): unknown {
  const type = resendNames[event.type];
  if (type === undefined) return undefined;
  return {
    type,
    created_at: iso(event),
    data: {
      email_id: event.messageId,
      created_at: iso(event),
      from: event.from,
      to: [event.recipient],
      subject: event.subject,
      ...(event.type === "email.bounced" && {
        bounce: {
          message: event.detail.response ?? "",
          type: permanent(event) ? "Permanent" : "Transient",
          subType: "General",
        },
      }),
      ...(event.detail.url !== undefined && { click: { link: event.detail.url, timestamp: iso(event) } }),
    },
  };
}
