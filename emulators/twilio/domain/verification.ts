/**
 * The life of a verification: one code per recipient and service, valid for ten minutes, five checks, five sends.
 * https://www.twilio.com/docs/verify/api/verification
 */
import type { VerificationData, VerifyServiceData } from "../kinds.ts";
import { choice, flag, matching, type Parameters, required, sid, text, whole } from "./parameters.ts";

export const lifeMs = 600_000;
export const mostChecks = 5;
export const mostSends = 5;

/** Hundred-thousandths of a US dollar for every code that goes out: the list price of 2025. */
export const attemptPrice = -5_000;

export const channels = ["sms", "call", "email", "whatsapp", "sna", "auto", "rcs"] as const;

/** Attempts name the channel as their own API does: SMS and EMAIL in capitals. */
export function attemptChannel(channel: string): string {
  return channel === "sms" || channel === "auto"
    ? "SMS"
    : channel === "email"
      ? "EMAIL"
      : channel === "call"
        ? "CALL"
        : channel;
}

export function isEmail(to: string): boolean {
  return /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(to);
}

/** What a check makes of a verification that can still be checked. */
export function afterCheck(data: VerificationData, code: string): VerificationData {
  const right = code === data.code;
  return { ...data, checks: data.checks + 1, status: right ? "approved" : data.status };
}

export const verifyServiceParameters: Parameters<VerifyServiceData> = {
  FriendlyName: required(text("", 32)),
  CodeLength: whole(6, 4, 10),
  LookupEnabled: flag(false),
  SkipSmsToLandlines: flag(false),
  DtmfInputRequired: flag(true),
  TtsName: text(null),
  Psd2Enabled: flag(false),
  DoNotShareWarningEnabled: flag(false),
  CustomCodeEnabled: flag(false),
  DefaultTemplateSid: sid("HJ", null),
  VerifyEventSubscriptionEnabled: flag(false),
  "Push.IncludeDate": flag(false),
  "Push.ApnCredentialSid": sid("CR", null),
  "Push.FcmCredentialSid": sid("CR", null),
  "Totp.Issuer": text(""),
  "Totp.TimeStep": whole(30, 20, 60),
  "Totp.CodeLength": whole(6, 3, 8),
  "Totp.Skew": whole(1, 0, 2),
  "Whatsapp.MsgServiceSid": sid("MG", null),
  "Whatsapp.From": text(null),
};

export interface VerificationSent {
  readonly To: string;
  readonly Channel: string;
  readonly CustomFriendlyName: string | null;
  readonly CustomCode: string | null;
  readonly Locale: string | null;
  readonly Amount: string | null;
  readonly Payee: string | null;
}

export const verificationParameters: Parameters<VerificationSent> = {
  To: text(""),
  Channel: choice(["", ...channels], ""),
  CustomFriendlyName: text(null),
  CustomCode: matching(/^[0-9A-Za-z]{4,10}$/, null),
  Locale: text(null),
  Amount: text(null),
  Payee: text(null),
};
