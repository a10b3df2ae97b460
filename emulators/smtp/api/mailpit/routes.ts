import { mailpitAbout } from "./about.ts";
import { mailpitChaos } from "./chaos.ts";
import { mailpitChecks } from "./checks.ts";
import type { App, MailRuntime } from "./context.ts";
import { mailpitMessage } from "./message.ts";
import { mailpitMessages } from "./messages.ts";
import { mailpitMetrics } from "./metrics.ts";
import { mailpitSend } from "./send.ts";
import { mailpitSwagger } from "./swagger.ts";
import { mailpitTags } from "./tags.ts";
import { mailpitView } from "./view.ts";

/** Mailpit's API v1 (https://mailpit.axllent.org/docs/api-v1/). */
export function mailpit(app: App, runtime: MailRuntime): void {
  const others = app.routes.length;
  mailpitMessages(app, runtime);
  mailpitMessage(app, runtime);
  mailpitSend(app, runtime);
  mailpitTags(app, runtime);
  mailpitChecks(app, runtime);
  mailpitChaos(app, runtime);
  mailpitAbout(app, runtime);
  mailpitView(app, runtime);
  mailpitMetrics(app, runtime);
  mailpitSwagger(app, app.routes.slice(others));
}
