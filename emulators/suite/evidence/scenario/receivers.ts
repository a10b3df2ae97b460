/** Webhook receivers of a scenario. Their names stay the same whatever port they got, so signatures over URLs repeat. */
import { createServer, type IncomingHttpHeaders } from "node:http";

export interface Call {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly answered: number;
}

export interface Receivers {
  /** `http://app.receiver.test/hook` */
  url(name: string): string;
  /** Entries of BACKLOT_WEBHOOK_ALLOW that lead the names here. */
  readonly allow: string;
  answer(name: string, status: number): void;
  calls(name: string): readonly Call[];
  close(): Promise<void>;
}

export async function openReceivers(wanted: Readonly<Record<string, { readonly answer: number }>>): Promise<Receivers> {
  const answers = new Map(Object.entries(wanted).map(([name, { answer }]) => [name, answer]));
  const calls = new Map<string, Call[]>(Object.keys(wanted).map((name) => [name, []]));
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const name = request.headers.host?.replace(/\.receiver\.test.*$/, "") ?? "";
      const answered = answers.get(name) ?? 404;
      const body = Buffer.concat(chunks).toString("utf8");
      calls.get(name)?.push({ url: request.url ?? "", headers: request.headers, body, answered });
      response.writeHead(answered, { "content-length": "0" }).end();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const known = (name: string) => {
    if (!answers.has(name))
      throw new Error(`There is no receiver ${name}; there are ${[...answers.keys()].join(", ")}.`);
    return name;
  };
  return {
    url: (name) => `http://${known(name)}.receiver.test/hook`,
    allow: [...answers.keys()].map((name) => `${name}.receiver.test=127.0.0.1:${port}`).join(","),
    answer: (name, status) => void answers.set(known(name), status),
    calls: (name) => calls.get(known(name)) ?? [],
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
