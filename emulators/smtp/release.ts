import { createEgress } from "../kernel/egress.ts";
import type { Runtime } from "../kernel/emulator.ts";
import { defaultProfile, type MessageSummary } from "./domain/message.ts";
import { describeCause } from "./domain/replies.ts";
import { withoutField } from "./domain/without-field.ts";
import { relay } from "./protocol/relay.ts";
import type { MailState } from "./state.ts";

export interface Destination {
  readonly host: string;
  readonly port: number;
  readonly recipients: readonly string[];
  readonly login?: { readonly username: string; readonly password: string } | undefined;
  /** The header's Bcc stays behind: who gets the message must not see who else does. */
  readonly withoutBcc?: boolean;
}

export type Released =
  | { readonly tag: "sent"; readonly reply: string }
  /** By us: the host is not one that may be called. */
  | { readonly tag: "refused"; readonly reason: string }
  /** By the other server, or on the way to it. */
  | { readonly tag: "failed"; readonly reason: string };

/** The server of BACKLOT_MAIL_RELAY; undefined when nothing is relayed. */
export function configuredRelay(
  runtime: Runtime<MailState>,
): { readonly host: string; readonly port: number } | undefined {
  const [, host, port] = /^(.+):(\d+)$/.exec(runtime.settings.mailRelay ?? "") ?? [];
  return host === undefined ? undefined : { host: host.replace(/^\[|\]$/g, ""), port: Number(port) };
}

/** Forwards a message to a host that webhooks might call too; every other is refused before any connection. */
export async function release(
  runtime: Runtime<MailState>,
  message: MessageSummary,
  to: Destination,
): Promise<Released> {
  const { state, journal, settings } = runtime;
  const target = `smtp://${to.host}:${to.port}`;
  const url = URL.parse(`http://${to.host.includes(":") ? `[${to.host}]` : to.host}:${to.port}`);
  const verdict =
    url === null
      ? ({ allowed: false, reason: `${to.host}:${to.port} is no address` } as const)
      : await createEgress(settings.webhookAllow).check(url);
  if (!verdict.allowed) {
    journal.append("egress", message.id, { target, reason: verdict.reason, by: "release" });
    return { tag: "refused", reason: verdict.reason };
  }
  const content = state.content(message.id) ?? [];
  try {
    const reply = await relay({
      addresses: verdict.target.addresses.map(({ address }) => address),
      port: verdict.target.port ?? to.port,
      helo: state.profile()?.name ?? defaultProfile.name,
      login: to.login,
      mailFrom: message.mailFrom,
      recipients: to.recipients,
      content: to.withoutBcc ? withoutField(content, "bcc") : content,
    });
    journal.append("change", message.id, { state: "released", target, recipients: to.recipients, reply });
    return { tag: "sent", reply };
  } catch (cause) {
    const reason = describeCause(cause);
    journal.append("change", message.id, { state: "release failed", target, recipients: to.recipients, reason });
    return { tag: "failed", reason };
  }
}

export function isAddress(text: string): boolean {
  return /^[^\s<>@,;]+@[^\s<>@,;]+$/.test(text);
}
