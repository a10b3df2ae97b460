/**
 * Sends spans to an OpenTelemetry collector, as JSON over HTTP (https://opentelemetry.io/docs/specs/otlp/#otlphttp), when
 * OTEL_EXPORTER_OTLP_ENDPOINT is set. The official exporter brings nine packages (SDKs of traces, metrics and logs among
 * them) and its own clock and random ids for what is here one object and one POST. The endpoint is the user's explicit
 * wish, so the egress list does not hold it back; the journal says where spans go.
 */
import { afterReal } from "./clock.ts";
import type { Journal } from "./journal.ts";
import type { JournalEntry } from "./journal-entry.ts";
import type { Log } from "./log.ts";
import type { SpanNote } from "./tracing.ts";

export interface SpanExport {
  /** Sends what is left, within a deadline. */
  close(): Promise<void>;
}

export interface SpanExportOptions {
  /** Base URL of the collector; `/v1/traces` is added. */
  readonly endpoint: string;
  readonly emulator: string;
  readonly journal: Journal;
  readonly log: Log;
  readonly everyMs?: number;
}

const mostWaiting = 4_096;
const mostAtOnce = 512;
const deadlineMs = 5_000;

export function exportSpans({ endpoint, emulator, journal, log, everyMs = 1_000 }: SpanExportOptions): SpanExport {
  const url = `${endpoint.replace(/\/+$/, "")}/v1/traces`;
  const waiting: JournalEntry[] = [];
  let dropped = 0;
  let failing = false;
  let alarm: (() => void) | undefined;
  let sending: Promise<void> | undefined;
  journal.append("control", undefined, { exports: "spans", to: url, because: "OTEL_EXPORTER_OTLP_ENDPOINT is set" });

  const tell = (problem: string | undefined) => {
    if (failing === (problem !== undefined)) return;
    failing = problem !== undefined;
    journal.append("control", undefined, {
      exports: "spans",
      to: url,
      ...(problem ? { failed: problem } : { works: true }),
    });
    if (problem) log.warn({ to: url, problem }, "spans could not be sent");
  };
  const send = async () => {
    while (waiting.length > 0) {
      const batch = waiting.splice(0, mostAtOnce);
      try {
        const response = await fetch(url, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify(tracesOf(emulator, batch)),
          signal: AbortSignal.timeout(deadlineMs),
        });
        await response.body?.cancel();
        tell(response.ok ? undefined : `HTTP ${response.status}`);
      } catch (cause) {
        tell(cause instanceof Error ? String(cause.cause ?? cause.message) : String(cause));
      }
    }
    sending = undefined;
  };
  const stop = journal.onAppend((entry) => {
    if (!isSampled(entry)) return;
    if (waiting.length >= mostWaiting) {
      if (dropped === 0) log.warn({ to: url }, "spans come faster than the collector takes them; some are dropped");
      dropped += 1;
      return;
    }
    waiting.push(entry);
    alarm ??= afterReal(everyMs, () => {
      alarm = undefined;
      sending ??= send();
    });
  });
  return {
    async close() {
      stop();
      alarm?.();
      await Promise.race([
        (async () => {
          await sending;
          await send();
        })(),
        new Promise<void>((resolve) => afterReal(1_000, resolve)),
      ]);
    },
  };
}

const traceOf = (entry: JournalEntry) => entry.data.trace as SpanNote | undefined;
const isSampled = (entry: JournalEntry) =>
  (entry.kind === "request" || entry.kind === "delivery") && traceOf(entry)?.sampled === true;

const [serverSpan, clientSpan] = [2, 3];
const errorStatus = 2;

/** The body of one POST: an ExportTraceServiceRequest in the JSON encoding of OTLP (ids in hex, times as text). */
export function tracesOf(emulator: string, entries: readonly JournalEntry[]): Record<string, unknown> {
  return {
    resourceSpans: [
      {
        resource: { attributes: attributes({ "service.name": `backlot-${emulator}` }) },
        scopeSpans: [{ scope: { name: "backlot" }, spans: entries.flatMap(spanOf) }],
      },
    ],
  };
}

function spanOf(entry: JournalEntry): Record<string, unknown>[] {
  const trace = traceOf(entry);
  if (!trace) return [];
  const { data } = entry;
  const request = entry.kind === "request";
  const wallMs = typeof data.wallMs === "number" ? data.wallMs : 0;
  const status = typeof data.status === "number" ? data.status : undefined;
  const path = String(data.target ?? "").replace(/\?.*$/s, "");
  return [
    {
      traceId: trace.traceId,
      spanId: trace.spanId,
      ...(trace.parentSpanId === undefined ? {} : { parentSpanId: trace.parentSpanId }),
      name: request ? String(data.operation ?? `${data.method} ${path}`) : `webhook ${data.type}`,
      kind: request ? serverSpan : clientSpan,
      startTimeUnixNano: nanoseconds(entry.wallAt - wallMs),
      endTimeUnixNano: nanoseconds(entry.wallAt),
      attributes: attributes(
        request
          ? {
              "http.request.method": data.method,
              "url.path": path,
              "server.address": data.host,
              "http.response.status_code": status,
              "backlot.request": entry.subject,
            }
          : {
              "http.request.method": "POST",
              "url.full": data.url,
              "http.response.status_code": status,
              "http.request.resend_count": typeof data.attempt === "number" ? data.attempt - 1 : undefined,
              "backlot.delivery": entry.subject,
              "backlot.outcome": data.outcome,
            },
      ),
      ...((request ? (status ?? 0) >= 500 : data.outcome !== "delivered") ? { status: { code: errorStatus } } : {}),
    },
  ];
}

/** Milliseconds with fractions as text of whole nanoseconds: more than a double can hold. */
const nanoseconds = (milliseconds: number) => `${BigInt(Math.round(milliseconds * 1_000)) * 1_000n}`;

type Attribute = {
  readonly key: string;
  readonly value: { readonly stringValue: string } | { readonly intValue: string };
};

function attributes(values: Readonly<Record<string, unknown>>): Attribute[] {
  return Object.entries(values).flatMap(([key, value]): Attribute[] => {
    if (typeof value === "string") return [{ key, value: { stringValue: value } }];
    if (typeof value === "number") return [{ key, value: { intValue: String(value) } }];
    return [];
  });
}
