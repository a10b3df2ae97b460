import { answer, answerJson } from "../../../kernel/exchange.ts";
import type { App, MailRuntime } from "./context.ts";

/** The version of the API that is spoken; there is no newer one to look for. */
export const spokenVersion = "v1.30.5";

/** What the server says of itself. */
export function mailpitAbout(app: App, runtime: MailRuntime): void {
  const { state, settings, clock } = runtime;
  const startedAt = clock.wall();

  app.get("/api/v1/info", (c) => {
    c.env.exchange.note("operation", "GET /api/v1/info");
    const { accepted, acceptedBytes, rejected, deleted } = state.statistics;
    const messages = state.count();
    return answerJson(c.env.exchange, 200, {
      Version: spokenVersion,
      LatestVersion: spokenVersion,
      Database: settings.dataDir === undefined ? ":memory:" : `${settings.dataDir}/smtp.sqlite`,
      DatabaseSize: state.bytes(),
      Messages: messages,
      Unread: messages - state.readCount(),
      Tags: state.tagCounts(),
      RuntimeStats: {
        Uptime: Math.floor((clock.wall() - startedAt) / 1000),
        Memory: process.memoryUsage.rss(),
        MessagesDeleted: deleted,
        SMTPAccepted: accepted,
        SMTPAcceptedSize: acceptedBytes,
        SMTPRejected: rejected,
        SMTPIgnored: 0,
      },
    });
  });

  app.get("/api/v1/webui", (c) => {
    c.env.exchange.note("operation", "GET /api/v1/webui");
    return answerJson(c.env.exchange, 200, {
      Label: "Backlot",
      MessageRelay: {
        Enabled: settings.mailRelay !== undefined,
        SMTPServer: settings.mailRelay ?? "",
        ReturnPath: "",
        AllowedRecipients: "",
        BlockedRecipients: "",
        OverrideFrom: "",
        PreserveMessageIDs: true,
        RecipientAllowlist: "",
      },
      SpamAssassin: false,
      ChaosEnabled: true,
      DuplicatesIgnored: false,
      HideDeleteAllButton: false,
    });
  });

  for (const path of ["/livez", "/readyz"]) {
    app.get(path, (c) => {
      c.env.exchange.note("operation", `GET ${path}`);
      return answer(c.env.exchange, 200, "ok", { "content-type": "text/plain" });
    });
  }
}
