import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { afterReal } from "../../kernel/clock.ts";
import { dotStuffed } from "../domain/dot-stuffing.ts";

/** A message on its way to another server. */
export interface Relayed {
  /** Addresses that were checked, to connect to. */
  readonly addresses: readonly string[];
  readonly port: number;
  readonly helo: string;
  readonly login?: { readonly username: string; readonly password: string } | undefined;
  /** Empty for the null sender. */
  readonly mailFrom: string;
  readonly recipients: readonly string[];
  readonly content: Iterable<Buffer>;
}

const patienceMs = 15_000;

/** Sends a message by SMTP, without TLS; answers with the last reply, or throws with what went wrong. */
export async function relay(mail: Relayed): Promise<string> {
  const socket = await opened(mail);
  const disarm = afterReal(patienceMs, () => socket.destroy(new Error(`no answer within ${patienceMs} ms`)));
  const failure = new Promise<never>((_, reject) => socket.once("error", reject));
  failure.catch(() => {}); // whoever waits for a reply is told; nobody does after the last one
  try {
    return await Promise.race([dialogue(socket, mail), failure]);
  } finally {
    disarm();
    socket.end();
  }
}

function opened({ addresses, port }: Relayed): Promise<Socket> {
  const [host] = addresses;
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    const disarm = afterReal(patienceMs, () => socket.destroy(new Error("it did not connect in time")));
    socket.once("error", reject);
    socket.once("connect", () => {
      disarm();
      socket.off("error", reject);
      resolve(socket);
    });
  });
}

async function dialogue(socket: Socket, mail: Relayed): Promise<string> {
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  const reply = async (expected: string): Promise<string> => {
    for (;;) {
      const { value, done } = await lines.next();
      if (done) throw new Error("the server closed the connection");
      if (/^\d{3}-/.test(value)) continue;
      if (!value.startsWith(expected)) throw new Error(value);
      return value;
    }
  };
  const say = (line: string, expected: string) => {
    socket.write(`${line}\r\n`);
    return reply(expected);
  };
  await reply("2");
  await say(`EHLO ${mail.helo}`, "2");
  if (mail.login !== undefined) {
    const { username, password } = mail.login;
    await say(`AUTH PLAIN ${Buffer.from(`\0${username}\0${password}`).toString("base64")}`, "2");
  }
  await say(`MAIL FROM:<${mail.mailFrom}>`, "2");
  for (const recipient of mail.recipients) await say(`RCPT TO:<${recipient}>`, "2");
  await say("DATA", "3");
  for (const piece of dotStuffed(mail.content))
    if (!socket.write(piece)) await new Promise<void>((resolve) => void socket.once("drain", resolve));
  const last = await reply("2");
  socket.write("QUIT\r\n");
  return last;
}
