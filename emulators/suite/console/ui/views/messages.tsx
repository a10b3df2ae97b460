/** Text messages as their readers see them: one conversation per pair of numbers, from what the journal tells. */
import { useMemo } from "preact/hooks";
import { count, instant } from "../format.ts";
import { type Entry, keyOf } from "../live.ts";
import { Badge, Copy, Empty, Facts, Panel, Time, type Tone } from "../parts.tsx";
import { go, place, useLive } from "../state.ts";
import { VirtualList } from "../virtual-list.tsx";

interface Step {
  readonly status: string;
  readonly at: string;
}
interface Text {
  readonly sid: string;
  readonly from: string;
  readonly to: string;
  readonly body: string | undefined;
  readonly outbound: boolean;
  readonly at: string;
  readonly steps: Step[];
  readonly deliveries: Entry[];
  errorCode?: string;
}
interface Conversation {
  readonly key: string;
  readonly own: string;
  readonly other: string;
  readonly texts: Text[];
}

export function Messages({ pair, sid }: { pair: string | undefined; sid: string | undefined }) {
  const live = useLive();
  const mark = live.count("twilio", ["request", "change", "delivery", "control"]);
  const conversations = useMemo(() => conversationsOf(live.entries), [mark, live.entries]);
  const chosen = conversations.find(({ key }) => key === pair);
  return (
    <div class={`split ${pair === undefined ? "" : "chosen"}`}>
      <Panel title="Conversations" class="list" aside={count(conversations.length)}>
        {conversations.length === 0 ? (
          <Empty title="No message yet">
            Create one with Twilio's SDK; it appears here with its status as it goes along.
          </Empty>
        ) : (
          <VirtualList
            rows={conversations}
            rowHeight={46}
            label="Conversations, latest first"
            keyOf={(row) => row.key}
            selected={pair}
            onSelect={(row) => go("messages", row.key)}
            render={(row) => {
              const last = row.texts.at(-1);
              return (
                <div class="two">
                  <div>
                    <span class="cut strong mono">{row.other}</span>
                    <span class="push" />
                    <span class="faint nowrap mono">{instant(last?.at).slice(5, 16)}</span>
                  </div>
                  <div class="faint">
                    <span class="cut">{last?.body ?? "(text no longer in the journal)"}</span>
                    <span class="push" />
                    <span class="nowrap">{count(row.texts.length)}</span>
                  </div>
                </div>
              );
            }}
          />
        )}
      </Panel>
      {chosen ? (
        <Panel title={`${chosen.other} and ${chosen.own}`} class="detail">
          <div class="scroll phone">
            {chosen.texts.map((text) => (
              <Bubble key={text.sid} text={text} pair={chosen.key} open={text.sid === sid} />
            ))}
          </div>
        </Panel>
      ) : (
        <Panel title="Conversation" class="detail">
          <Empty
            title={pair === undefined ? "No conversation chosen" : "This conversation is not in the journal any more"}
          >
            Choose one in the list.
          </Empty>
        </Panel>
      )}
    </div>
  );
}

const tones: Readonly<Record<string, Tone>> = {
  delivered: "good",
  read: "good",
  received: "good",
  failed: "bad",
  undelivered: "bad",
  canceled: "warn",
};

function Bubble({ text, pair, open }: { text: Text; pair: string; open: boolean }) {
  const status = text.steps.at(-1)?.status ?? "queued";
  const code = /\b\d{4,8}\b/.exec(text.body ?? "")?.[0];
  return (
    <article
      class={`bubble ${text.outbound ? "out" : "in"}`}
      aria-label={`${text.outbound ? "Sent" : "Received"} ${instant(text.at)}`}
    >
      <p>{text.body ?? "(text no longer in the journal)"}</p>
      <footer>
        <Time iso={text.at} /> <Badge tone={tones[status] ?? "plain"}>{status}</Badge>
        {text.errorCode === undefined ? null : <span class="bad">{text.errorCode}</span>}
        {code === undefined ? null : <Copy text={code} label={`Copy ${code}`} />}
        <a href={open ? place("messages", pair) : place("messages", pair, text.sid)} aria-expanded={open}>
          {open ? "Less" : "More"}
        </a>
      </footer>
      {open ? <Life text={text} /> : null}
    </article>
  );
}

function Life({ text }: { text: Text }) {
  return (
    <div class="life">
      <Facts
        rows={[
          ["Sid", <span class="mono">{text.sid}</span>],
          ["From", <span class="mono">{text.from}</span>],
          ["To", <span class="mono">{text.to}</span>],
        ]}
      />
      <ol class="timeline">
        {text.steps.map((step, index) => (
          <li key={`${index}${step.status}`}>
            <Badge tone={tones[step.status] ?? "plain"}>{step.status}</Badge> <Time iso={step.at} />
          </li>
        ))}
      </ol>
      {text.deliveries.length === 0 ? (
        <p class="faint">No webhook was sent about it.</p>
      ) : (
        <ol class="timeline">
          {text.deliveries.map((delivery) => (
            <li key={keyOf(delivery)}>
              <Badge tone={delivery.outcome === "delivered" ? "good" : "bad"}>
                {String(delivery.status ?? delivery.outcome)}
              </Badge>{" "}
              <a href={place("webhooks", "deliveries", "twilio", delivery.subject ?? "")}>{String(delivery.type)}</a>{" "}
              <span class="mono cut">{String(delivery.url)}</span>
            </li>
          ))}
        </ol>
      )}
    </div>
  );
}

const isSid = (subject: unknown): subject is string =>
  typeof subject === "string" && /^(SM|MM)[0-9a-f]{32}$/.test(subject);

/** Requests that made a message give its text, changes its states, deliveries its webhooks. Latest conversation first. */
export function conversationsOf(entries: readonly Entry[]): Conversation[] {
  const texts = new Map<string, Text>();
  const bodies = new Map<string, string>();
  for (const entry of entries) {
    if (entry.emulator !== "twilio") continue;
    if (entry.kind === "request") noteBody(entry, bodies);
    else if (entry.kind === "change" && entry.resource === "message" && isSid(entry.subject))
      noteStep(entry, entry.subject, texts);
    else if (entry.kind === "delivery" && isSid(entry.resource)) texts.get(entry.resource)?.deliveries.push(entry);
  }
  const found = new Map<string, Conversation>();
  for (const text of texts.values()) {
    const [own, other] = text.outbound ? [text.from, text.to] : [text.to, text.from];
    const key = `${own} ${other}`;
    const conversation = found.get(key) ?? { key, own, other, texts: [] };
    conversation.texts.push({ ...text, body: bodies.get(text.sid) });
    found.set(key, conversation);
  }
  return [...found.values()].sort((left, right) =>
    (left.texts.at(-1)?.at ?? "") < (right.texts.at(-1)?.at ?? "") ? 1 : -1,
  );
}

function noteStep(entry: Entry, sid: string, texts: Map<string, Text>): void {
  if (typeof entry.status !== "string") return;
  const step = { status: entry.status, at: entry.at };
  const known = texts.get(sid);
  if (known) known.steps.push(step);
  else
    texts.set(sid, {
      sid,
      from: String(entry.from ?? "messaging service"),
      to: String(entry.to ?? ""),
      body: undefined,
      outbound: !/^(received|receiving)$/.test(entry.status),
      at: entry.at,
      steps: [step],
      deliveries: [],
    });
  const text = texts.get(sid);
  if (text && entry.errorCode !== null && entry.errorCode !== undefined) text.errorCode = String(entry.errorCode);
}

function noteBody(entry: Entry, bodies: Map<string, string>): void {
  if (
    entry.method !== "POST" ||
    typeof entry.responseBody !== "string" ||
    !/\/Messages(\.json)?(\?|$)/.test(String(entry.target))
  )
    return;
  try {
    const made: unknown = JSON.parse(entry.responseBody);
    if (typeof made === "object" && made !== null && "sid" in made && "body" in made)
      bodies.set(String(made.sid), String(made.body));
  } catch {
    // XML or cut short: the bubble says that the text is not there.
  }
}
