/** HTTP/1.1 load: keep-alive connections, one request at a time on each, every status looked at. */
import { connect, type Socket } from "node:net";
import { counterMark, createMeter, type HttpJob, type Outcome } from "./plan.ts";
import { createResponseReader } from "./response-reader.ts";
import { serveJobs } from "./serve-jobs.ts";

function run(job: HttpJob): Promise<Outcome> {
  const meter = createMeter(job);
  let counter = 0;
  const nextRequest = () => {
    const text = job.requests[counter % job.requests.length] ?? "";
    counter += 1;
    return text.replace(counterMark, () => String(counter).padStart(counterMark.length, "0"));
  };
  const sockets = Array.from({ length: job.connections }, () => converse(job, nextRequest, meter));
  return meter.finished.finally(() => {
    for (const socket of sockets) socket.destroy();
  });
}

function converse(job: HttpJob, nextRequest: () => string, meter: ReturnType<typeof createMeter>): Socket {
  const socket = connect({ port: job.port, host: "127.0.0.1", noDelay: true });
  let sentAt = 0;
  const send = () => {
    sentAt = performance.now();
    socket.write(nextRequest(), "latin1");
  };
  const read = createResponseReader();
  socket.on("connect", send);
  socket.on("error", (cause) => meter.fail(cause));
  socket.on("close", () => meter.fail(new Error(`port ${job.port} closed a connection`)));
  socket.on("data", (chunk: Buffer) => {
    const response = read(chunk);
    if (!response) return;
    if (response.status !== job.status)
      meter.fail(new Error(`${response.status} instead of ${job.status}: ${response.start}`));
    else if (meter.done(performance.now() - sentAt)) send();
  });
  return socket;
}

serveJobs(run);
