import { hash } from "node:crypto";
import type { Runtime } from "../kernel/emulator.ts";
import { magicOf } from "./domain/magic.ts";
import { type Draft, defaultProfile } from "./domain/message.ts";
import type { Outcome } from "./domain/outcome.ts";
import { Dialogue } from "./domain/transcript.ts";
import { keep } from "./intake.ts";
import type { MailState } from "./state.ts";

/** Takes a message in that did not come by SMTP: one that an API was asked to send, or that a mail server writes itself. */
export function submit(
  runtime: Runtime<MailState>,
  mail: {
    readonly raw: Buffer;
    /** Empty for the null sender. */
    readonly mailFrom: string;
    readonly recipients: readonly string[];
    readonly username?: string | undefined;
    readonly remote: string;
    readonly at?: number;
    /** It comes from outside: nothing is told about its delivery. */
    readonly silent?: boolean | undefined;
  },
): Draft {
  const { raw } = mail;
  return keep(runtime, {
    envelope: {
      mailFrom: mail.mailFrom,
      parameters: undefined,
      recipients: mail.recipients.map((address) => ({
        address,
        parameters: undefined,
        outcome: outcomeOf(runtime, mail, address),
      })),
      helo: "localhost",
      mechanism: mail.username === undefined ? undefined : "HTTP",
      username: mail.username,
      secure: false,
    },
    content: { raw, size: raw.length, sha256: hash("sha256", raw, "hex"), spool: undefined },
    receivedAt: mail.at ?? runtime.clock.now(),
    truncated: false,
    silent: mail.silent ?? false,
    remote: mail.remote,
    transcript: () => new Dialogue(""),
  });
}

function outcomeOf(
  runtime: Runtime<MailState>,
  mail: { silent?: boolean | undefined; mailFrom: string },
  address: string,
): Outcome | undefined {
  if (mail.silent || mail.mailFrom === "") return undefined;
  const magic = magicOf(address, runtime.state.profile()?.magicDomains ?? defaultProfile.magicDomains);
  return magic?.tag === "outcome" ? magic.outcome : undefined;
}
