import { Hono } from "hono";
import type { Address, Emulator, KernelEnv, Runtime } from "../kernel/emulator.ts";
import { control } from "./api/control.ts";
import { mailhogV1 } from "./api/mailhog-v1.ts";
import { mailhogV2 } from "./api/mailhog-v2.ts";
import { root } from "./api/root.ts";
import { capabilities } from "./capabilities.ts";
import { deliver, deliveryTimer } from "./delivery.ts";
import { errors } from "./errors.ts";
import { health } from "./health.ts";
import { listeners } from "./listener.ts";
import { real } from "./real.ts";
import { applySeed, Seed } from "./seed.ts";
import { type MailState, openMail } from "./store.ts";
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
      sites: (runtime) => [{ hosts: [], routes: mailbox(runtime), errors }],
    },
  ],
  listeners,
  tables,
  pageSize: 16_384,
  open: openMail,
  seed: { file: "smtp.yaml", schema: Seed, apply: applySeed },
  timers: { [deliveryTimer]: deliver },
  control,
  health,
  real,
  environment,
  capabilities,
};

function mailbox(runtime: Runtime<MailState>): Hono<KernelEnv> {
  const app = new Hono<KernelEnv>();
  root(app);
  mailhogV1(app, runtime);
  mailhogV2(app, runtime);
  return app;
}

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
