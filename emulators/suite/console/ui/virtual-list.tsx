/** A list of any length of which only what is in view exists. New rows above do not move what somebody reads. */
import type { ComponentChildren } from "preact";
import { useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";

const overscan = 8;

export function VirtualList<Row>(props: {
  rows: readonly Row[];
  rowHeight: number;
  label: string;
  keyOf(row: Row): string;
  render(row: Row): ComponentChildren;
  selected?: string | undefined;
  onSelect(row: Row): void;
  classOf?(row: Row): string;
}) {
  const { rows, rowHeight, keyOf, selected } = props;
  const box = useRef<HTMLDivElement>(null);
  const anchor = useRef<{ key: string; index: number } | undefined>(undefined);
  const [view, setView] = useState({ top: 0, height: 600 });
  const prefix = useId();

  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const watch = new ResizeObserver(() => setView({ top: element.scrollTop, height: element.clientHeight }));
    watch.observe(element);
    return () => watch.disconnect();
  }, []);
  // Keeps the first visible row where it is when rows arrive above it.
  useLayoutEffect(() => {
    const element = box.current;
    const held = anchor.current;
    if (!element || !held || element.scrollTop < rowHeight) return;
    const index = rows.findIndex((row) => keyOf(row) === held.key);
    if (index >= 0 && index !== held.index) element.scrollTop += (index - held.index) * rowHeight;
  }, [rows]);

  const first = Math.max(0, Math.floor(view.top / rowHeight) - overscan);
  const last = Math.min(rows.length, Math.ceil((view.top + view.height) / rowHeight) + overscan);
  const top = rows[Math.floor(view.top / rowHeight)];
  anchor.current = top && { key: keyOf(top), index: Math.floor(view.top / rowHeight) };

  const move = (event: KeyboardEvent) => {
    const at = rows.findIndex((row) => keyOf(row) === selected);
    const page = Math.max(1, Math.floor(view.height / rowHeight) - 1);
    const target = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      PageDown: at + page,
      PageUp: at - page,
      Home: 0,
      End: rows.length - 1,
    }[event.key];
    if (target === undefined || rows.length === 0) return;
    event.preventDefault();
    const index = Math.max(0, Math.min(rows.length - 1, target));
    const row = rows[index];
    const element = box.current;
    if (!row || !element) return;
    if (index * rowHeight < element.scrollTop) element.scrollTop = index * rowHeight;
    else if ((index + 1) * rowHeight > element.scrollTop + element.clientHeight)
      element.scrollTop = (index + 1) * rowHeight - element.clientHeight;
    props.onSelect(row);
  };

  const shown = rows.slice(first, last);
  return (
    <div
      ref={box}
      class="virtual"
      role="listbox"
      tabIndex={0}
      aria-label={props.label}
      aria-activedescendant={shown.some((row) => keyOf(row) === selected) ? `${prefix}${selected}` : undefined}
      onKeyDown={move}
      onScroll={(event) => setView({ top: event.currentTarget.scrollTop, height: event.currentTarget.clientHeight })}
    >
      <div class="runway" role="presentation" style={{ height: `${rows.length * rowHeight}px` }}>
        {shown.map((row, offset) => {
          const key = keyOf(row);
          return (
            // The listbox has the focus and the keys; a row is only clicked.
            <div
              key={key}
              id={prefix + key}
              role="option"
              aria-selected={key === selected}
              class={`row ${props.classOf?.(row) ?? ""}`}
              style={{ transform: `translateY(${(first + offset) * rowHeight}px)`, height: `${rowHeight}px` }}
              onClick={() => props.onSelect(row)}
            >
              {props.render(row)}
            </div>
          );
        })}
      </div>
    </div>
  );
}
