/** Phone numbers and other addresses as the Messages API reads them. */

const e164 = /^\+[1-9]\d{6,14}$/;
const shortCode = /^[1-9]\d{2,5}$/;
/** 1-11 letters, digits and a few marks, at least one of them a letter. */
const alphanumeric = /^(?=.*[A-Za-z])[A-Za-z0-9 &+_-]{1,11}$/;
const punctuation = /[\s().\-\u2010-\u2015]/g;

/**
 * E.164 form of what a client sent: `(202) 555-0100` and `1 202 555 0100` become `+12025550100`; a number of another
 * country needs its `+`. Undefined when it is no phone number.
 */
export function normalisePhone(text: string): string | undefined {
  const bare = e164.test(text) ? text : text.replace(punctuation, "");
  const digits = /^\d{10}$/.test(bare) ? `+1${bare}` : /^1\d{10}$/.test(bare) ? `+${bare}` : bare;
  if (!e164.test(digits)) return undefined;
  if (digits.startsWith("+1") && digits.length !== 12) return undefined;
  return digits;
}

/** A recipient: a phone number in E.164 form or a short code. */
export function parseRecipient(text: string): string | undefined {
  const trimmed = text.trim();
  return shortCode.test(trimmed) ? trimmed : normalisePhone(trimmed);
}

export interface ChannelAddress {
  readonly channel: string;
  /** Without the channel. */
  readonly number: string;
  /** `whatsapp:+12025550100`. */
  readonly value: string;
}

/** `whatsapp:` with a number in any form that Messages reads; undefined for any other address. */
export function parseChannel(text: string): ChannelAddress | undefined {
  const [, channel = "", rest = ""] = /^(whatsapp):(.*)$/.exec(text.trim()) ?? [];
  const number = channel === "" ? undefined : normalisePhone(rest);
  return number === undefined ? undefined : { channel, number, value: `${channel}:${number}` };
}

export type Sender =
  | { readonly tag: "number"; readonly value: string }
  | { readonly tag: "shortCode"; readonly value: string }
  | { readonly tag: "alphanumeric"; readonly value: string }
  | { readonly tag: "channel"; readonly value: string }
  | { readonly tag: "invalid"; readonly value: string };

export function parseSender(text: string): Sender {
  const trimmed = text.trim();
  if (isChannel(trimmed)) return { tag: "channel", value: trimmed };
  if (shortCode.test(trimmed)) return { tag: "shortCode", value: trimmed };
  const number = normalisePhone(trimmed);
  if (number !== undefined) return { tag: "number", value: number };
  if (alphanumeric.test(trimmed)) return { tag: "alphanumeric", value: trimmed };
  return { tag: "invalid", value: trimmed };
}

/** `whatsapp:+…`, `messenger:…`, `rcs:…`: addresses of channels other than SMS. */
export function isChannel(text: string): boolean {
  return /^(whatsapp|messenger|rcs):/.test(text);
}

/** Since 2023 error messages hide the last four digits of a number. */
export function masked(number: string): string {
  return number.length > 4 && /\d{4}$/.test(number) ? `${number.slice(0, -4)}XXXX` : number;
}
