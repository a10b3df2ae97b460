import type { Address, Emulator, Runtime } from "../kernel/emulator.ts";
import { mailboxSites, soleSite } from "./api/sites.ts";
import { capabilities } from "./capabilities.ts";
import { deliver, deliveryTimer, stepTimer, takeStep } from "./delivery.ts";
import { health } from "./health.ts";
import { listeners } from "./listener.ts";
import { pop3 } from "./pop3/listener.ts";
import { real } from "./real.ts";
import { applySeed } from "./seed.ts";
import type { Seed } from "./seed-form.ts";
import { type MailState, openState } from "./state.ts";
import { tables } from "./tables.ts";

export const smtp: Emulator<MailState, Seed> = {
  name: "smtp",
  title: "SMTP delivery",
  provides: "email",
  hosts: [],
  http: [
    {
      name: "mailbox",
      ports: [{ setting: "mailPort", tls: false }],
      sites: mailboxSites,
      tagged: true,
      forPeople: true,
    },
    {
      name: "mailhog",
      ports: [{ setting: "mailhogPort", tls: false }],
      sites: soleSite("mailhog"),
      tagged: true,
      forPeople: true,
    },
    {
      name: "maildev",
      ports: [{ setting: "maildevPort", tls: false }],
      sites: soleSite("maildev"),
      tagged: true,
      forPeople: true,
    },
  ],
  listeners: [...listeners, pop3],
  tables,
  pageSize: 16_384,
  open: openState,
  seed: { file: "smtp.yaml", form: async () => (await import("./seed-form.ts")).Seed, apply: applySeed },
  timers: { [deliveryTimer]: deliver, [stepTimer]: takeStep },
  control: async (runtime) => (await import("./api/control/routes.ts")).control(runtime),
  health,
  real,
  environment,
  capabilities,
};

/** What mail clients read; user and password only where the seed lists users. */
function environment(runtime: Runtime<MailState>, addresses: readonly Address[]): Record<string, string> {
  const server = addresses.find(({ name }) => name === "smtp");
  const mailboxAddress = addresses.find(({ name }) => name === "mailbox");
  const user = runtime.state.firstUser();
  const login = user === undefined ? "" : `${encodeURIComponent(user.username)}:${encodeURIComponent(user.password)}@`;
  return {
    ...(server && {
      SMTP_HOST: server.host,
      SMTP_PORT: String(server.port),
      SMTP_URL: `smtp://${login}${server.host}:${server.port}`,
    }),
    ...(server && user && { SMTP_USER: user.username, SMTP_PASSWORD: user.password }),
    ...(mailboxAddress && { MAIL_URL: `${mailboxAddress.scheme}://${mailboxAddress.host}:${mailboxAddress.port}` }),
  };
}
