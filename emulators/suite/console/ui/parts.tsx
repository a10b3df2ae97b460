/** Small pieces that every view is made of. */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { instant, local, pretty } from "./format.ts";
import type { useAction } from "./state.ts";

export type Tone = "good" | "bad" | "warn" | "plain" | "info";

export function Badge({ tone = "plain", children }: { tone?: Tone; children: ComponentChildren }) {
  return <span class={`badge ${tone}`}>{children}</span>;
}

export function Dot({ tone, label }: { tone: Tone; label: string }) {
  return (
    <span class="dotted">
      <span class={`dot ${tone}`} aria-hidden="true" />
      {label}
    </span>
  );
}

export function Panel(props: {
  title: string;
  aside?: ComponentChildren;
  class?: string;
  children: ComponentChildren;
}) {
  return (
    <section class={`panel ${props.class ?? ""}`} aria-label={props.title}>
      <header>
        <h2>{props.title}</h2>
        {props.aside === undefined ? null : <div class="aside">{props.aside}</div>}
      </header>
      {props.children}
    </section>
  );
}

/** Says what would stand here and how to make it appear. */
export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <strong>{title}</strong>
      {children === undefined ? null : <div>{children}</div>}
    </div>
  );
}

export function Problem({ text }: { text: string | undefined }) {
  return text === undefined ? null : (
    <p class="problem" role="alert">
      {text}
    </p>
  );
}

export function Said({ action }: { action: ReturnType<typeof useAction> }) {
  return (
    <p class={`said ${action.said?.bad ? "bad" : ""}`} role="status">
      {action.said?.text ?? ""}
    </p>
  );
}

export function Time({ iso }: { iso: string | null | undefined }) {
  return iso ? (
    <time dateTime={iso} title={local(iso)}>
      {instant(iso)}
    </time>
  ) : (
    <span class="faint">–</span>
  );
}

export function Facts({ rows }: { rows: readonly (readonly [string, ComponentChildren])[] }) {
  return (
    <dl class="facts">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value ?? <span class="faint">–</span>}</dd>
        </div>
      ))}
    </dl>
  );
}

/** `verbatim`: every byte counts, so JSON stays as it is. */
export function Code({ text, label, verbatim }: { text: string; label: string; verbatim?: boolean }) {
  return (
    <pre class="code" role="region" tabIndex={0} aria-label={label}>
      {verbatim ? text : pretty(text)}
    </pre>
  );
}

export function Headers({ headers, label }: { headers: readonly (readonly [string, string])[]; label: string }) {
  return headers.length === 0 ? (
    <p class="faint">No headers.</p>
  ) : (
    <table class="headers" aria-label={label}>
      <tbody>
        {headers.map(([name, value], index) => (
          <tr key={`${index}${name}`}>
            <th scope="row">{name}</th>
            <td>{value}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Nothing to copy yet, and the button stands there already. */
export function Copy({ text, label = "Copy" }: { text: string | undefined; label?: string }) {
  const [done, set] = useState(false);
  return (
    <button
      type="button"
      class="quiet"
      disabled={text === undefined}
      onClick={() => {
        if (text === undefined) return;
        void navigator.clipboard.writeText(text).then(() => set(true));
        setTimeout(() => set(false), 1_500);
      }}
    >
      {done ? "Copied" : label}
    </button>
  );
}

export interface Tab {
  readonly id: string;
  readonly title: ComponentChildren;
}

/** Links, not buttons: every tab has an address. */
export function Tabs({
  tabs,
  current,
  href,
  label,
}: {
  tabs: readonly Tab[];
  current: string;
  href(id: string): string;
  label: string;
}) {
  return (
    <nav class="tabs" aria-label={label}>
      {tabs.map(({ id, title }) => (
        <a key={id} href={href(id)} aria-current={id === current ? "page" : undefined}>
          {title}
        </a>
      ))}
    </nav>
  );
}

export function Select(props: {
  label: string;
  value: string;
  options: readonly (readonly [value: string, title: string])[];
  onChange(value: string): void;
  hideLabel?: boolean;
  wide?: boolean;
}) {
  return (
    <label class={`field ${props.wide ? "wide" : ""}`}>
      <span class={props.hideLabel ? "hidden" : ""}>{props.label}</span>
      <select value={props.value} onChange={(event) => props.onChange(event.currentTarget.value)}>
        {props.options.map(([value, title]) => (
          <option key={value} value={value}>
            {title}
          </option>
        ))}
      </select>
    </label>
  );
}

const inputTypes = {
  text: { type: "text" },
  search: { type: "search" },
  number: { type: "number" },
  password: { type: "password" },
} as const;

export function Field(props: {
  label: string;
  value: string;
  onInput(value: string): void;
  type?: "text" | "search" | "number" | "password";
  placeholder?: string;
  hideLabel?: boolean;
  wide?: boolean;
  narrow?: boolean;
}) {
  return (
    <label class={`field ${props.wide ? "wide" : props.narrow ? "narrow" : ""}`}>
      <span class={props.hideLabel ? "hidden" : ""}>{props.label}</span>
      <input
        {...inputTypes[props.type ?? "text"]}
        value={props.value}
        placeholder={props.placeholder}
        spellcheck={false}
        autocomplete="off"
        onInput={(event) => props.onInput(event.currentTarget.value)}
      />
    </label>
  );
}
