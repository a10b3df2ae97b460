/** Lines kept of one session's dialogue before the rest is only counted. */
const longest = 1000;

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
  close(lastReply?: string): readonly string[];
}

export function createTranscript(): Transcript {
  let opening: string[] | undefined;
  let lines: string[] = [];
  let skipped = 0;
  let announced = 0;
  const add = (line: string) => {
    if (lines.length < longest) lines.push(line);
    else skipped += 1;
  };
  return {
    client: (line) => add(`C: ${line}`),
    server(line) {
      if (announced > 0) announced -= 1;
      else add(`S: ${line}`);
    },
    begin() {
      if (opening !== undefined) return;
      opening = lines;
      lines = [];
    },
    close(lastReply) {
      const shown = [...(opening ?? []), ...lines];
      if (skipped > 0) shown.push(`(${skipped} more lines)`);
      if (lastReply !== undefined) {
        shown.push(`S: ${lastReply}`);
        announced = 1;
      }
      lines = [];
      skipped = 0;
      return shown;
    },
  };
}
