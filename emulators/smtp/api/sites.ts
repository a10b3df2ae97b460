import type { Runtime, Site } from "../../kernel/emulator.ts";
import { once } from "../../kernel/once.ts";
import type { SocketRoute } from "../../kernel/site-sockets.ts";
import { errors, errorsIn } from "../errors.ts";
import type { MailState } from "../state.ts";
import type { Dialect } from "./dialects.ts";
import { maildevLive } from "./maildev-live.ts";
import { mailhogSocket } from "./mailhog-events.ts";
import { mailpitSocket } from "./mailpit/live.ts";
import type { LiveFeed } from "./socket-io.ts";

type MailRuntime = Runtime<MailState>;

/**
 * Three servers' APIs on one port. They share one route, `GET /api/v1/messages`, which a setting gives to one of two;
 * under `/mailpit`, `/mailhog` and `/maildev` each has all of its own.
 */
export function mailboxSites(runtime: MailRuntime): readonly Site[] {
  return [
    { hosts: [], ...speaking("all", runtime), errors },
    { hosts: [], prefix: "mailpit", ...speaking("mailpit", runtime), errors: errorsIn("mailpit") },
    { hosts: [], prefix: "mailhog", ...speaking("mailhog", runtime), errors: errorsIn("mailhog") },
    { hosts: [], prefix: "maildev", ...speaking("maildev", runtime), errors: errorsIn("maildev") },
  ];
}

/** One dialect on a port of its own. */
export function soleSite(dialect: "mailhog" | "maildev"): (runtime: MailRuntime) => readonly Site[] {
  return (runtime) => [{ hosts: [], ...speaking(dialect, runtime), errors: errorsIn(dialect) }];
}

/** The routes, and what is shown live. */
function speaking(which: Dialect | "all", runtime: MailRuntime): Pick<Site, "routes" | "sockets"> {
  const live = once(() => maildevLive(runtime));
  const sockets =
    which === "all"
      ? [socketOf.mailpit(runtime, live), socketOf.mailhog(runtime, live), socketOf.maildev(runtime, live)]
      : [socketOf[which](runtime, live)];
  return {
    routes: async () => (await import("./dialects.ts")).dialectRoutes(which, runtime, live),
    sockets,
  };
}

const socketOf: Record<Dialect, (runtime: MailRuntime, live: () => LiveFeed) => SocketRoute> = {
  mailpit: mailpitSocket,
  mailhog: mailhogSocket,
  maildev: (_, live) => live().socket,
};
