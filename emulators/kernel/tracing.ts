/**
 * W3C trace context (https://www.w3.org/TR/trace-context/): taken from requests, kept in the journal, passed on in the
 * webhooks they cause, also over timers. Span ids are derived, so that the same run sends the same headers.
 *
 * What runs now is a plain variable: handlers and timers are synchronous around their write, and work that a handler does
 * after an `await` belongs to no trace rather than to a wrong one.
 */
import type { Exchange } from "./exchange.ts";
import type { Ids } from "./ids.ts";

/** A span as the journal shows it. */
export interface SpanNote {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly sampled: boolean;
}

/** What a row or a timer keeps: the `traceparent` of the span that caused it, and after a space its `tracestate`. */
export type KeptTrace = string;

export interface Tracer {
  readonly current: KeptTrace | undefined;
  /** Runs `work`, up to its first await, as caused by `trace`. */
  run<T>(trace: KeptTrace | undefined, work: () => T): T;
  /** The span of a request, noted in its journal entry; undefined when the client sent none and none is begun. */
  begin(exchange: Exchange): KeptTrace | undefined;
  /** The span of one attempt to deliver a webhook, and the headers that carry it. */
  attempt(trace: KeptTrace, delivery: string, n: number): { span: SpanNote; headers: Record<string, string> };
}

/** @param roots begins a trace where the client sent none; only of use when spans are exported */
export function createTracer(ids: Ids, roots?: { readonly run: string }): Tracer {
  let current: KeptTrace | undefined;
  const spanId = (...parts: (string | number)[]) => ids.fixed("kernel.span", parts).hex(16);
  return {
    get current() {
      return current;
    },
    run(trace, work) {
      const before = current;
      current = trace;
      try {
        return work();
      } finally {
        current = before;
      }
    },
    begin(exchange) {
      const given = exchange.header("traceparent");
      const parent = given === undefined ? undefined : parseTraceparent(given);
      if (!parent && !roots) return undefined;
      // A collector keeps traces of many runs, so that a trace begun here differs from run to run.
      const traceId = parent?.traceId ?? ids.fixed("kernel.trace", [roots?.run, exchange.id]).hex(32);
      const sampled = parent?.sampled ?? true;
      const span: SpanNote = {
        traceId,
        spanId: spanId(exchange.id),
        ...(parent ? { parentSpanId: parent.spanId } : {}),
        sampled,
      };
      exchange.note("trace", span);
      const state = parent ? exchange.header("tracestate") : undefined;
      const kept = formatTraceparent(span);
      return state === undefined || state === "" || state.length > longestState ? kept : `${kept} ${state}`;
    },
    attempt(trace, delivery, n) {
      const space = trace.indexOf(" ");
      const parent = parseTraceparent(space < 0 ? trace : trace.slice(0, space));
      if (!parent) throw new Error(`delivery ${delivery} keeps the trace ${trace}, which is none`);
      const span: SpanNote = { ...parent, spanId: spanId(delivery, n), parentSpanId: parent.spanId };
      return {
        span,
        headers: {
          traceparent: formatTraceparent(span),
          ...(space < 0 ? {} : { tracestate: trace.slice(space + 1) }),
        },
      };
    },
  };
}

/** The specification asks for at least 512 characters to be passed on. */
const longestState = 2_048;

/** Undefined for what is no traceparent: then the specification starts anew, and the tracestate goes with it. */
export function parseTraceparent(
  text: string,
): { readonly traceId: string; readonly spanId: string; readonly sampled: boolean } | undefined {
  const match = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/.exec(text.trim());
  const [, version, traceId, spanId, flags, rest] = match ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  if (version === "ff" || (version === "00" && rest !== undefined)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

const formatTraceparent = ({ traceId, spanId, sampled }: SpanNote) =>
  `00-${traceId}-${spanId}-${sampled ? "01" : "00"}`;
