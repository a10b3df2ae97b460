/** The members' journals of a run: marked at its start, read at its end. */
import type { Member } from "../member.ts";
import { ask, askAll } from "../member.ts";
import { type JournalPage, journalOf, type Shown } from "./shown.ts";

export type Marks = ReadonlyMap<string, JournalPage>;
/** Entries by service, oldest first. */
export type Journals = ReadonlyMap<string, readonly Shown[]>;

const newest = "/_backlot/journal?limit=1";

export async function marksOf(members: readonly Member[]): Promise<Marks> {
  return new Map(await askAll<JournalPage>(members, "GET", newest));
}

/** @throws when a journal could not hold the whole run */
export async function readJournals(members: readonly Member[], marks: Marks): Promise<Journals> {
  const journals = new Map<string, readonly Shown[]>();
  for (const member of members) {
    const now = await ask<JournalPage>(member, "GET", newest);
    const then = marks.get(member.name);
    if (now.dropped !== then?.dropped || now.epoch !== then.epoch)
      throw new Error(
        `The journal of ${member.name} did not hold the whole run; raise BACKLOT_JOURNAL_SIZE and BACKLOT_JOURNAL_BYTES.`,
      );
    journals.set(member.name, await journalOf(member, then.last, now.last));
  }
  return journals;
}
