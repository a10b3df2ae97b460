/** The journal in full, and one entry of it. */
import { duration } from "../format.ts";
import { JournalList } from "../journal-list.tsx";
import { outcomeOf, summaryOf } from "../journal-words.ts";
import type { Entry } from "../live.ts";
import { Badge, Code, Copy, Empty, Facts, Headers, Panel, Problem, Time } from "../parts.tsx";
import { useResource } from "../state.ts";

export function JournalView({ names, selected }: { names: readonly string[]; selected: string | undefined }) {
  return (
    <div class={`split wide-list ${selected === undefined ? "" : "chosen"}`}>
      <Panel title="Journal" class="list">
        <JournalList names={names} {...(selected === undefined ? {} : { selected })} />
      </Panel>
      {selected === undefined ? (
        <Panel title="Entry" class="detail">
          <Empty title="No entry chosen">Choose one in the list, or move with the arrow keys.</Empty>
        </Panel>
      ) : (
        <JournalEntry id={selected} />
      )}
    </div>
  );
}

const shownApart = new Set([
  "requestHeaders",
  "responseHeaders",
  "requestBody",
  "responseBody",
  "sequence",
  "kind",
  "at",
  "emulator",
  "cause",
]);

function JournalEntry({ id }: { id: string }) {
  const colon = id.lastIndexOf(":");
  const emulator = id.slice(0, colon);
  const sequence = Number(id.slice(colon + 1));
  const found = useResource<{ entries: readonly Entry[] }>(
    `/_backlot/members/${emulator}/journal?since=${sequence - 1}&limit=1`,
  );
  const entry = found.value?.entries[0];
  if (!entry || entry.sequence !== sequence)
    return (
      <Panel title="Entry" class="detail">
        <Problem text={found.error} />
        {found.value ? (
          <Empty title="This entry is gone">The journal keeps the newest 10,000 entries of each service.</Empty>
        ) : null}
      </Panel>
    );
  const outcome = outcomeOf(entry);
  return (
    <Panel
      title={`${entry.kind} ${entry.sequence}`}
      class="detail"
      aside={<Copy text={JSON.stringify(entry, null, 2)} label="Copy JSON" />}
    >
      <div class="scroll">
        <p class="headline">
          {outcome.text === "" ? null : <Badge tone={outcome.tone}>{outcome.text}</Badge>}{" "}
          <span class="mono">{summaryOf(entry)}</span>
        </p>
        <Facts
          rows={[
            ["When", <Time iso={entry.at} />],
            ["Service", emulator],
            ...Object.entries(entry)
              .filter(([name]) => !shownApart.has(name))
              .map(([name, value]) => [name === "wallMs" ? "took" : name, factText(name, value)] as const),
          ]}
        />
        {typeof entry.cause === "string" ? <Code label="Cause" text={entry.cause} /> : null}
        <Message title="Request" headers={entry.requestHeaders} body={entry.requestBody} />
        <Message title="Answer" headers={entry.responseHeaders} body={entry.responseBody} />
      </div>
    </Panel>
  );
}

function factText(name: string, value: unknown): string {
  if (name === "wallMs" && typeof value === "number") return duration(value);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function Message({ title, headers, body }: { title: string; headers: unknown; body: unknown }) {
  if (headers === undefined && body === undefined) return null;
  return (
    <>
      <h3>{title}</h3>
      <Headers label={`${title} headers`} headers={pairsOf(headers)} />
      {typeof body === "string" && body !== "" ? <Code label={`${title} body`} text={readable(body)} /> : null}
    </>
  );
}

export function pairsOf(headers: unknown): readonly (readonly [string, string])[] {
  if (typeof headers !== "object" || headers === null) return [];
  return Object.entries(headers).map(([name, value]) => [name, String(value)] as const);
}

/** A form as its fields, one per line. */
function readable(body: string): string {
  if (!/^[\w.%+*-]+=[^\n<{]*$/.test(body)) return body;
  return [...new URLSearchParams(body)].map(([name, value]) => `${name} = ${value}`).join("\n");
}
