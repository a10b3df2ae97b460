/** Runs the operators of a query over rows that come one by one. */
import { type Accumulator, aggregates } from "./aggregates.ts";
import { checkCount, column, compile, type Reader, type Scope } from "./compile.ts";
import { KqlProblem } from "./problem.ts";
import { nameOf } from "./query-parser.ts";
import { readsOf, weightColumn } from "./reads.ts";
import type { Expression, Named, Operator, Order, Query } from "./syntax.ts";
import { asBoolean, compare, isBag, isLazy, keyOf, type Row, type Value } from "./values.ts";

export interface Flow {
  readonly columns: readonly string[];
  readonly rows: Iterable<Row>;
}

/** What a query needs of a table. */
export interface Wanted {
  /** Those that the first conditions leave, in lower case; undefined for all. */
  readonly types: ReadonlySet<string> | undefined;
  /** What is read of rows that are then counted: see `readsOf`. */
  readonly reads: ReadonlySet<string> | undefined;
}

export type Tables = (name: string, wanted: Wanted) => Flow | undefined;

export interface World {
  readonly tables: Tables;
  readonly now: number;
}

/** Rows that a join or an expansion may make before it is stopped. */
const mostRows = 2_000_000;
/** As Resource Graph limits it. */
const mostExpanded = 400;

/** @throws KqlProblem */
export function run(query: Query, world: World): Flow {
  const { operators } = query;
  let flow = world.tables(query.table.toLowerCase(), { types: typesWanted(operators), reads: readsOf(operators) });
  if (!flow)
    throw new KqlProblem(
      "InvalidQuery",
      query.at,
      `Table ${query.table.slice(0, 100)} is invalid, unsupported or disallowed`,
      query.table,
    );
  for (const operator of operators) flow = apply(operator, flow, world);
  return flow;
}

function apply(operator: Operator, flow: Flow, world: World): Flow {
  const scope: Scope = { columns: flow.columns, now: world.now };
  switch (operator.tag) {
    case "where": {
      const test = compile(operator.condition, scope);
      return { columns: flow.columns, rows: filtered(flow.rows, (row) => asBoolean(test(row)) === true) };
    }
    case "extend":
      return extended(flow, scope, operator.items);
    case "project":
      return projected(flow, scope, operator.items);
    case "distinct": {
      const { columns, rows } = projected(flow, scope, operator.items);
      const seen = new Set<string>();
      return { columns, rows: filtered(rows, (row) => isNew(seen, row.map(keyOf).join("\u0000"))) };
    }
    case "projectAway":
      return kept(flow, operator, (name) => !operator.names.includes(name));
    case "projectKeep":
      return kept(flow, operator, (name) => name === weightColumn || operator.names.includes(name));
    case "summarize":
      return summarized(flow, scope, operator);
    case "sort":
      return sorted(flow, scope, operator.orders, operator.most);
    case "take":
      return { columns: flow.columns, rows: firstOf(flow.rows, operator.most) };
    case "count":
      return { columns: ["Count"], rows: [[counted(flow)]] };
    case "join":
      return joined(flow, operator, world);
    case "expand":
      return expanded(flow, scope, operator);
  }
}

/** How many rows a row stands for. */
function weightIn(columns: readonly string[]): (row: Row) => number {
  const at = columns.indexOf(weightColumn);
  return (row) => {
    const weight = at < 0 ? 1 : row[at];
    return typeof weight === "number" ? weight : 1;
  };
}

function counted({ columns, rows }: Flow): number {
  const weigh = weightIn(columns);
  let n = 0;
  for (const row of rows) n += weigh(row);
  return n;
}

function* filtered(rows: Iterable<Row>, test: (row: Row) => boolean): Iterable<Row> {
  for (const row of rows) if (test(row)) yield row;
}

function* mapped(rows: Iterable<Row>, change: (row: Row) => Row): Iterable<Row> {
  for (const row of rows) yield change(row);
}

function* firstOf(rows: Iterable<Row>, most: number): Iterable<Row> {
  let left = most;
  if (left <= 0) return;
  for (const row of rows) {
    yield row;
    left -= 1;
    if (left <= 0) return;
  }
}

function isNew(seen: Set<string>, key: string): boolean {
  if (seen.has(key)) return false;
  seen.add(key);
  return true;
}

/** Names of results; what has none is `Column1`, and no name comes twice. */
function named(items: readonly Named[], taken: readonly string[] = []): readonly string[] {
  const used = new Set(taken);
  return items.map(({ alias, of }, index) => {
    let name = alias ?? nameOf(of) ?? `Column${index + 1}`;
    if (alias === undefined) for (let n = 1; used.has(name); n += 1) name = `${nameOf(of) ?? "Column"}${n}`;
    used.add(name);
    return name;
  });
}

function extended({ columns, rows }: Flow, scope: Scope, items: readonly Named[]): Flow {
  const names = named(items);
  const all = [...columns];
  // Later items of one extend do not see earlier ones in Kusto; Resource Graph's samples chain extends instead.
  const readers = items.map(({ of }) => compile(of, scope));
  const places = names.map((name) => {
    const known = all.indexOf(name);
    return known < 0 ? all.push(name) - 1 : known;
  });
  return {
    columns: all,
    rows: mapped(rows, (row) => {
      const next = [...row];
      readers.forEach((read, index) => {
        next[places[index] ?? 0] = read(row);
      });
      return next;
    }),
  };
}

function projected({ columns, rows }: Flow, scope: Scope, items: readonly Named[]): Flow {
  const readers = items.map(({ of }) => compile(of, scope));
  const weight = columns.indexOf(weightColumn);
  if (weight < 0) return { columns: named(items), rows: mapped(rows, (row) => readers.map((read) => read(row))) };
  return {
    columns: [...named(items), weightColumn],
    rows: mapped(rows, (row) => [...readers.map((read) => read(row)), row[weight] ?? 1]),
  };
}

function kept(
  flow: Flow,
  { names, at }: { names: readonly string[]; at: number },
  wanted: (name: string) => boolean,
): Flow {
  for (const name of names) column(name, { columns: flow.columns, now: 0 }, at);
  const places = flow.columns.flatMap((name, index) => (wanted(name) ? [index] : []));
  const pick = (row: Row) => places.map((index) => row[index] ?? null);
  return { columns: flow.columns.filter(wanted), rows: mapped(flow.rows, pick) };
}

interface Call {
  readonly name: string;
  readonly readers: readonly Reader[];
}

function summarized(
  { columns: given, rows }: Flow,
  scope: Scope,
  { items, by }: { readonly items: readonly Named[]; readonly by: readonly Named[] },
): Flow {
  const calls: Call[] = [];
  const outer = items.map(({ of }) => withoutCalls(of, scope, calls));
  const keys = by.map(({ of }) => compile(of, scope));
  const groups = new Map<string, { readonly values: Row; readonly sums: readonly Accumulator[] }>();
  const start = () => calls.map(({ name }) => (aggregates[name] ?? fail(name)).start());
  if (by.length === 0) groups.set("", { values: [], sums: start() });
  const weigh = weightIn(given);
  for (const row of rows) {
    const weight = weigh(row);
    const values = keys.map((read) => read(row));
    const key = values.map(keyOf).join("\u0000");
    let group = groups.get(key);
    if (!group) {
      group = { values, sums: start() };
      groups.set(key, group);
    }
    const { sums } = group;
    for (const [index, { readers }] of calls.entries())
      sums[index]?.add(
        readers.map((read) => read(row)),
        weight,
      );
  }
  const results = { columns: calls.map((_, index) => hidden(index)), now: scope.now };
  const readers = outer.map((of) => compile(of, results));
  const columns = [...named(by), ...namedAggregates(items, named(by))];
  return {
    columns,
    rows: [...groups.values()].map(({ values, sums }) => {
      const found = sums.map((each) => each.result());
      return [...values, ...readers.map((read) => read(found))];
    }),
  };
}

const hidden = (index: number) => `\u0000${index}`;

function fail(name: string): never {
  throw new Error(`no aggregate ${name}`);
}

/** The expression with its aggregates replaced by columns of their results, and the calls themselves. */
function withoutCalls(expression: Expression, scope: Scope, calls: Call[]): Expression {
  const below = (each: Expression) => withoutCalls(each, scope, calls);
  switch (expression.tag) {
    case "call": {
      const { name, args, at } = expression;
      const found = Object.hasOwn(aggregates, name) ? aggregates[name] : undefined;
      if (!found) return { ...expression, args: args.map(below) };
      checkCount(name, args.length, found, at);
      calls.push({ name, readers: args.map((each) => compile(each, scope)) });
      return { tag: "column", name: hidden(calls.length - 1), at };
    }
    case "binary":
      return { ...expression, left: below(expression.left), right: below(expression.right) };
    case "list":
      return { ...expression, of: below(expression.of), items: expression.items.map(below) };
    case "member":
      return { ...expression, of: below(expression.of), name: below(expression.name) };
    case "minus":
      return { ...expression, of: below(expression.of) };
    case "literal":
      return expression;
    case "column":
      throw new KqlProblem(
        "InvalidQuery",
        expression.at,
        `'${expression.name.slice(0, 100)}' is neither aggregated nor grouped by`,
        expression.name,
      );
  }
}

/** `count_`, `max_stateWeight`, `countif_`: as Kusto names them. */
function namedAggregates(items: readonly Named[], taken: readonly string[]): readonly string[] {
  return named(
    items.map(({ alias, of }) => {
      if (alias !== undefined || of.tag !== "call") return { alias, of };
      const [first] = of.args;
      const subject = first && !of.name.startsWith("countif") ? (nameOf(first) ?? "") : "";
      const prefix = of.name === "make_set" ? "set" : of.name === "make_list" ? "list" : of.name;
      return { alias: `${prefix}_${subject}`, of };
    }),
    taken,
  );
}

function sorted({ columns, rows }: Flow, scope: Scope, orders: readonly Order[], most: number | undefined): Flow {
  const readers = orders.map(({ of }) => compile(of, scope));
  const keyed = [...rows].map((row) => ({ row, keys: readers.map((read) => read(row)) }));
  keyed.sort((left, right) => {
    for (const [index, { descending, nullsFirst = !descending }] of orders.entries()) {
      const [a, b] = [left.keys[index] ?? null, right.keys[index] ?? null];
      if (a === null || b === null) {
        if (a === b) continue;
        return (a === null) === nullsFirst ? -1 : 1;
      }
      const difference = compare(a, b) ?? 0;
      if (difference !== 0) return descending ? -difference : difference;
    }
    return 0;
  });
  return { columns, rows: keyed.slice(0, most).map(({ row }) => row) };
}

function joined(flow: Flow, operator: Operator & { tag: "join" }, world: World): Flow {
  const { kind, on, at } = operator;
  const right = run(operator.right, world);
  const leftKeys = on.map((each) => column(each.left, { columns: flow.columns, now: 0 }, at));
  const rightKeys = on.map((each) => column(each.right, { columns: right.columns, now: 0 }, at));
  const keyWith = (readers: readonly Reader[], row: Row) => readers.map((read) => keyOf(read(row))).join("\u0000");
  const byKey = Map.groupBy(right.rows, (row) => keyWith(rightKeys, row));
  const only = kind === "leftanti" || kind === "leftsemi";
  const names = [...flow.columns];
  for (const name of only ? [] : right.columns) {
    let own = name;
    for (let n = 1; names.includes(own); n += 1) own = `${name}${n}`;
    names.push(own);
  }
  const nothing: Row = right.columns.map(() => null);
  function* rows(): Iterable<Row> {
    const seen = new Set<string>();
    let made = 0;
    for (const row of flow.rows) {
      const key = keyWith(leftKeys, row);
      const found = byKey.get(key) ?? [];
      if (only) {
        if (found.length > 0 === (kind === "leftsemi")) yield row;
        continue;
      }
      if (kind === "innerunique" && !isNew(seen, key)) continue;
      made += found.length;
      if (made > mostRows) throw new KqlProblem("InvalidQuery", at, `the join has more than ${mostRows} rows`);
      for (const each of found) yield [...row, ...each];
      if (found.length === 0 && kind === "leftouter") yield [...row, ...nothing];
    }
  }
  return { columns: names, rows: rows() };
}

function expanded(flow: Flow, scope: Scope, { name, of }: Operator & { tag: "expand" }): Flow {
  const read = compile(of, scope);
  const known = flow.columns.indexOf(name);
  const columns = known < 0 ? [...flow.columns, name] : flow.columns;
  const at = known < 0 ? flow.columns.length : known;
  function* rows(): Iterable<Row> {
    for (const row of flow.rows)
      for (const value of partsOf(read(row)).slice(0, mostExpanded)) {
        const next = [...row];
        next[at] = value;
        yield next;
      }
  }
  return { columns, rows: rows() };
}

function partsOf(value: Value): readonly Value[] {
  const whole = isLazy(value) ? value.whole() : value;
  if (Array.isArray(whole)) return whole.length === 0 ? [null] : whole;
  if (isBag(whole)) return Object.entries(whole).map(([name, inner]) => ({ [name]: inner }));
  return [whole];
}

/** What `type =~ '...'` at the front leaves, so that tables need not make rows that no condition lets through. */
function typesWanted(operators: readonly Operator[]): ReadonlySet<string> | undefined {
  for (const operator of operators) {
    if (operator.tag !== "where") return undefined;
    const found = typesIn(operator.condition);
    if (found) return found;
  }
  return undefined;
}

function typesIn(condition: Expression): ReadonlySet<string> | undefined {
  if (condition.tag === "binary" && condition.sign === "and")
    return typesIn(condition.left) ?? typesIn(condition.right);
  const about = (of: Expression) => of.tag === "column" && of.name === "type";
  const literal = (of: Expression) =>
    of.tag === "literal" && typeof of.value === "string" ? [of.value.toLowerCase()] : [];
  if (condition.tag === "binary" && ["==", "=~"].includes(condition.sign) && about(condition.left))
    return found(literal(condition.right), 1);
  if (condition.tag === "list" && ["in", "in~"].includes(condition.sign) && about(condition.of))
    return found(condition.items.flatMap(literal), condition.items.length);
  return undefined;
}

function found(names: readonly string[], wanted: number): ReadonlySet<string> | undefined {
  return names.length === wanted ? new Set(names) : undefined;
}
