import { createServer, type Server, type Socket } from "node:net";
import { afterReal } from "../../kernel/clock.ts";
import type { Listener, Runtime } from "../../kernel/emulator.ts";
import { listen } from "../../kernel/serve.ts";
import { defaultProfile } from "../domain/message.ts";
import { removeMessages } from "../mailbox.ts";
import { refusalText, refusedNow } from "../real.ts";
import type { MailState } from "../state.ts";
import { type Answer, createPop3Session, type Maildrop, type Pop3Access, type Pop3Session } from "./session.ts";

type MailRuntime = Runtime<MailState>;

/** RFC 1939 section 3: at least ten minutes. */
const idleMs = 600_000;
const longestLine = 1_024;
const mostMessages = 100_000;

/**
 * POP3 for applications that fetch mail. Written here because no maintained server library exists for it: those of npm
 * are clients, or whole mail systems with databases of their own; and the protocol is a dozen commands.
 */
export const pop3: Listener<MailState> = {
  name: "pop3",
  setting: "pop3Port",
  async open(runtime, bind) {
    const sockets = new Set<Socket>();
    const access = accessTo(runtime);
    let sessions = 0;
    const server: Server = createServer((socket) => {
      sessions += 1;
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
      serveClient(runtime, socket, access, runtime.ids.fixed("smtp.pop3", [sessions]).hex(16));
    });
    await listen(server, { host: bind.host, port: bind.port, setting: "BACKLOT_POP3_PORT" });
    const address = server.address();
    return {
      port: address !== null && typeof address === "object" ? address.port : bind.port,
      async close(deadlineMs) {
        const closed = new Promise<void>((resolve) => server.close(() => resolve()));
        for (const socket of sockets) socket.end();
        const disarm = afterReal(deadlineMs, () => {
          for (const socket of sockets) socket.destroy();
        });
        await closed;
        disarm();
      },
    };
  },
};

/** Who sees what: a name that is an address sees the mail to it, any other the whole mailbox. One session at a time. */
function accessTo(runtime: MailRuntime): Pop3Access {
  const { state } = runtime;
  const taken = new Set<string>();
  return {
    open(user, password): Maildrop | "in use" | "denied" {
      const mode = state.profile()?.auth ?? defaultProfile.auth;
      if (mode === "users" && state.password(user) !== password) return "denied";
      const name = user.toLowerCase();
      if (taken.has(name)) return "in use";
      taken.add(name);
      const all = state.arrivedAfter(0, mostMessages);
      const messages = name.includes("@")
        ? all.filter(({ recipients }) => recipients.some(({ address }) => address.toLowerCase() === name))
        : all;
      return {
        messages,
        content: state.content,
        remove: (ids) => void removeMessages(runtime, ids),
        release: () => void taken.delete(name),
      };
    },
  };
}

function serveClient(runtime: MailRuntime, socket: Socket, access: Pop3Access, id: string): void {
  const { journal, store, mode } = runtime;
  const refusal = () => {
    const refused = refusedNow(runtime);
    return refused && `-ERR [SYS/TEMP] ${refusalText(refused, mode.askedBy ?? "real mode")}\r\n`;
  };
  const session = createPop3Session(access);
  const remote = socket.remoteAddress;
  let held = "";
  let busy = false;
  let over = false;
  const work = async () => {
    busy = true;
    for (let end = held.indexOf("\n"); end !== -1 && !over; end = held.indexOf("\n")) {
      const line = held.slice(0, end).replace(/\r$/, "");
      held = held.slice(end + 1);
      const refused = refusal();
      over = refused !== undefined || (await answerTo(session, line, socket, store.committed));
      if (refused !== undefined) socket.write(refused);
    }
    busy = false;
    if (over) socket.end();
    else if (held.length > longestLine) socket.end("-ERR the line is too long\r\n");
  };
  socket.setTimeout(idleMs, () => socket.destroy());
  socket.on("error", () => socket.destroy());
  socket.on("close", () => {
    session.end();
    const { user, retrieved, deleted } = session;
    if (user !== undefined) journal.append("session", id, { listener: "pop3", remote, user, retrieved, deleted });
  });
  socket.on("data", (bytes) => {
    held += bytes.toString("latin1");
    if (!busy) void work();
  });
  const refused = refusal();
  if (refused !== undefined) socket.end(refused);
  else socket.write("+OK Backlot POP3\r\n");
}

/** True when it was the last command. What a command changed is committed before it is answered. */
async function answerTo(
  session: Pop3Session,
  line: string,
  socket: Socket,
  committed: () => Promise<void> | undefined,
): Promise<boolean> {
  const { answer, last } = session.take(line);
  await committed();
  await send(socket, answer);
  return last === true;
}

/** As fast as the client takes it. */
async function send(socket: Socket, answer: Answer): Promise<void> {
  for (const piece of typeof answer === "string" ? [`${answer.trimEnd()}\r\n`] : answer) {
    if (socket.destroyed) return;
    if (socket.write(piece)) continue;
    await new Promise<void>((resolve) => {
      const go = () => {
        socket.off("drain", go).off("close", go);
        resolve();
      };
      socket.on("drain", go).on("close", go);
    });
  }
}
