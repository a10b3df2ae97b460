/** The members' journals of a run: marked at its start, read at its end. */
import type { Member } from "../member.ts";
import { ask, askAll } from "../member.ts";
import type { JournalPage, Shown } from "./shown.ts";

export type Marks = ReadonlyMap<string, JournalPage>;

const newest = "/_backlot/journal?limit=1";
/** Answers of some ten kilobytes are cheaper for the memory than few large ones. */
const page = 32;
/** What evidence reads; changes and mail show in the exports. */
const kinds = "request,delivery";

export async function marksOf(members: readonly Member[]): Promise<Marks> {
  return new Map(await askAll<JournalPage>(members, "GET", newest));
}

/**
 * Requests and deliveries of the run, oldest first.
 * @throws when the journal could not hold the whole run
 */
export async function* eachEntry(member: Member, marks: Marks): AsyncGenerator<Shown> {
  const then = marks.get(member.name);
  const until = (await check(member, then)).last;
  for (let from = then?.last ?? 0; from < until; ) {
    const path = `/_backlot/journal?kind=${kinds}&since=${from}&limit=${page}`;
    const { entries } = await ask<JournalPage>(member, "GET", path);
    for (const entry of entries) if (Number(entry.sequence) <= until) yield entry;
    const last = entries.at(-1)?.sequence;
    if (typeof last !== "number" || entries.length < page) break;
    from = last;
  }
  await check(member, then);
}

async function check(member: Member, then: JournalPage | undefined): Promise<JournalPage> {
  const now = await ask<JournalPage>(member, "GET", newest);
  if (now.dropped !== then?.dropped || now.epoch !== then.epoch)
    throw new Error(
      `The journal of ${member.name} did not hold the whole run; raise BACKLOT_JOURNAL_SIZE and BACKLOT_JOURNAL_BYTES.`,
    );
  return now;
}
