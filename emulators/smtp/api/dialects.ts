/** The routes of the three servers' APIs, loaded with the first request to the mailbox. */
import { Hono } from "hono";
import type { KernelEnv, Runtime } from "../../kernel/emulator.ts";
import type { MailState } from "../state.ts";
import { maildev } from "./maildev.ts";
import { mailhogEvents } from "./mailhog-events.ts";
import { mailhogJim } from "./mailhog-jim.ts";
import { mailhogMessages, mailhogV1 } from "./mailhog-v1.ts";
import { mailhogV2 } from "./mailhog-v2.ts";
import { mailpit } from "./mailpit/routes.ts";
import { root } from "./root.ts";
import type { LiveFeed } from "./socket-io.ts";

type App = Hono<KernelEnv>;
type MailRuntime = Runtime<MailState>;

const dialects = {
  mailpit,
  mailhog(routes: App, runtime: MailRuntime): void {
    mailhogMessages(routes, runtime);
    mailhogV1(routes, runtime);
    mailhogEvents(routes, runtime);
    mailhogV2(routes, runtime);
    mailhogJim(routes, runtime);
  },
  maildev(routes: App, runtime: MailRuntime, live: () => LiveFeed): void {
    maildev(routes, runtime);
    live().routes(routes);
  },
};
export type Dialect = keyof typeof dialects;

/** One dialect, or `all`: where two have the same route the first one here answers. */
export function dialectRoutes(which: Dialect | "all", runtime: MailRuntime, live: () => LiveFeed): App {
  const routes: App = new Hono<KernelEnv>();
  if (which !== "all") {
    dialects[which](routes, runtime, live);
    return routes;
  }
  root(routes);
  if (runtime.settings.mailDialect === "mailhog") mailhogMessages(routes, runtime);
  for (const mount of [dialects.mailpit, dialects.mailhog, dialects.maildev]) mount(routes, runtime, live);
  return routes;
}
