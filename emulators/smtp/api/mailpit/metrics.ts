import { answer } from "../../../kernel/exchange.ts";
import type { App, MailRuntime } from "./context.ts";

/** Mailpit's page for Prometheus, by the names it has there (internal/prometheus). */
export function mailpitMetrics(app: App, runtime: MailRuntime): void {
  const { state, clock } = runtime;
  const startedAt = clock.wall();

  app.get("/metrics", (c) => {
    const { exchange } = c.env;
    exchange.note("operation", "GET /metrics");
    const { accepted, acceptedBytes, rejected, deleted } = state.statistics;
    const messages = state.count();
    const samples = [
      ["mailpit_messages", "gauge", "Messages in the mailbox", messages],
      ["mailpit_messages_unread", "gauge", "Unread messages in the mailbox", messages - state.readCount()],
      ["mailpit_database_size_bytes", "gauge", "Size of the database", state.bytes()],
      ["mailpit_messages_deleted_total", "counter", "Messages deleted", deleted],
      ["mailpit_smtp_accepted_total", "counter", "Messages accepted by SMTP", accepted],
      ["mailpit_smtp_rejected_total", "counter", "Messages rejected by SMTP", rejected],
      ["mailpit_smtp_ignored_total", "counter", "Messages ignored by SMTP", 0],
      ["mailpit_smtp_accepted_size_bytes_total", "counter", "Bytes of the messages accepted", acceptedBytes],
      ["mailpit_uptime_seconds", "gauge", "Seconds since the start", Math.floor((clock.wall() - startedAt) / 1000)],
      ["mailpit_memory_usage_bytes", "gauge", "Memory in use", process.memoryUsage.rss()],
    ] as const;
    const lines = samples.map(([name, type, help, value]) => `${described(name, type, help)}${name} ${value}\n`);
    const tags = Object.entries(state.tagCounts()).map(
      ([tag, count]) => `mailpit_tag_counters{tag="${tag.replaceAll(/["\\]/g, "\\$&")}"} ${count}\n`,
    );
    const text = lines.join("") + described("mailpit_tag_counters", "gauge", "Messages by tag") + tags.join("");
    return answer(exchange, 200, text, { "content-type": "text/plain; version=0.0.4; charset=utf-8" });
  });
}

function described(name: string, type: string, help: string): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
}
