/**
 * What tried to leave, and what was let through, one by one and by target. It is in the suite's journal too, but a reset,
 * which clears the journal, does not clear this: it speaks of the run as a whole.
 */
import { isoMilliseconds } from "../../kernel/clock.ts";
import type { Journal } from "../../kernel/journal.ts";
import type { JournalEntry } from "../../kernel/journal-entry.ts";

export interface Attempt {
  readonly host: string;
  readonly port: number;
  /** CONNECT, the HTTP method, or TLS for a connection that named its host by SNI only. */
  readonly method: string;
  /** Address and port of the client, and what it calls itself. */
  readonly client: string;
  readonly userAgent?: string | undefined;
  readonly reason: string;
}

export interface EgressTarget {
  /** `example.com:443`. */
  readonly target: string;
  readonly verdict: "refused" | "allowed";
  readonly methods: readonly string[];
  readonly count: number;
  readonly firstAt: string;
  readonly lastAt: string;
  readonly reason: string;
}

export interface Ledger {
  refused(attempt: Attempt): void;
  allowed(attempt: Attempt): void;
  /** Adds what an emulator's own guard refuses: webhooks to foreign hosts. Returns how to stop. */
  watch(journal: Journal): () => void;
  /** The gateway's own attempts one by one, oldest first: the newest thousand. */
  entries(verdict: EgressTarget["verdict"]): readonly JournalEntry[];
  /** By target, in the order of first sight. */
  targets(): readonly EgressTarget[];
  readonly totals: { readonly refused: number; readonly allowed: number };
}

/** So many targets are kept apart; what comes after is counted together. */
const mostTargets = 1_000;
const mostAttempts = 1_000;

/** Address and port of a client, as far as its socket still knows them. */
export function clientOf(socket: object): string {
  const address = "remoteAddress" in socket ? socket.remoteAddress : undefined;
  const port = "remotePort" in socket ? socket.remotePort : undefined;
  return `${address ?? "?"}:${port ?? 0}`;
}

export function createLedger(journal: Journal): Ledger {
  const targets = new Map<string, EgressTarget>();
  const attempts: JournalEntry[] = [];
  const totals = { refused: 0, allowed: 0 };
  const count = (verdict: EgressTarget["verdict"], target: string, method: string, reason: string, at: string) => {
    totals[verdict] += 1;
    const own = `${verdict} ${target}`;
    const key = targets.has(own) || targets.size < mostTargets ? own : `${verdict} (others)`;
    const known = targets.get(key);
    targets.set(key, {
      target: key.slice(verdict.length + 1),
      verdict,
      methods: known ? [...new Set([...known.methods, method])].slice(0, 10) : [method],
      count: (known?.count ?? 0) + 1,
      firstAt: known?.firstAt ?? at,
      lastAt: at,
      reason,
    });
  };
  const note = (verdict: EgressTarget["verdict"], attempt: Attempt) => {
    const { host, port, method, client, userAgent, reason } = attempt;
    const target = `${host.includes(":") ? `[${host}]` : host}:${port}`;
    const entry = journal.append("egress", target, {
      verdict,
      host,
      port,
      method,
      client,
      ...(userAgent === undefined ? {} : { userAgent }),
      reason,
    });
    attempts.push(entry);
    if (attempts.length > mostAttempts) attempts.shift();
    count(verdict, target, method, reason, isoMilliseconds(entry.at));
  };
  return {
    refused: (attempt) => note("refused", attempt),
    allowed: (attempt) => note("allowed", attempt),
    watch: (other) =>
      other.onAppend((entry: JournalEntry) => {
        if (entry.kind !== "egress") return;
        const { target, by, reason } = entry.data;
        count("refused", String(target), String(by), String(reason), isoMilliseconds(entry.at));
      }),
    entries: (verdict) => attempts.filter(({ data }) => data.verdict === verdict),
    targets: () => [...targets.values()],
    totals,
  };
}
