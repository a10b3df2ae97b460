/** The live journal with its filter: newest first. */
import { useMemo, useState } from "preact/hooks";
import { entryKinds } from "../../../kernel/entry-kinds.ts";
import { count, timeOfDay } from "./format.ts";
import { outcomeOf, summaryOf } from "./journal-words.ts";
import { type Entry, keyOf } from "./live.ts";
import { Badge, Empty, Field, Select } from "./parts.tsx";
import { go, type JournalFilter, useLive, useShared } from "./state.ts";
import { VirtualList } from "./virtual-list.tsx";

const texts = new WeakMap<Entry, string>();

function textOf(entry: Entry): string {
  const known = texts.get(entry) ?? JSON.stringify(entry).toLowerCase();
  texts.set(entry, known);
  return known;
}

export const shortNames: Readonly<Record<string, string>> = {
  twilio: "Twilio",
  "azure-policyinsights": "Azure",
  "ec2-spot": "EC2",
  smtp: "SMTP",
};

export function JournalList({ selected, names }: { selected?: string; names: readonly string[] }) {
  const live = useLive();
  const { filter } = useShared();
  const [{ search, kind, emulator }, show] = useState({ ...filter });
  const choose = (change: Partial<JournalFilter>) => show({ ...Object.assign(filter, change) });
  const rows = useMemo(() => {
    const wanted = search.trim().toLowerCase();
    const found: Entry[] = [];
    for (let index = live.entries.length - 1; index >= 0; index -= 1) {
      const entry = live.entries[index];
      if (!entry || (kind === "problem" ? outcomeOf(entry).tone !== "bad" : kind !== "" && entry.kind !== kind))
        continue;
      if (emulator !== "" && entry.emulator !== emulator) continue;
      if (wanted === "" || textOf(entry).includes(wanted)) found.push(entry);
    }
    return found;
  }, [live.version, search, kind, emulator]);
  const filtered = search !== "" || kind !== "" || emulator !== "";
  return (
    <div class="journal">
      <div class="filters">
        <Field
          label="Search the journal"
          hideLabel
          type="search"
          placeholder="Search"
          value={search}
          onInput={(text) => choose({ search: text })}
          wide
        />
        <Select
          label="Kind"
          hideLabel
          value={kind}
          onChange={(name) => choose({ kind: name })}
          options={[
            ["", "All kinds"],
            ["problem", "Problems"],
            ...entryKinds.map((name) => [name, capital(name)] as const),
          ]}
        />
        <Select
          label="Service"
          hideLabel
          value={emulator}
          onChange={(name) => choose({ emulator: name })}
          options={[["", "All services"], ...names.map((name) => [name, shortNames[name] ?? name] as const)]}
        />
        <span class="tally" aria-live="off">
          {filtered ? `${count(rows.length)} of ${count(live.entries.length)}` : count(rows.length)}
          {live.missed > 0 ? `, ${count(live.missed)} missed` : ""}
        </span>
      </div>
      {rows.length === 0 ? (
        filtered ? (
          <Empty title="Nothing matches">Change the search or the filter above.</Empty>
        ) : (
          <Empty title="Nothing has happened yet">
            Point a client at one of the services; what it asks and what follows appears here at once.
          </Empty>
        )
      ) : (
        <VirtualList
          rows={rows}
          rowHeight={26}
          label="Journal, newest first"
          keyOf={keyOf}
          selected={selected}
          onSelect={(entry) => go("journal", keyOf(entry))}
          render={(entry) => <JournalRow entry={entry} />}
        />
      )}
    </div>
  );
}

function JournalRow({ entry }: { entry: Entry }) {
  const outcome = outcomeOf(entry);
  const summary = summaryOf(entry);
  return (
    <>
      <span class="mono faint when">{timeOfDay(entry.at)}</span>
      <span class="who">{shortNames[entry.emulator] ?? entry.emulator}</span>
      <span class="kind">{entry.kind}</span>
      <span class="what" title={summary}>
        {summary}
      </span>
      <span class="result">{outcome.text === "" ? null : <Badge tone={outcome.tone}>{outcome.text}</Badge>}</span>
    </>
  );
}

const capital = (word: string) => word.slice(0, 1).toUpperCase() + word.slice(1);
