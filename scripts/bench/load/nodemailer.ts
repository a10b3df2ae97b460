/** What test suites do: nodemailer without a pool, a fresh connection for each mail, one after another. */
import { createTransport } from "nodemailer";
import { mailText, recipient, sender } from "./mail-text.ts";
import { counterMark, createMeter, type Outcome, type SmtpJob } from "./plan.ts";
import { serveJobs } from "./serve-jobs.ts";

async function run(job: SmtpJob): Promise<Outcome> {
  const meter = createMeter(job);
  const transport = createTransport({ host: "127.0.0.1", port: job.port, secure: false, ignoreTLS: true });
  const text = mailText(job.size);
  for (let counter = 1, goOn = true; goOn; counter += 1) {
    const raw = text.replaceAll(counterMark, String(counter).padStart(counterMark.length, "0"));
    const startedAt = performance.now();
    await transport.sendMail({ envelope: { from: sender, to: recipient }, raw });
    goOn = meter.done(performance.now() - startedAt);
  }
  return meter.finished;
}

serveJobs(run);
