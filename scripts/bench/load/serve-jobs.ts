/** The process of a generator: takes jobs one after another from the process that measures. */
import type { Outcome } from "./plan.ts";

export interface Reply {
  readonly outcome?: Outcome;
  readonly problem?: string;
}

export function serveJobs<Job>(run: (job: Job) => Promise<Outcome>): void {
  process.on("message", (job: Job) => {
    run(job).then(
      (outcome) => process.send?.({ outcome } satisfies Reply),
      (cause: unknown) =>
        process.send?.({ problem: cause instanceof Error ? cause.message : String(cause) } satisfies Reply),
    );
  });
  process.on("disconnect", () => process.exit());
}
