/**
 * SMTP load over a few connections that pipeline as RFC 2920 allows: MAIL, RCPT and DATA together, and again right behind
 * the previous mail. Every reply is looked at.
 */
import { connect, type Socket } from "node:net";
import { mailText, recipient, sender } from "./mail-text.ts";
import { counterMark, createMeter, type Meter, type Outcome, type SmtpJob } from "./plan.ts";
import { serveJobs } from "./serve-jobs.ts";

const envelope = `MAIL FROM:<${sender}>\r\nRCPT TO:<${recipient}>\r\nDATA\r\n`;

function run(job: SmtpJob): Promise<Outcome> {
  const meter = createMeter(job);
  const [before = "", between = "", after = ""] = mailText(job.size).split(counterMark);
  const rest = Buffer.from(`${after}.\r\n${envelope}`);
  const last = Buffer.from(`${after}.\r\nQUIT\r\n`);
  let counter = 0;
  let enough = false;
  const sendMail = (socket: Socket) => {
    counter += 1;
    const number = String(counter).padStart(counterMark.length, "0");
    socket.cork();
    socket.write(before + number + between + number);
    socket.write(enough ? last : rest);
    socket.uncork();
  };
  const conversations = Array.from({ length: job.connections }, () => converse(job.port, sendMail, meter));
  return meter.finished.finally(() => {
    enough = true;
    return Promise.all(conversations); // each in good order: a server may take a broken connection badly
  });
}

function converse(port: number, sendMail: (socket: Socket) => void, meter: Meter): Promise<void> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  let sentAt = 0;
  /** What the next final reply must be, and what follows from it. */
  const greeting = { code: "220", act: () => socket.write("EHLO bench.backlot.test\r\n"), next: 1 };
  const hello = { code: "250", act: () => socket.write(envelope), next: 2 };
  const mail = { code: "250", act: () => true, next: 3 };
  const rcpt = { code: "250", act: () => true, next: 4 };
  const data = {
    code: "354",
    act() {
      sentAt = performance.now();
      sendMail(socket);
      return true;
    },
    next: 5,
  };
  const accepted = { code: "250", act: () => meter.done(performance.now() - sentAt), next: 2 };
  const steps = [greeting, hello, mail, rcpt, data, accepted] as const;
  let step: (typeof steps)[number] | undefined = greeting;
  let pending = "";
  socket.on("error", (cause) => meter.fail(cause));
  socket.on("close", () => meter.fail(new Error(`port ${port} closed a connection`)));
  socket.setEncoding("latin1").on("data", (text: string) => {
    const lines = (pending + text).split("\r\n");
    pending = lines.pop() ?? "";
    for (const line of lines) {
      if (line[3] === "-" || !step) continue;
      if (line.startsWith("221")) return; // the answer to QUIT
      if (!line.startsWith(step.code)) {
        meter.fail(new Error(`"${line}" instead of ${step.code}`));
        socket.destroy();
        return;
      }
      step.act();
      step = steps[step.next];
    }
  });
  return new Promise((resolve) => socket.once("close", () => resolve()));
}

serveJobs(run);
