/** The inbox: what arrives, as it arrives, and everything about one message. */
import { useEffect, useState } from "preact/hooks";
import { instant, newestOf, size } from "../format.ts";
import { Badge, Code, Copy, Empty, Facts, Field, Headers, Panel, Problem, Said, Tabs, Time } from "../parts.tsx";
import { asText, go, place, useAction, useLive, useResource, useShared } from "../state.ts";
import { VirtualList } from "../virtual-list.tsx";
import { MailFaults } from "./mail-faults.tsx";

interface Summary {
  readonly id: string;
  readonly receivedAt: string;
  readonly truncated: boolean;
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string | null;
  readonly size: number;
}

interface Address {
  readonly name?: string;
  readonly address?: string;
}

interface Read {
  readonly id: string;
  readonly receivedAt: string;
  readonly envelope: { readonly from: string; readonly to: readonly string[] };
  readonly from: Address | null;
  readonly to: readonly Address[];
  readonly cc: readonly Address[];
  readonly subject: string | null;
  readonly headers: readonly (readonly [string, string])[];
  readonly text: string | null;
  readonly html: string | null;
  readonly links: readonly { readonly url: string; readonly text?: string }[];
  readonly codes: readonly (string | { readonly code: string })[];
  readonly size: number;
  readonly warnings: readonly unknown[];
  readonly notRead: string | null;
}

const own = "/_backlot/members/smtp/smtp/messages";

export function Mail({ id, tab }: { id: string | undefined; tab: string | undefined }) {
  const live = useLive();
  const [search, setSearch] = useState("");
  const mark = live.count("smtp", ["change", "control"]);
  const query = search.trim() === "" ? "" : `&query=${encodeURIComponent(search.trim())}`;
  const { value, error } = useResource<{ total: number; messages: readonly Summary[] }>(`${own}?limit=1000${query}`, {
    mark,
  });
  const messages = query === "" ? (value?.messages ?? []) : [...(value?.messages ?? [])].reverse();
  return (
    <div class={`split ${id === undefined ? "" : "chosen"}`}>
      <Panel title="Inbox" class="list" aside={value ? newestOf(messages.length, value.total) : null}>
        <div class="filters">
          <Field
            label="Search mail"
            hideLabel
            type="search"
            placeholder="Search: from:ada subject:welcome"
            value={search}
            onInput={setSearch}
            wide
          />
        </div>
        <Problem text={error} />
        {value && messages.length === 0 ? (
          search === "" ? (
            <Empty title="No mail yet">Send something to the SMTP port; it appears here as it arrives.</Empty>
          ) : (
            <Empty title="Nothing matches">Try fewer words.</Empty>
          )
        ) : (
          <VirtualList
            rows={messages}
            rowHeight={46}
            label="Messages, newest first"
            keyOf={(row) => row.id}
            selected={id}
            onSelect={(row) => go("mail", row.id, ...(tab === undefined ? [] : [tab]))}
            render={(row) => (
              <div class="two">
                <div>
                  <span class="cut strong">{row.subject || "(no subject)"}</span>
                  <span class="push" />
                  {row.truncated ? <Badge tone="warn">cut off</Badge> : null}
                  <span class="faint nowrap mono">{instant(row.receivedAt).slice(5, 16)}</span>
                </div>
                <div class="faint">
                  <span class="cut">
                    {row.from || "(bounce)"} → {row.to.join(", ")}
                  </span>
                  <span class="push" />
                  <span class="nowrap">{size(row.size)}</span>
                </div>
              </div>
            )}
          />
        )}
      </Panel>
      {id === undefined ? (
        <Panel title="Message" class="detail">
          <Empty title="No message chosen">Choose one in the list, or move with the arrow keys.</Empty>
          <div class="scroll">
            <h3>Inject a fault</h3>
            <MailFaults />
          </div>
        </Panel>
      ) : (
        <Message key={id} id={id} tab={tab} mark={mark} />
      )}
    </div>
  );
}

const tabs = [
  ["html", "HTML"],
  ["text", "Text"],
  ["headers", "Headers"],
  ["source", "Source"],
  ["envelope", "Envelope"],
  ["transcript", "Transcript"],
  ["attachments", "Attachments"],
  ["delivery", "Delivery"],
] as const;

function Message({ id, tab, mark }: { id: string; tab: string | undefined; mark: number }) {
  const path = `${own}/${encodeURIComponent(id)}`;
  const { value: mail, error } = useResource<Read>(path);
  const current = tab ?? (mail && mail.html === null ? "text" : "html");
  if (!mail)
    return (
      <Panel title="Message" class="detail">
        <Problem text={error} />
      </Panel>
    );
  const codes = mail.codes.map((code) => (typeof code === "string" ? code : code.code));
  return (
    <Panel title={mail.subject || "(no subject)"} class="detail" aside={<Time iso={mail.receivedAt} />}>
      <div class="mailhead">
        <Facts
          rows={[
            ["From", nameOf(mail.from) || mail.envelope.from],
            ["To", mail.to.map(nameOf).join(", ") || mail.envelope.to.join(", ")],
            ...(mail.cc.length === 0 ? [] : [["Cc", mail.cc.map(nameOf).join(", ")] as const]),
            ...(codes.length === 0
              ? []
              : [
                  [
                    "Codes",
                    codes.slice(0, 5).map((code) => (
                      <span key={code} class="chip">
                        <span class="mono">{code}</span> <Copy text={code} />
                      </span>
                    )),
                  ] as const,
                ]),
          ]}
        />
        {mail.notRead === null ? null : <p class="problem">{mail.notRead}</p>}
        {mail.warnings.length === 0 ? null : (
          <p class="hint">
            {mail.warnings
              .map((warning) => (typeof warning === "string" ? warning : JSON.stringify(warning)))
              .join(" ")}
          </p>
        )}
      </div>
      <Tabs
        label="Parts of the message"
        current={current}
        href={(name) => place("mail", id, name)}
        tabs={tabs.map(([name, title]) => ({ id: name, title }))}
      />
      {current === "html" ? (
        mail.html === null ? (
          <Empty title="No HTML part" />
        ) : (
          <Html id={id} />
        )
      ) : (
        <div class="scroll">
          <Part tab={current} path={path} id={id} mail={mail} mark={mark} />
        </div>
      )}
    </Panel>
  );
}

function Part({ tab, path, id, mail, mark }: { tab: string; path: string; id: string; mail: Read; mark: number }) {
  switch (tab) {
    case "text":
      return mail.text ? <Code label="Text" text={mail.text} /> : <Empty title="No text part" />;
    case "headers":
      return <Headers label="Headers" headers={mail.headers} />;
    case "source":
      return <Text label="Source" path={`${path}/raw`} />;
    case "transcript":
      return <Text label="SMTP dialogue" path={`${path}/transcript`} />;
    case "envelope":
      return <Envelope path={`${path}/envelope`} />;
    case "attachments":
      return <Attachments id={id} />;
    case "delivery":
      return <Life path={path} mark={mark} recipients={mail.envelope.to} />;
    default:
      return <Empty title={`There is no part ${tab}`} />;
  }
}

/** The frame runs nothing and loads nothing: its own policy says so, and the sandbox again. */
function Html({ id }: { id: string }) {
  const { api } = useShared();
  const [source, setSource] = useState<string | undefined>(undefined);
  const [narrow, setNarrow] = useState(false);
  useEffect(() => {
    let wanted = true;
    const address = api.at(`/_backlot/console/mail/${encodeURIComponent(id)}/html`);
    void api.ticketed(address).then((src) => wanted && setSource(src));
    return () => {
      wanted = false;
    };
  }, [api, id]);
  return (
    <div class={`preview ${narrow ? "narrow" : ""}`}>
      <div class="buttons" role="group" aria-label="Width of the preview">
        <button type="button" aria-pressed={!narrow} onClick={() => setNarrow(false)}>
          Desktop
        </button>
        <button type="button" aria-pressed={narrow} onClick={() => setNarrow(true)}>
          Phone
        </button>
      </div>
      {source === undefined ? null : <iframe title="HTML of the message" sandbox="" src={source} />}
    </div>
  );
}

function Text({ label, path }: { label: string; path: string }) {
  const { value, error } = useResource<string>(path, { reader: asText });
  return (
    <>
      <Problem text={error} />
      {value === undefined ? null : <Code label={label} text={value} />}
    </>
  );
}

interface EnvelopeView {
  readonly mailFrom: { readonly address: string; readonly parameters: unknown };
  readonly rcptTo: readonly { readonly address: string; readonly parameters: unknown }[];
  readonly helo: string;
  readonly auth: { readonly mechanism: string | null; readonly username: string } | null;
  readonly secure: boolean;
  readonly remote: string;
  readonly size: number;
}

function Envelope({ path }: { path: string }) {
  const { value, error } = useResource<EnvelopeView>(path);
  if (!value) return <Problem text={error} />;
  return (
    <Facts
      rows={[
        [
          "MAIL FROM",
          <span class="mono">{`<${value.mailFrom.address}> ${parameters(value.mailFrom.parameters)}`}</span>,
        ],
        ...value.rcptTo.map(
          (to) => ["RCPT TO", <span class="mono">{`<${to.address}> ${parameters(to.parameters)}`}</span>] as const,
        ),
        ["HELO", value.helo],
        ["Signed in", value.auth ? `${value.auth.username} (${value.auth.mechanism ?? "unknown"})` : "no"],
        ["TLS", value.secure ? "yes" : "no"],
        ["Client", value.remote],
        ["Size", size(value.size)],
      ]}
    />
  );
}

const parameters = (given: unknown) =>
  typeof given === "object" && given !== null
    ? Object.entries(given)
        .map(([name, value]) => `${name}=${String(value)}`)
        .join(" ")
    : "";

interface PartView {
  readonly n: number;
  readonly filename: string | null;
  readonly contentType: string;
  readonly size: number;
  readonly inline: boolean;
}

function Attachments({ id }: { id: string }) {
  const { api } = useShared();
  const base = `/_backlot/console/mail/${encodeURIComponent(id)}/parts`;
  const { value, error } = useResource<{ parts: readonly PartView[] }>(base);
  const action = useAction();
  if (!value) return <Problem text={error} />;
  if (value.parts.length === 0) return <Empty title="No attachment" />;
  return (
    <>
      <ul class="lines">
        {value.parts.map((part) => (
          <li key={part.n}>
            <span class="cut strong">{part.filename ?? "(no name)"}</span>
            {part.inline ? <Badge>inline</Badge> : null}
            <span class="push" />
            <span class="faint">
              {part.contentType} · {size(part.size)}
            </span>
            <button
              type="button"
              onClick={() =>
                action.run(async () => {
                  location.assign(await api.ticketed(`${api.at(base)}/${part.n}`));
                  return undefined;
                })
              }
            >
              Download
            </button>
          </li>
        ))}
      </ul>
      <Said action={action} />
    </>
  );
}

const caused = [
  ["email.opened", "Open"],
  ["email.clicked", "Click"],
  ["email.bounced", "Bounce"],
  ["email.complained", "Complain"],
  ["email.unsubscribed", "Unsubscribe"],
] as const;

/** What happened to it at its recipients, and what a tester can make happen. */
function Life({ path, mark, recipients }: { path: string; mark: number; recipients: readonly string[] }) {
  const { api } = useShared();
  const action = useAction();
  const { value, error, reload } = useResource<{ events: readonly { type: string; recipient: string; at: string }[] }>(
    `${path}/events`,
    { mark },
  );
  return (
    <>
      <div class="buttons" role="group" aria-label="Make it happen">
        {caused.map(([type, title]) => (
          <button
            key={type}
            type="button"
            disabled={action.busy || recipients.length === 0}
            onClick={() =>
              action.run(async () => {
                await api.send("POST", `${path}/events`, { type });
                reload();
                return undefined;
              })
            }
          >
            {title}
          </button>
        ))}
      </div>
      <Said action={action} />
      <Problem text={error} />
      <ol class="timeline">
        {(value?.events ?? []).map((event, index) => (
          <li key={`${index}${event.type}`}>
            <Badge tone={/bounced|complained|failed|rejected/.test(event.type) ? "bad" : "good"}>
              {event.type.replace("email.", "")}
            </Badge>{" "}
            {event.recipient} <Time iso={event.at} />
          </li>
        ))}
      </ol>
      <h3>Inject a fault into the next one</h3>
      <MailFaults recipient={recipients[0] ?? ""} />
    </>
  );
}

function nameOf(address: Address | null): string {
  if (!address) return "";
  return address.name ? `${address.name} <${address.address ?? ""}>` : (address.address ?? "");
}
