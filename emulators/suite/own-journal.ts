/**
 * The suite's own journal - what the gateway refused, let through or could not use - as a member's: so it stands in the merged
 * journal, the live feed and the metrics like those of the emulators, and takes no other way.
 */
import { Hono } from "hono";
import type { KernelEnv } from "../kernel/emulator.ts";
import { createFeed } from "../kernel/feed.ts";
import { createFeedTokens } from "../kernel/feed-token.ts";
import { createHost, type HostRuntime } from "../kernel/host.ts";
import type { Journal } from "../kernel/journal.ts";
import { createPage, type Metrics } from "../kernel/metrics.ts";
import type { Gateway } from "./gateway/gateway.ts";
import type { Member } from "./member.ts";

export interface OwnJournal {
  /** Answers for journal, events and metrics; it emulates nothing, so clocks, health and state are not asked of it. */
  readonly member: Member;
  /** What a reset does. */
  clear(): void;
  close(): void;
}

export function createOwnJournal(runtime: HostRuntime, gateway: Pick<Gateway, "connections"> | undefined): OwnJournal {
  const { journal } = runtime;
  const feed = createFeed(runtime.name, journal);
  const metrics = createOwnMetrics(runtime.name, journal, gateway);
  const host = createHost({
    runtime,
    sites: [],
    control: {
      vitals: new Hono<KernelEnv>(),
      async others() {
        const [{ journalRoutes }, { feedRoutes }] = await Promise.all([
          import("../kernel/control-journal.ts"),
          import("../kernel/control-feed.ts"),
        ]);
        const routes = new Hono<KernelEnv>();
        journalRoutes(routes, journal, metrics);
        feedRoutes(routes, feed, createFeedTokens(undefined, runtime.clock));
        return routes;
      },
    },
    guard: () => undefined, // it has no socket: only the suite itself asks
    refusal: () => {
      throw new Error("the suite refuses nothing");
    },
    allowedHosts: [],
    gates: [],
  });
  return {
    member: {
      name: runtime.name,
      title: "Backlot",
      addresses: [],
      request: (method, path) => host.fetch(new Request(`http://localhost${path}`, { method })),
    },
    clear: journal.clear,
    close: feed.close,
  };
}

function createOwnMetrics(name: string, journal: Journal, gateway: Pick<Gateway, "connections"> | undefined): Metrics {
  const counts = { refused: 0, allowed: 0, unusable: 0 };
  journal.onAppend(({ kind, data }) => {
    if (kind === "egress") counts[data.verdict === "allowed" ? "allowed" : "refused"] += 1;
    else if (data.by === "gateway") counts.unusable += 1;
  });
  return {
    text() {
      const page = createPage({ emulator: name });
      page.family("backlot_egress_refused_total", "counter", "Calls out of the machine that were refused.");
      page.sample("backlot_egress_refused_total", counts.refused);
      page.family(
        "backlot_egress_allowed_total",
        "counter",
        "Calls out of the machine that BACKLOT_EGRESS_ALLOW let through.",
      );
      page.sample("backlot_egress_allowed_total", counts.allowed);
      page.family("backlot_gateway_unusable_total", "counter", "Requests and connections the gateway could not use.");
      page.sample("backlot_gateway_unusable_total", counts.unusable);
      page.family("backlot_gateway_connections", "gauge", "Connections open at the gateway.");
      page.sample("backlot_gateway_connections", gateway?.connections ?? 0);
      return page.text();
    },
  };
}
