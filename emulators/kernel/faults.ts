/**
 * The engine of planned faults. The first rule that covers a moment and fires decides. Nothing is random: a probability
 * is drawn from the seed, the rule and what the request holds, so that the same requests meet the same faults in any
 * order. Rules and counts are rows: a reset goes back to the seed's rules (none, as a rule), a snapshot to those it saved.
 */
import type { Clock } from "./clock.ts";
import { createHolds } from "./fault-holds.ts";
import { type Counts, candidates, compile, indexOf, type Planned } from "./fault-index.ts";
import type { FaultInput } from "./fault-input.ts";
import { faultRows } from "./fault-rows.ts";
import type { Fact, FaultRule, Moment } from "./faults-match.ts";
import type { IdPart, Ids } from "./ids.ts";
import type { Journal } from "./journal.ts";
import type { Store } from "./state.ts";
import type { Timers } from "./timers.ts";

export type { FaultRule } from "./faults-match.ts";

export interface FaultDecision {
  readonly rule: string;
  readonly action: FaultRule["action"];
}

export interface PlannedFault extends FaultRule {
  /** How many moments it covered, and how often it fired. */
  readonly matched: number;
  readonly fired: number;
  /** Fired as often as it may. */
  readonly spent: boolean;
}

export interface Faults {
  /** False while no rule is planned: callers need not gather facts. */
  readonly active: boolean;
  /** A rule with the id of an earlier one takes its place and counts anew. */
  plan(rule: FaultInput): PlannedFault;
  list(): readonly PlannedFault[];
  get(id: string): PlannedFault | undefined;
  remove(id: string): boolean;
  clear(): void;
  clearCounts(): void;
  /**
   * What is planned for this moment; the journal has it when something is. `facts` by name, as rules ask for them;
   * `content` is what makes two moments the same (default: the facts); `about` goes into the journal with it.
   */
  decide(moment: {
    readonly stage: string;
    readonly facts: Readonly<Record<string, Fact>> | ((name: string) => Fact);
    readonly content?: readonly IdPart[] | (() => readonly IdPart[]);
    readonly about?: Readonly<Record<string, unknown>>;
  }): FaultDecision | undefined;
  /**
   * Waits as the action says, at once when it does not. The answer is to be called when what was held up is done, so
   * that advancing the clock can wait for it; undefined when a reset or the end came first and nothing is left to do.
   */
  hold(action: FaultRule["action"], subject: string): Promise<(() => void) | undefined>;
}

export interface FaultsEngine extends Faults {
  /** Reads the rows again, after a start, reset or restore; what was held up until then is dropped. */
  load(): void;
  /** A delay on the virtual clock is over. */
  due(subject: string): void;
  /** Resolves when nothing that was held up is still being worked on. */
  settled(): Promise<void>;
  close(): void;
}

export const mostFaults = 1_000;

export interface FaultsOptions {
  readonly emulator: string;
  readonly store: Store;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly ids: Ids;
  readonly journal: Journal;
}

export function createFaults(options: FaultsOptions): FaultsEngine {
  const { store, clock, timers, ids, journal } = options;
  const rows = faultRows(store);
  const holds = createHolds(clock, timers);
  let rules: readonly Planned[] = [];
  let index = indexOf(rules);
  const become = (next: readonly Planned[]) => {
    rules = next.map((planned, order) => ({ ...planned, order }));
    index = indexOf(rules);
  };

  const keep = (planned: Planned, content: string, counts: Counts) => {
    planned.counts.set(content, counts);
    rows.count(planned.rule.id, content, counts);
  };

  /** Counts the moment for the rule and says whether it fires. */
  const fires = (planned: Planned, moment: Moment): boolean => {
    const { match, times, probability } = planned.rule;
    const perContent = match.per === "content";
    const key =
      perContent || probability !== undefined
        ? ids.fixed("fault.content", moment.content()).bytes().toString("base64url", 0, 15)
        : "";
    const own = key === "" ? planned.total : (planned.counts.get(key) ?? { matched: 0, fired: 0, drawn: 0 });
    const counted = perContent ? own : planned.total;
    if (times !== undefined && counted.fired >= times) return false;
    return store.write(() => {
      planned.total.matched += 1;
      if (own !== planned.total) own.matched += 1;
      const n = counted.matched;
      let fired = turnOf(match, n);
      if (fired && probability !== undefined) {
        own.drawn += 1;
        fired = ids.fixed("fault.draw", [planned.rule.id, key, own.drawn]).unit() < probability;
      }
      if (fired) {
        planned.total.fired += 1;
        if (own !== planned.total) own.fired += 1;
      }
      keep(planned, "", planned.total);
      if (own !== planned.total) keep(planned, key, own);
      return fired;
    });
  };

  const find = (moment: Moment): Planned | undefined => {
    const now = clock.now();
    for (const planned of candidates(index, moment))
      if (planned.covers(moment) && now >= planned.from && now < planned.to && fires(planned, moment)) return planned;
    return undefined;
  };

  const faults: FaultsEngine = {
    get active() {
      return rules.length > 0;
    },
    plan(given) {
      const id = given.id ?? `flt_${ids.derive("fault.rule", [JSON.stringify(given)]).hex(12)}`;
      const rule: FaultRule = { ...given, id, emulator: options.emulator };
      const at = rules.findIndex((planned) => planned.rule.id === id);
      if (at < 0 && rules.length >= mostFaults)
        throw new RangeError(`${mostFaults} faults are planned, which is the most; delete some first`);
      const planned = compile(rule);
      store.write(() => {
        rows.forget(id);
        rows.put(rule);
      });
      become(at < 0 ? [...rules, planned] : rules.with(at, planned));
      return show(planned);
    },
    list: () => rules.map(show),
    get(id) {
      const found = rules.find((planned) => planned.rule.id === id);
      return found && show(found);
    },
    remove(id) {
      const left = rules.filter((planned) => planned.rule.id !== id);
      if (left.length === rules.length) return false;
      store.write(() => rows.remove(id));
      become(left);
      return true;
    },
    clear() {
      store.write(() => rows.clear());
      become([]);
    },
    clearCounts() {
      store.write(() => rows.clearCounts());
      become(rules.map(({ rule }) => compile(rule)));
    },
    decide({ stage, facts, content, about }) {
      if (rules.length === 0) return undefined;
      const moment: Moment = {
        stage,
        fact: typeof facts === "function" ? facts : (name) => facts[name],
        content: () => (typeof content === "function" ? content() : (content ?? [JSON.stringify(facts)])),
      };
      const planned = find(moment);
      if (!planned) return undefined;
      const { id: rule, action, note } = planned.rule;
      journal.append("fault", rule, { stage, action, ...about, ...(note === undefined ? {} : { note }) });
      return { rule, action };
    },
    hold: holds.hold,
    due: holds.due,
    settled: holds.settled,
    load() {
      holds.dropAll();
      become(rows.load().map(({ rule, counts }) => compile(rule, counts)));
    },
    close: holds.dropAll,
  };
  faults.load();
  return faults;
}

function show({ rule, total }: Planned): PlannedFault {
  const spent = rule.times !== undefined && rule.match.per === "rule" && total.fired >= rule.times;
  return { ...rule, matched: total.matched, fired: total.fired, spent };
}

function turnOf({ call, every, calls }: FaultRule["match"], n: number): boolean {
  if (call !== undefined && n !== call) return false;
  if (every !== undefined && n % every !== 0) return false;
  return calls === undefined || (n >= calls[0] && n <= calls[1]);
}
