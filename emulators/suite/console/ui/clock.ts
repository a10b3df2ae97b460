/** The suite's clock, told on between two answers of the control API. */
import { useEffect, useState } from "preact/hooks";
import { useLive, useResource } from "./state.ts";

export interface ClockView {
  readonly mode: string;
  readonly now: string;
  readonly epochMs: number;
  readonly nextDue: string | null;
}

export interface ClockState {
  readonly view: ClockView;
  /** `2026-01-05 14:03:05`, ticking. */
  readonly shown: string;
}

export function useClock(): ClockState | undefined {
  const live = useLive();
  const { value } = useResource<ClockView>("/_backlot/clock", {
    everyMs: 5_000,
    mark: live.count(undefined, ["control"]),
  });
  const [, setBeat] = useState(0);
  const [heard, setHeard] = useState(0);
  useEffect(() => setHeard(performance.now()), [value]);
  useEffect(() => {
    const timer = setInterval(() => setBeat((before) => before + 1), 1_000);
    return () => clearInterval(timer);
  }, []);
  if (!value) return undefined;
  const passed = value.mode === "frozen" || heard === 0 ? 0 : performance.now() - heard;
  return { view: value, shown: new Date(value.epochMs + passed).toISOString().slice(0, 19).replace("T", " ") };
}
