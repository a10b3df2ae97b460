/** Rows under headings; the first column names its row. */
import type { ComponentChildren } from "preact";

export interface Column<Row> {
  readonly title: string;
  /** For screen readers alone: a column of buttons. */
  readonly hideTitle?: boolean;
  /** `number` is right-aligned, heading and all. */
  readonly class?: string;
  readonly cell: (row: Row) => ComponentChildren;
}

export interface Group<Row> {
  readonly title: ComponentChildren;
  readonly rows: readonly Row[];
}

interface TableProps<Row> {
  readonly columns: readonly Column<Row>[];
  readonly keyOf: (row: Row) => string;
  readonly label?: string;
  /** As high as its rows, in a column that would rather shrink it. */
  readonly whole?: boolean;
}

export function Table<Row>({ rows, ...props }: TableProps<Row> & { readonly rows: readonly Row[] }) {
  return (
    <Frame {...props}>
      <tbody>
        <Rows {...props} rows={rows} />
      </tbody>
    </Frame>
  );
}

export function GroupedTable<Row>({
  groups,
  ...props
}: TableProps<Row> & { readonly groups: readonly (readonly [key: string, group: Group<Row>])[] }) {
  return (
    <Frame {...props}>
      {groups.map(([key, { title, rows }]) => (
        <tbody key={key}>
          <tr class="group">
            <th colSpan={props.columns.length} scope="rowgroup">
              {title}
            </th>
          </tr>
          <Rows {...props} rows={rows} />
        </tbody>
      ))}
    </Frame>
  );
}

function Frame<Row>({ columns, label, whole, children }: TableProps<Row> & { readonly children: ComponentChildren }) {
  return (
    <div class={`table-box ${whole ? "whole" : ""}`}>
      <table aria-label={label}>
        <thead>
          <tr>
            {columns.map(({ title, class: own, hideTitle }) => (
              <th key={title} class={own} scope="col">
                {hideTitle ? <span class="hidden">{title}</span> : title}
              </th>
            ))}
          </tr>
        </thead>
        {children}
      </table>
    </div>
  );
}

function Rows<Row>({ columns, keyOf, rows }: TableProps<Row> & { readonly rows: readonly Row[] }) {
  return rows.map((row) => (
    <tr key={keyOf(row)}>
      {columns.map(({ title, class: own, cell }, index) =>
        index === 0 ? (
          <th key={title} scope="row" class={own}>
            {cell(row)}
          </th>
        ) : (
          <td key={title} class={own}>
            {cell(row)}
          </td>
        ),
      )}
    </tr>
  ));
}
