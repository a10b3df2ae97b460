import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** A client that sends exactly what it is told. */
export interface RawClient {
  readonly socket: Socket;
  /** Sends bytes as they are. */
  send(bytes: string | Buffer): void;
  /** The next reply, all its lines, without the last CRLF. */
  reply(): Promise<string>;
  /** Sends one line and waits for its reply. */
  say(line: string): Promise<string>;
  /** MAIL, RCPT, DATA, content as it stands on the wire, final dot; the last reply. */
  mail(from: string, to: readonly string[], wire: string | Buffer): Promise<string>;
  /** Resolves when the other side has closed. */
  closed(): Promise<void>;
  end(): void;
}

export async function rawClient(port: number, greeted = true): Promise<RawClient> {
  const socket = connect(port, "127.0.0.1");
  socket.setNoDelay(true);
  let pending = "";
  const replies: string[] = [];
  let wake: (() => void) | undefined;
  socket.on("data", (chunk) => {
    pending += chunk.toString("latin1");
    for (;;) {
      const found = /^(?:\d{3}-.*\r\n)*\d{3}(?: .*)?\r\n/.exec(pending);
      if (!found) break;
      replies.push(found[0].slice(0, -2));
      pending = pending.slice(found[0].length);
    }
    wake?.();
  });
  let ended = false;
  socket.on("close", () => {
    ended = true;
    wake?.();
  });
  socket.on("error", () => {});
  await once(socket, "connect");
  const client: RawClient = {
    socket,
    send: (bytes) => void socket.write(bytes),
    async reply() {
      for (;;) {
        const next = replies.shift();
        if (next !== undefined) return next;
        if (ended) throw new Error("the server closed the connection");
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    say(line) {
      client.send(`${line}\r\n`);
      return client.reply();
    },
    async mail(from, to, wire) {
      for (const line of [`MAIL FROM:<${from}>`, ...to.map((address) => `RCPT TO:<${address}>`), "DATA"]) {
        const answer = await client.say(line);
        if (!/^[23]/.test(answer)) return answer;
      }
      client.send(wire);
      client.send(".\r\n");
      return client.reply();
    },
    closed: async () => {
      while (!ended) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    end: () => void socket.end(),
  };
  if (greeted) {
    const greeting = await client.reply();
    if (!greeting.startsWith("220 ")) throw new Error(greeting);
    await client.say("EHLO client.test");
  }
  return client;
}

/** Lines as a client must put them on the wire: a dot more before each that begins with one. */
export function dotStuffed(content: Buffer): Buffer {
  const bytes = content.toString("latin1").replaceAll(/(^|\r\n)\./g, "$1..");
  return Buffer.from(bytes, "latin1");
}

export function queuedId(reply: string): string {
  const id = /^250 2\.0\.0 Ok: queued as ([0-9A-Za-z]{22})$/.exec(reply)?.[1];
  if (id === undefined) throw new Error(`not accepted: ${reply}`);
  return id;
}
