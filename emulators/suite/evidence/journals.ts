/** The members' journals of a run: marked at its start, read at its end. */
import type { Member } from "../member.ts";
import { ask } from "../member.ts";
import type { JournalPage, Shown } from "./shown.ts";

/** Where the journal of each member stood when the run began, and what keeps it from then on. */
export type Marks = ReadonlyMap<string, Mark>;

interface Mark {
  readonly id: string;
  readonly since: number;
  readonly epoch: string;
}

/** What evidence reads; changes and mail show in the exports. */
const kinds = ["request", "delivery"] as const;
/** The ledger of what tried to leave is asked for by itself. */
const held = [...kinds, "egress"] as const;
/** Answers of some ten kilobytes are cheaper for the memory than few large ones. */
const page = 32;

/** From now on no journal forgets what evidence reads, until the marks are lifted. */
export async function markJournals(members: readonly Member[]): Promise<Marks> {
  const marks = new Map<string, Mark>();
  try {
    for (const member of members)
      marks.set(member.name, await ask<Mark>(member, "POST", "/_backlot/journal/holds", { kinds: held }));
  } catch (cause) {
    await liftMarks(members, marks);
    throw cause;
  }
  return marks;
}

export async function liftMarks(members: readonly Member[], marks: Marks): Promise<void> {
  for (const member of members) {
    const mark = marks.get(member.name);
    // One that went away, or started anew, holds nothing any more.
    if (mark) await member.request("DELETE", `/_backlot/journal/holds/${mark.id}`).catch(() => {});
  }
}

/**
 * Requests and deliveries of the run, oldest first.
 * @throws when the journal does not hold the whole run
 */
export async function* eachEntry(member: Member, marks: Marks): AsyncGenerator<Shown> {
  const mark = marks.get(member.name);
  if (!mark) return;
  const until = (await check(member, mark)).last;
  for (let from = mark.since; from < until; ) {
    const path = `/_backlot/journal?kind=${kinds.join(",")}&since=${from}&limit=${page}`;
    const { entries } = await ask<JournalPage>(member, "GET", path);
    for (const entry of entries) if (Number(entry.sequence) <= until) yield entry;
    const last = entries.at(-1)?.sequence;
    if (typeof last !== "number" || entries.length < page) break;
    from = last;
  }
  await check(member, mark);
}

async function check(member: Member, mark: Mark): Promise<JournalPage> {
  const now = await ask<JournalPage>(member, "GET", "/_backlot/journal?limit=1");
  if (now.epoch !== mark.epoch)
    throw new Error(`${member.name} was started anew while the run was recorded: what it saw before is lost.`);
  if (now.lost > 0)
    throw new Error(
      `The journal of ${member.name} lost ${now.lost} entries of the run: it was cleared, or the disk is full.`,
    );
  return now;
}
