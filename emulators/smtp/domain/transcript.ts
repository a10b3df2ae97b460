/** Lines kept of one session's dialogue before the rest is only counted. */
const longest = 1000;

/** What was said, kept as text because every message has one; JSON shows its lines. */
export class Dialogue {
  /** All mails of a session share it: joined with each of them it would be most of what the journal holds of a mail. */
  private readonly opening: string;
  private readonly rest: string;

  constructor(opening: string, rest = "") {
    this.opening = opening;
    this.rest = rest;
  }

  get text(): string {
    return joined(this.opening, this.rest);
  }

  get lines(): readonly string[] {
    const { text } = this;
    return text === "" ? [] : text.split("\n");
  }

  toJSON(): readonly string[] {
    return this.lines;
  }
}

/**
 * What was said in a session: `C: ` and `S: ` lines, without the content of messages and without credentials. Each mail
 * transaction is shown with the opening of its session (greeting, EHLO, AUTH).
 */
export interface Transcript {
  client(line: string): void;
  server(line: string): void;
  /** MAIL begins a transaction: what was said before the first one is the opening. */
  begin(): void;
  /** Opening and present transaction, ended by the reply that is about to be sent. */
  close(lastReply?: string): Dialogue;
}

export function createTranscript(): Transcript {
  let opening: string | undefined;
  let said: string[] = [];
  let skipped = 0;
  let announced = false;
  const add = (line: string) => {
    if (said.length < longest) said.push(line);
    else skipped += 1;
  };
  return {
    client: (line) => add(`C: ${line}`),
    server(line) {
      if (announced) announced = false;
      else add(`S: ${line}`);
    },
    begin() {
      if (opening !== undefined) return;
      opening = said.join("\n");
      said = [];
    },
    close(lastReply) {
      if (skipped > 0) said.push(`(${skipped} more lines)`);
      if (lastReply !== undefined) {
        said.push(`S: ${lastReply}`);
        announced = true;
      }
      const rest = said.join("\n");
      said = [];
      skipped = 0;
      return new Dialogue(opening ?? "", rest);
    },
  };
}

function joined(before: string, after: string): string {
  if (before === "") return after;
  return after === "" ? before : `${before}\n${after}`;
}
