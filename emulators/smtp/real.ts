import type { Runtime } from "../kernel/emulator.ts";
import { type Refusal, refusal } from "../kernel/mode.ts";
import type { MailState } from "./state.ts";

export const real = {
  service: "SMTP delivery",
  required: [
    { env: "SMTP_HOST", about: "Host name of the mail server", example: "smtp.example.com" },
    { env: "SMTP_PORT", about: "Its submission port", example: "587" },
    { env: "SMTP_USER", about: "User name to authenticate with", example: "mailer@example.com" },
    { env: "SMTP_PASSWORD", about: "The user's password or token", example: "your-smtp-password" },
  ],
  docs: "README.md#real-mode",
} as const;

/** What keeps a session from being served now; undefined in mock mode. */
export function refusedNow(runtime: Runtime<MailState>): Refusal | undefined {
  if (runtime.mode.current !== "real") return undefined;
  return refusal(real, runtime.mode.askedBy ?? "real mode", process.env);
}

/** Octets of a reply line without `421 ` and CRLF (RFC 5321 4.5.3.1.5: 512 with both). */
const longestText = 505;

/** The text after `421` that says why and what to do, in one line of ASCII. */
export function refusalText(refused: Refusal, askedBy: string): string {
  const unset = `unset ${printable(askedBy).slice(0, 100)} to use the emulator`;
  const text =
    `4.3.2 ${refused.service} real mode is refused: ` +
    `point the application at the real server with ${refused.required.join(", ")}, or ${unset} (${refused.docs})`;
  return printable(text).slice(0, longestText);
}

function printable(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, "?");
}
