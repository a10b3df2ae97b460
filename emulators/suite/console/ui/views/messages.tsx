/** Text messages and calls as the people at the other end have them: a conversation per pair of numbers. */
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { count, duration, instant } from "../format.ts";
import { keyOf } from "../live.ts";
import { Badge, Copy, Empty, Facts, Panel, Problem, Time, type Tone } from "../parts.tsx";
import { go, place, useLive, useResource } from "../state.ts";
import { VirtualList } from "../virtual-list.tsx";
import {
  type Call,
  type Conversation,
  conversationsOf,
  isInbound,
  type JournalView,
  journalOf,
  type Message,
  type Turn,
} from "./conversations.ts";
import { Codes, NewHandset, OnTheLine, own, Reply } from "./handset.tsx";

const usual = 500;
const most = 10_000;

export function Messages({ pair, sid }: { pair: string | undefined; sid: string | undefined }) {
  const live = useLive();
  const [limit, setLimit] = useState(usual);
  const mark = live.count("twilio", ["change", "control"]);
  const options = { mark, everyMs: 10_000 };
  const messages = useResource<{ total: number; messages: readonly Message[] }>(
    `${own}/messages?limit=${limit}`,
    options,
  );
  const calls = useResource<{ calls: readonly Call[] }>(`${own}/calls?limit=${limit}`, options);
  const conversations = useMemo(
    () => conversationsOf(messages.value?.messages ?? [], calls.value?.calls ?? []),
    [messages.value, calls.value],
  );
  const chosen = conversations.find(({ key }) => key === pair);
  const total = messages.value?.total ?? 0;
  return (
    <div class={`split ${pair === undefined ? "" : "chosen"}`}>
      <Panel
        title="Conversations"
        class="list"
        aside={
          <>
            {total > limit && limit < most ? (
              <button
                type="button"
                class="quiet"
                title={`These are of the newest ${count(usual)} of ${count(total)} messages`}
                onClick={() => setLimit(most)}
              >
                Show older
              </button>
            ) : null}
            {count(conversations.length)}
            {pair === undefined ? null : <a href={place("messages")}>New</a>}
          </>
        }
      >
        <Problem text={messages.error ?? calls.error} />
        {messages.value && calls.value && conversations.length === 0 ? (
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
            render={(row) => <ConversationRow conversation={row} />}
          />
        )}
      </Panel>
      {chosen ? (
        <Talk key={chosen.key} conversation={chosen} sid={sid} />
      ) : pair === undefined ? (
        <Panel title="Write or call as anybody" class="detail">
          <div class="scroll">
            <NewHandset />
            <h3>Verification codes</h3>
            <Codes />
          </div>
        </Panel>
      ) : (
        <Panel title="Conversation" class="detail">
          {messages.value && calls.value ? (
            <Empty title="Nothing between these two">Choose a conversation in the list.</Empty>
          ) : null}
        </Panel>
      )}
    </div>
  );
}

const wordsOf = (turn: Turn | undefined) =>
  turn === undefined
    ? ""
    : turn.tag === "call"
      ? `Call, ${turn.call.status}`
      : turn.message.body || (turn.message.media > 0 ? "(picture)" : "(no text)");

function ConversationRow({ conversation }: { conversation: Conversation }) {
  const last = conversation.turns.at(-1);
  return (
    <div class="two">
      <div>
        <span class="cut strong mono">{conversation.other}</span>
        <span class="faint cut mono">{conversation.own}</span>
        <span class="push" />
        <span class="faint nowrap mono">{instant(last?.at).slice(5, 16)}</span>
      </div>
      <div class="faint">
        <span class="cut">{wordsOf(last)}</span>
        <span class="push" />
        <span class="nowrap">{count(conversation.turns.length)}</span>
      </div>
    </div>
  );
}

/** Bubbles shown at once: a telephone too shows the latest and fetches what was before. */
const bubbles = 100;

function Talk({ conversation, sid }: { conversation: Conversation; sid: string | undefined }) {
  const live = useLive();
  const journal = useMemo(() => journalOf(live.entries), [live.version]);
  const { own: ours, other, turns, key } = conversation;
  const [earlier, setEarlier] = useState(bubbles);
  const shown = turns.slice(-earlier);
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const element = box.current;
    if (element && sid === undefined) element.scrollTop = element.scrollHeight;
  }, [turns.length]);
  return (
    <Panel title={`${other} and ${ours}`} class="detail">
      <div class="scroll phone" ref={box} role="log" aria-label="Conversation" tabIndex={0}>
        {turns.length > shown.length ? (
          <button type="button" class="quiet" onClick={() => setEarlier(earlier + 5 * bubbles)}>
            {count(turns.length - shown.length)} earlier
          </button>
        ) : null}
        {shown.map((turn) => (
          <Bubble key={turn.sid} turn={turn} pair={key} open={turn.sid === sid} journal={journal} />
        ))}
      </div>
      {/^\+?\d/.test(ours) || ours.includes(":") ? (
        <Reply from={other} to={ours} />
      ) : (
        <p class="padded faint">Nobody can answer {ours}: it is no number.</p>
      )}
    </Panel>
  );
}

const tones: Readonly<Record<string, Tone>> = {
  delivered: "good",
  read: "good",
  received: "good",
  completed: "good",
  "in-progress": "info",
  ringing: "info",
  failed: "bad",
  undelivered: "bad",
  busy: "warn",
  "no-answer": "warn",
  canceled: "warn",
};

interface BubbleInput {
  readonly turn: Turn;
  readonly pair: string;
  readonly open: boolean;
  readonly journal: JournalView;
}

function Bubble({ turn, pair, open, journal }: BubbleInput) {
  const about = turn.tag === "call" ? turn.call : turn.message;
  const code = turn.tag === "message" ? /\b\d{4,8}\b/.exec(turn.message.body)?.[0] : undefined;
  const incoming = isInbound(about);
  return (
    <article
      class={`bubble ${incoming ? "in" : "out"} ${turn.tag}`}
      aria-label={`${incoming ? "Received" : "Sent"} ${instant(turn.at)}`}
    >
      {turn.tag === "call" ? (
        <>
          <p class="strong">
            {incoming ? "Called in" : "Called out"}
            {turn.call.seconds === null ? "" : `, ${duration(turn.call.seconds * 1_000)}`}
          </p>
          {/^(ringing|in-progress)$/.test(turn.call.status) ? <OnTheLine call={turn.call} /> : null}
        </>
      ) : (
        <p>{wordsOf(turn)}</p>
      )}
      <footer>
        <Time iso={turn.at} /> <Badge tone={tones[about.status] ?? "plain"}>{about.status}</Badge>
        {turn.tag === "call" || turn.message.errorCode === null ? null : (
          <span class="bad">{turn.message.errorCode}</span>
        )}
        {code === undefined ? null : <Copy text={code} label={`Copy ${code}`} />}
        <a href={open ? place("messages", pair) : place("messages", pair, turn.sid)} aria-expanded={open}>
          {open ? "Less" : "More"}
        </a>
      </footer>
      {open ? <Life turn={turn} journal={journal} /> : null}
    </article>
  );
}

function Life({ turn, journal }: { turn: Turn; journal: JournalView }) {
  const about = turn.tag === "call" ? turn.call : turn.message;
  const steps = journal.steps.get(turn.sid) ?? [{ status: about.status, at: about.updatedAt }];
  const deliveries = journal.deliveries.get(turn.sid) ?? [];
  return (
    <div class="life">
      <Facts
        rows={[
          ["Sid", <span class="mono">{turn.sid}</span>],
          ["From", <span class="mono">{about.from}</span>],
          ["To", <span class="mono">{about.to}</span>],
        ]}
      />
      <ol class="timeline">
        {steps.map((step, index) => (
          <li key={`${index}${step.status}`}>
            <Badge tone={tones[step.status] ?? "plain"}>{step.status}</Badge> <Time iso={step.at} />
          </li>
        ))}
      </ol>
      {deliveries.length === 0 ? (
        <p class="faint">No webhook was sent about it.</p>
      ) : (
        <ol class="timeline">
          {deliveries.map((delivery) => (
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
