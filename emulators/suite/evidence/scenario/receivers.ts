/**
 * Webhook receivers of a scenario. Their names stay the same whatever port they got, so signatures over URLs repeat. One
 * that was given a secret refuses what does not verify, as an application would.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
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
  /** From now on what is not signed with the secret, or not within five minutes of `now`, is refused with 401. */
  demand(name: string, secret: string, now: () => number): void;
  calls(name: string): readonly Call[];
  close(): Promise<void>;
}

export async function openReceivers(wanted: Readonly<Record<string, { readonly answer: number }>>): Promise<Receivers> {
  const answers = new Map(Object.entries(wanted).map(([name, { answer }]) => [name, answer]));
  const demands = new Map<string, (headers: IncomingHttpHeaders, body: Buffer) => boolean>();
  const calls = new Map<string, Call[]>(Object.keys(wanted).map((name) => [name, []]));
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const name = request.headers.host?.replace(/\.receiver\.test.*$/, "") ?? "";
      const bytes = Buffer.concat(chunks);
      const genuine = demands.get(name)?.(request.headers, bytes) ?? true;
      const answered = genuine ? (answers.get(name) ?? 404) : 401;
      const body = bytes.toString("utf8");
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
    demand: (name, secret, now) =>
      void demands.set(known(name), (headers, body) => verifies(headers, body, secret, now())),
    calls: (name) => calls.get(known(name)) ?? [],
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

const toleranceSeconds = 300;

/** Standard Webhooks 1.0.0, written from its specification and not from the code that signs. */
function verifies(headers: IncomingHttpHeaders, body: Buffer, secret: string, now: number): boolean {
  const [id, timestamp, signatures] = ["webhook-id", "webhook-timestamp", "webhook-signature"].map(
    (name) => headers[name],
  );
  if (typeof id !== "string" || typeof timestamp !== "string" || typeof signatures !== "string") return false;
  if (!/^\d+$/.test(timestamp) || Math.abs(now / 1000 - Number(timestamp)) > toleranceSeconds) return false;
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const expected = createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body).digest();
  return signatures.split(" ").some((entry) => {
    const [version, encoded = ""] = entry.split(",");
    const given = Buffer.from(encoded, "base64");
    return version === "v1" && given.length === expected.length && timingSafeEqual(given, expected);
  });
}
