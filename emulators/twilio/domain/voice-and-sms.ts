/** The parameters that say where calls and messages lead. */
import type { ApplicationData, PhoneNumberSettings, VoiceAndSms } from "../kinds.ts";
import { choice, flag, method, type Parameters, sid, text, url } from "./parameters.ts";

const shared: Parameters<VoiceAndSms> = {
  FriendlyName: text("", 64),
  ApiVersion: text("2010-04-01"),
  VoiceUrl: url(""),
  VoiceMethod: method("POST"),
  VoiceFallbackUrl: url(""),
  VoiceFallbackMethod: method("POST"),
  VoiceCallerIdLookup: flag(false),
  StatusCallback: url(""),
  StatusCallbackMethod: method("POST"),
  SmsUrl: url(""),
  SmsMethod: method("POST"),
  SmsFallbackUrl: url(""),
  SmsFallbackMethod: method("POST"),
};

export const applicationParameters: Parameters<ApplicationData> = {
  ...shared,
  SmsStatusCallback: url(""),
  MessageStatusCallback: url(""),
  PublicApplicationConnectEnabled: flag(false),
};

export const numberParameters: Parameters<PhoneNumberSettings> = {
  ...shared,
  SmsApplicationSid: sid("AP", ""),
  VoiceApplicationSid: sid("AP", ""),
  AddressSid: sid("AD", null),
  BundleSid: sid("BU", null),
  IdentitySid: sid("RI", null),
  TrunkSid: sid("TK", null),
  EmergencyStatus: choice(["Active", "Inactive"], "Inactive"),
  EmergencyAddressSid: sid("AD", null),
  VoiceReceiveMode: choice(["voice", "fax"], "voice"),
};
