/** A message as it is kept. Instants are epoch milliseconds, money is in hundred-thousandths of a US dollar. */

export type MessageStatus =
  | "accepted"
  | "scheduled"
  | "queued"
  | "sending"
  | "sent"
  | "delivered"
  | "undelivered"
  | "failed"
  | "canceled"
  | "receiving"
  | "received"
  | "read";

export type MessageDirection = "inbound" | "outbound-api" | "outbound-call" | "outbound-reply";

/** What lists and answers show of a message. */
export type ShownMessage = Omit<Message, "mediaUrls" | "statusCallback" | "validUntil" | "sendAt" | "smartEncoded">;

export interface Message {
  readonly sid: string;
  readonly accountSid: string;
  readonly direction: MessageDirection;
  /** Null until a messaging service has chosen a sender. */
  readonly from: string | null;
  readonly to: string;
  readonly body: string;
  readonly numSegments: number;
  readonly numMedia: number;
  /** JSON array of the source URLs. */
  readonly mediaUrls: string | null;
  readonly status: MessageStatus;
  readonly errorCode: number | null;
  readonly price: number | null;
  /** From when on the price is shown: Twilio bills some time after the outcome. */
  readonly billedAt: number | null;
  readonly messagingServiceSid: string | null;
  readonly statusCallback: string | null;
  /** Instant after which a message that still waits fails. */
  readonly validUntil: number | null;
  readonly sendAt: number | null;
  /** 1 when the client asked for smart encoding; a messaging service may ask for it as well. */
  readonly smartEncoded: 0 | 1;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly sentAt: number | null;
}
