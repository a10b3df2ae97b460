import { Hono } from "hono";
import type { KernelEnv, Runtime, Site } from "../../kernel/emulator.ts";
import type { SocketRoute } from "../../kernel/site-sockets.ts";
import { errors, errorsIn } from "../errors.ts";
import type { MailState } from "../state.ts";
import { maildev } from "./maildev.ts";
import { maildevLive } from "./maildev-live.ts";
import { mailhogEvents, mailhogSocket } from "./mailhog-events.ts";
import { mailhogJim } from "./mailhog-jim.ts";
import { mailhogMessages, mailhogV1 } from "./mailhog-v1.ts";
import { mailhogV2 } from "./mailhog-v2.ts";
import { mailpitSocket } from "./mailpit/live.ts";
import { mailpit } from "./mailpit/routes.ts";
import { root } from "./root.ts";

type App = Hono<KernelEnv>;
type MailRuntime = Runtime<MailState>;

/** What a server speaks: its routes, and what it shows live. */
interface Spoken {
  readonly routes: App;
  readonly sockets: readonly SocketRoute[];
}

/**
 * Three servers' APIs on one port. They share one route, `GET /api/v1/messages`, which a setting gives to one of two;
 * under `/mailpit`, `/mailhog` and `/maildev` each has all of its own.
 */
export function mailboxSites(runtime: MailRuntime): readonly Site[] {
  return [
    { hosts: [], ...all(runtime), errors },
    { hosts: [], prefix: "mailpit", ...dialects.mailpit(runtime), errors: errorsIn("mailpit") },
    { hosts: [], prefix: "mailhog", ...dialects.mailhog(runtime), errors: errorsIn("mailhog") },
    { hosts: [], prefix: "maildev", ...dialects.maildev(runtime), errors: errorsIn("maildev") },
  ];
}

/** One dialect on a port of its own. */
export function soleSite(dialect: "mailhog" | "maildev"): (runtime: MailRuntime) => readonly Site[] {
  return (runtime) => [{ hosts: [], ...dialects[dialect](runtime), errors: errorsIn(dialect) }];
}

const dialects = {
  mailpit(runtime: MailRuntime, routes: App = new Hono<KernelEnv>()): Spoken {
    mailpit(routes, runtime);
    return { routes, sockets: [mailpitSocket(runtime)] };
  },
  mailhog(runtime: MailRuntime, routes: App = new Hono<KernelEnv>()): Spoken {
    mailhogMessages(routes, runtime);
    mailhogV1(routes, runtime);
    mailhogEvents(routes, runtime);
    mailhogV2(routes, runtime);
    mailhogJim(routes, runtime);
    return { routes, sockets: [mailhogSocket(runtime)] };
  },
  maildev(runtime: MailRuntime, routes: App = new Hono<KernelEnv>()): Spoken {
    const live = maildevLive(runtime);
    maildev(routes, runtime);
    live.routes(routes);
    return { routes, sockets: [live.socket] };
  },
};

/** Where two have the same route the first one here answers. */
function all(runtime: MailRuntime): Spoken {
  const routes: App = new Hono<KernelEnv>();
  root(routes);
  if (runtime.settings.mailDialect === "mailhog") mailhogMessages(routes, runtime);
  const sockets = [dialects.mailpit, dialects.mailhog, dialects.maildev].flatMap(
    (dialect) => dialect(runtime, routes).sockets,
  );
  return { routes, sockets };
}
