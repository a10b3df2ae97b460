import { dotStuffed } from "../domain/dot-stuffing.ts";
import type { MessageSummary } from "../domain/message.ts";

/** The mail that one user sees, as it was when the session began (RFC 1939 section 3). */
export interface Maildrop {
  readonly messages: readonly Pick<MessageSummary, "id" | "size">[];
  /** All bytes of a message, in pieces; undefined when it was deleted meanwhile. */
  content(id: string): Iterable<Buffer> | undefined;
  /** What the session marked as deleted goes now. */
  remove(ids: readonly string[]): void;
  /** The next session may have it. */
  release(): void;
}

export interface Pop3Access {
  /** `in use` when another session has this user's mail, `denied` when the password is wrong. */
  open(user: string, password: string): Maildrop | "in use" | "denied";
}

/** What is sent: a line, or an answer of several lines that ends with a dot. */
export type Answer = string | Iterable<Buffer>;

export interface Pop3Session {
  readonly user: string | undefined;
  readonly retrieved: number;
  readonly deleted: number;
  /** Answers a command; `last` when the connection is to be closed after it. */
  take(line: string): { readonly answer: Answer; readonly last?: true };
  /** The connection is gone: nothing that was marked is deleted. */
  end(): void;
}

const capabilities = ["USER", "TOP", "UIDL", "PIPELINING", "RESP-CODES", "EXPIRE NEVER", "IMPLEMENTATION Backlot"];
type Reply = { readonly answer: Answer; readonly last?: true };
const fine = (text: string): Reply => ({ answer: `+OK ${text}` });
const wrong = (text: string): Reply => ({ answer: `-ERR ${text}` });

/** One POP3 dialogue (RFC 1939, CAPA of RFC 2449), without sockets. */
export function createPop3Session(access: Pop3Access): Pop3Session {
  let named: string | undefined;
  let drop: Maildrop | undefined;
  let retrieved = 0;
  let removed = 0;
  const marked = new Set<number>();

  const present = (there: Maildrop) =>
    there.messages.flatMap((message, index) => (marked.has(index) ? [] : [{ ...message, number: index + 1 }]));
  /** The message of that number, unless there is none or it is marked as deleted. */
  const numbered = (there: Maildrop, text: string | undefined) =>
    present(there).find(({ number }) => String(number) === text);
  const listing = (
    there: Maildrop,
    text: string | undefined,
    shown: (message: { id: string; size: number }) => string,
  ) => {
    if (text === undefined) {
      const lines = present(there).map((message) => `${message.number} ${shown(message)}`);
      return { answer: [Buffer.from(["+OK", ...lines, ".", ""].join("\r\n"))] };
    }
    const message = numbered(there, text);
    return message === undefined ? noSuch(text) : fine(`${message.number} ${shown(message)}`);
  };
  const fetched = (there: Maildrop, text: string | undefined, lines: number | undefined): Reply => {
    const message = numbered(there, text);
    const content = message === undefined ? undefined : there.content(message.id);
    if (message === undefined || content === undefined) return noSuch(text);
    if (lines === undefined) retrieved += 1;
    return { answer: dotted(`+OK ${message.size} octets`, lines === undefined ? content : beginning(content, lines)) };
  };

  const beforeLogin = (verb: string, rest: string): Reply => {
    switch (verb) {
      case "USER":
        if (rest === "") return wrong("USER takes a name");
        named = rest;
        return fine(`send PASS for ${rest}`);
      case "PASS": {
        if (named === undefined) return wrong("USER comes first");
        const opened = access.open(named, rest);
        if (opened === "denied") return wrong("[AUTH] name or password is wrong");
        if (opened === "in use") return wrong("[IN-USE] another session reads this mail");
        drop = opened;
        return fine(`${opened.messages.length} messages`);
      }
      case "QUIT":
        return { answer: "+OK", last: true };
      default:
        return wrong(`${verb} is not possible before USER and PASS`);
    }
  };

  const afterLogin = (there: Maildrop, verb: string, rest: string): Reply => {
    const [first, second] = rest === "" ? [] : rest.split(/ +/);
    switch (verb) {
      case "STAT": {
        const left = present(there);
        return fine(`${left.length} ${left.reduce((sum, { size }) => sum + size, 0)}`);
      }
      case "LIST":
        return listing(there, first, ({ size }) => String(size));
      case "UIDL":
        return listing(there, first, ({ id }) => id);
      case "RETR":
        return fetched(there, first, undefined);
      case "TOP":
        return /^\d{1,9}$/.test(second ?? "") ? fetched(there, first, Number(second)) : wrong("TOP takes two numbers");
      case "DELE": {
        const message = numbered(there, first);
        if (message === undefined) return noSuch(first);
        marked.add(message.number - 1);
        return fine(`message ${first} is marked`);
      }
      case "RSET":
        marked.clear();
        return fine(`${there.messages.length} messages`);
      case "NOOP":
        return fine("");
      case "QUIT": {
        const ids = [...marked].flatMap((index) => there.messages[index]?.id ?? []);
        there.remove(ids);
        removed = ids.length;
        return { answer: `+OK ${ids.length} deleted`, last: true };
      }
      default:
        return wrong(`${verb} is not spoken here`);
    }
  };

  return {
    get user() {
      return drop === undefined ? undefined : named;
    },
    get retrieved() {
      return retrieved;
    },
    get deleted() {
      return removed;
    },
    take(line) {
      const [, verb = "", rest = ""] = /^(\S*) ?(.*)$/s.exec(line) ?? [];
      if (verb.toUpperCase() === "CAPA")
        return { answer: [Buffer.from(["+OK", ...capabilities, ".", ""].join("\r\n"))] };
      return drop === undefined ? beforeLogin(verb.toUpperCase(), rest) : afterLogin(drop, verb.toUpperCase(), rest);
    },
    end: () => drop?.release(),
  };
}

function noSuch(text: string | undefined): Reply {
  return wrong(`there is no message ${text ?? "without a number"}`);
}

function* dotted(first: string, content: Iterable<Buffer>): Iterable<Buffer> {
  yield Buffer.from(`${first}\r\n`);
  yield* dotStuffed(content);
}

/** The header, the blank line and so many lines of the body. */
function* beginning(content: Iterable<Buffer>, lines: number): Iterable<Buffer> {
  let held = Buffer.alloc(0);
  for (const piece of content) {
    held = Buffer.concat([held, piece]);
    const end = endOfLines(held, lines);
    if (end === undefined) continue;
    yield held.subarray(0, end);
    return;
  }
  yield held;
}

function endOfLines(held: Buffer, lines: number): number | undefined {
  const header = held.indexOf("\r\n\r\n");
  if (header === -1) return undefined;
  let end = header + 4;
  for (let left = lines; left > 0; left -= 1) {
    const next = held.indexOf("\r\n", end);
    if (next === -1) return undefined;
    end = next + 2;
  }
  return end;
}
