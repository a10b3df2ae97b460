import { Hono } from "hono";
import type { KernelEnv, Runtime, Site } from "../../kernel/emulator.ts";
import { errors } from "../errors.ts";
import type { MailState } from "../state.ts";
import { maildev } from "./maildev.ts";
import { mailhogEvents } from "./mailhog-events.ts";
import { mailhogJim } from "./mailhog-jim.ts";
import { mailhogMessages, mailhogV1 } from "./mailhog-v1.ts";
import { mailhogV2 } from "./mailhog-v2.ts";
import { mailpit } from "./mailpit/routes.ts";
import { root } from "./root.ts";

type App = Hono<KernelEnv>;
type MailRuntime = Runtime<MailState>;

/**
 * Three servers' APIs on one port. They share one route, `GET /api/v1/messages`, which a setting gives to one of two;
 * under `/mailpit`, `/mailhog` and `/maildev` each has all of its own.
 */
export function mailboxSites(runtime: MailRuntime): readonly Site[] {
  return [
    { hosts: [], routes: all(runtime), errors },
    { hosts: [], prefix: "mailpit", routes: made(mailpit, runtime), errors },
    { hosts: [], prefix: "mailhog", routes: made(mailhog, runtime), errors },
    { hosts: [], prefix: "maildev", routes: made(maildev, runtime), errors },
  ];
}

const dialects = { mailhog, maildev } as const;

/** One dialect on a port of its own. */
export function soleSite(dialect: keyof typeof dialects): (runtime: MailRuntime) => readonly Site[] {
  return (runtime) => [{ hosts: [], routes: made(dialects[dialect], runtime), errors }];
}

function mailhog(app: App, runtime: MailRuntime): void {
  mailhogMessages(app, runtime);
  mailhogV1(app, runtime);
  mailhogEvents(app, runtime);
  mailhogV2(app, runtime);
  mailhogJim(app, runtime);
}

/** Where two have the same route the first one here answers. */
function all(runtime: MailRuntime): App {
  const app = new Hono<KernelEnv>();
  root(app);
  if (runtime.settings.mailDialect === "mailhog") mailhogMessages(app, runtime);
  mailpit(app, runtime);
  mailhogV1(app, runtime);
  mailhogEvents(app, runtime);
  mailhogV2(app, runtime);
  mailhogJim(app, runtime);
  maildev(app, runtime);
  return app;
}

function made(routes: (app: App, runtime: MailRuntime) => void, runtime: MailRuntime): App {
  const app = new Hono<KernelEnv>();
  routes(app, runtime);
  return app;
}
