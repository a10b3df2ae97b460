/** Where everything is, for programs (`Services`) and for people (`pointers`, the status page). */
import { Hono } from "hono";
import type { Certificates } from "../kernel/certificates.ts";
import type { Address, KernelEnv } from "../kernel/emulator.ts";
import { answer } from "../kernel/exchange.ts";
import type { Settings } from "../kernel/settings.ts";
import type { Gateway } from "./gateway/gateway.ts";
import type { Member } from "./member.ts";
import { registry } from "./registry.ts";

/** Addresses by service; only what was started or attached is there. */
export interface Services {
  readonly twilio?: { readonly url: string };
  readonly "azure-policyinsights"?: { readonly url: string; readonly httpUrl: string };
  readonly "ec2-spot"?: { readonly url: string; readonly imdsUrl: string };
  readonly smtp?: { readonly host: string; readonly port: number; readonly url: string };
  readonly suite?: { readonly url: string };
  readonly gateway?: { readonly proxyUrl?: string; readonly tlsPort?: number };
}

export function addressUrl(
  addresses: readonly Address[],
  name: string,
  scheme?: Address["scheme"],
): string | undefined {
  const found = addresses.find(
    (address) => address.name === name && (scheme === undefined || address.scheme === scheme),
  );
  if (!found) return undefined;
  return found.scheme === "tcp" ? `${found.host}:${found.port}` : `${found.scheme}://${found.host}:${found.port}`;
}

export function servicesOf(members: readonly Member[]): Services {
  const of = (name: string) => members.find((member) => member.name === name)?.addresses;
  const [twilio, azure, ec2, smtp] = [of("twilio"), of("azure-policyinsights"), of("ec2-spot"), of("smtp")];
  const url = (addresses: readonly Address[], name: string, scheme?: Address["scheme"]) =>
    addressUrl(addresses, name, scheme) ?? addressUrl(addresses, "control") ?? "";
  const tcp = smtp?.find((address) => address.name === "smtp");
  return {
    ...(twilio ? { twilio: { url: url(twilio, "api") } } : {}),
    ...(azure
      ? { "azure-policyinsights": { url: url(azure, "arm", "https"), httpUrl: url(azure, "arm", "http") } }
      : {}),
    ...(ec2 ? { "ec2-spot": { url: url(ec2, "ec2"), imdsUrl: url(ec2, "imds") } } : {}),
    ...(smtp
      ? { smtp: { host: tcp?.host ?? smtp[0]?.host ?? "", port: tcp?.port ?? 0, url: url(smtp, "mailbox") } }
      : {}),
  };
}

export function gatewayService(gateway: Pick<Gateway, "proxyUrl" | "tlsPort"> | undefined): Pick<Services, "gateway"> {
  if (gateway?.proxyUrl === undefined && gateway?.tlsPort === undefined) return {};
  const { proxyUrl, tlsPort } = gateway;
  return {
    gateway: { ...(proxyUrl === undefined ? {} : { proxyUrl }), ...(tlsPort === undefined ? {} : { tlsPort }) },
  };
}

/** One line per service: where it is and how to point a client at it. */
export function pointers(
  members: readonly Member[],
  certificates: () => Certificates,
): readonly { readonly title: string; readonly address: string; readonly pointing: string }[] {
  return members.map((member) => {
    const first = member.addresses[0];
    const address = first ? (addressUrl(member.addresses, first.name, first.scheme) ?? "") : "(off)";
    const entry = registry.find(({ name }) => name === member.name);
    const open = (part: string) =>
      [...part.matchAll(/\{([\w-]+)\}/g)].every(([, name]) => member.addresses.some((one) => one.name === name));
    const pointing =
      entry?.pointing
        .replaceAll(/\[([^\]]*)\]/g, (_, part: string) => (open(part) ? part : ""))
        .replaceAll(/\{([\w-]+)\}/g, (_, name: string) =>
          name === "ca" ? certificates().caPath : (addressUrl(member.addresses, name) ?? "(off)"),
        ) ?? "";
    return { title: member.title, address, pointing: first?.name === "control" ? "attached" : pointing };
  });
}

export function statusPage(
  members: readonly Member[],
  settings: Settings,
  certificates: () => Certificates,
): Hono<KernelEnv> {
  const app = new Hono<KernelEnv>();
  app.get("/", (c) => {
    const lines = pointers(members, certificates).map(
      ({ title, address, pointing }) => `${title.padEnd(22)} ${address.padEnd(26)} ${pointing}`,
    );
    const text = [
      "Backlot",
      `seed ${settings.seed}, clock ${settings.clock}`,
      "",
      ...lines,
      "",
      "Control API: /_backlot/health, /_backlot/services, /_backlot/journal, /_backlot/env",
      "",
    ].join("\n");
    return answer(c.env.exchange, 200, text, { "content-type": "text/plain; charset=utf-8" });
  });
  return app;
}
