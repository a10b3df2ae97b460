/** Lines kept of one session's dialogue before the rest is only counted. */
const longest = 1000;

/** What was said, kept as one text because every message has one; JSON shows its lines. */
export class Dialogue {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  get lines(): readonly string[] {
    return this.text === "" ? [] : this.text.split("\n");
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
  let text = "";
  let kept = 0;
  let skipped = 0;
  let announced = false;
  const add = (line: string) => {
    if (kept === longest) {
      skipped += 1;
      return;
    }
    text = joined(text, line);
    kept += 1;
  };
  return {
    client: (line) => add(`C: ${line}`),
    server(line) {
      if (announced) announced = false;
      else add(`S: ${line}`);
    },
    begin() {
      if (opening !== undefined) return;
      opening = text;
      text = "";
      kept = 0;
    },
    close(lastReply) {
      let shown = joined(opening ?? "", text);
      if (skipped > 0) shown = joined(shown, `(${skipped} more lines)`);
      if (lastReply !== undefined) {
        shown = joined(shown, `S: ${lastReply}`);
        announced = true;
      }
      text = "";
      kept = 0;
      skipped = 0;
      return new Dialogue(shown);
    },
  };
}

function joined(before: string, after: string): string {
  if (before === "") return after;
  return after === "" ? before : `${before}\n${after}`;
}
