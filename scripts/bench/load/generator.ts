/** Load from a process of its own, so that it shares no event loop with a server or with the one that measures. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { typescript } from "../server-process.ts";
import type { HttpJob, Outcome, SmtpJob } from "./plan.ts";
import type { Reply } from "./serve-jobs.ts";

/** A server that stops answering must not hold up the run. */
const deadlineMs = 120_000;

interface Generator<Job> {
  run(job: Job): Promise<Outcome>;
}

export interface Generators {
  readonly http: Generator<HttpJob>;
  readonly smtp: Generator<SmtpJob>;
  readonly nodemailer: Generator<SmtpJob>;
  close(): void;
}

export function startGenerators(): Generators {
  const [http, smtp, nodemailer] = [
    start<HttpJob>("http.ts"),
    start<SmtpJob>("smtp.ts"),
    start<SmtpJob>("nodemailer.ts"),
  ];
  return {
    http,
    smtp,
    nodemailer,
    close() {
      for (const generator of [http, smtp, nodemailer]) generator.close();
    },
  };
}

function start<Job extends HttpJob | SmtpJob>(file: string): Generator<Job> & { close(): void } {
  // "advanced": Infinity, an extent without an end, does not survive JSON.
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), {
    execArgv: typescript,
    serialization: "advanced",
  });
  return {
    async run(job) {
      const aborted = AbortSignal.timeout(deadlineMs);
      child.send(job);
      const [{ outcome, problem }] = (await once(child, "message", { signal: aborted })) as [Reply];
      if (!outcome) throw new Error(`the load generator ${file}: ${problem}`);
      return outcome;
    },
    close: () => child.disconnect(),
  };
}
