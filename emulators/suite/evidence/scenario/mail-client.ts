/** Sends one message as a plain SMTP client would (RFC 5321), and says how far it came. */
import { connect } from "node:net";
import { afterReal } from "../../../kernel/clock.ts";

export interface Letter {
  readonly from: string;
  readonly to: readonly string[];
  readonly user?: { readonly name: string; readonly password: string } | undefined;
  /** Lines end with CRLF. */
  readonly message: string;
}

export interface Reply {
  readonly code: number;
  readonly text: string;
}

const deadlineMs = 20_000;

/** Resolves with the reply that ended the dialogue: of the message, or the first that refused. */
export function sendMail(host: string, port: number, letter: Letter): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, host);
    let heard = "";
    let waiting: ((reply: Reply) => void) | undefined;
    const cancel = afterReal(deadlineMs, () =>
      socket.destroy(new Error(`no reply from ${host} within ${deadlineMs} ms`)),
    );
    const fail = (cause: Error) => {
      cancel();
      reject(cause);
    };
    socket.on("error", fail);
    socket.on("close", () => fail(new Error("the server ended the connection")));
    socket.setEncoding("utf8");
    socket.on("data", (chunk: string) => {
      heard += chunk;
      const whole = /^(?:\d{3}-[^\n]*\n)*(\d{3})(?: ([^\n]*))?\r?\n/.exec(heard);
      if (!whole) return;
      heard = heard.slice(whole[0].length);
      waiting?.({ code: Number(whole[1]), text: whole[0].trim() });
    });
    const hear = () =>
      new Promise<Reply>((next) => {
        waiting = next;
      });
    const say = (line: string) => {
      const reply = hear();
      socket.write(`${line}\r\n`);
      return reply;
    };
    converse(letter, hear, say).then((reply) => {
      cancel();
      socket.removeAllListeners("close");
      socket.removeListener("error", fail);
      socket.on("error", () => {}); // the answer is there; how the connection ends changes nothing
      socket.end("QUIT\r\n");
      resolve(reply);
    }, fail);
  });
}

async function converse(
  { from, to, user, message }: Letter,
  hear: () => Promise<Reply>,
  say: (line: string) => Promise<Reply>,
): Promise<Reply> {
  const refused = ({ code }: Reply) => code >= 400;
  let reply = await hear();
  if (refused(reply)) return reply;
  reply = await say("EHLO scenario.backlot.test");
  if (refused(reply)) return reply;
  if (user) {
    reply = await say(`AUTH PLAIN ${Buffer.from(`\0${user.name}\0${user.password}`).toString("base64")}`);
    if (refused(reply)) return reply;
  }
  reply = await say(`MAIL FROM:<${from}>`);
  if (refused(reply)) return reply;
  let accepted = 0;
  for (const recipient of to) {
    reply = await say(`RCPT TO:<${recipient}>`);
    if (!refused(reply)) accepted += 1;
  }
  if (accepted === 0) return reply;
  reply = await say("DATA");
  if (refused(reply)) return reply;
  return say(`${message.replace(/^\./gm, "..")}\r\n.`);
}
