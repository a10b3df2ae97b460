/** The one recording of a suite: `createSuite()`, the control API and the commands start and stop the same. */
import { type Instant, isoMilliseconds } from "../../kernel/clock.ts";
import { ControlError } from "../../kernel/plain-errors.ts";
import type { Suite } from "../suite.ts";
import type { Recorded, Recording, RecordOptions } from "./record.ts";
import type { StepResult } from "./scenario/run.ts";

export interface Recorder {
  /** Virtual time at which the recording under way began; undefined when there is none. */
  readonly since: Instant | undefined;
  /** What happens from now on goes into the pack. */
  start(options?: RecordOptions): Promise<void>;
  /**
   * Makes the pack, and writes it where `start` was given a folder.
   * @param steps of the scenario that was played
   * @throws when the journals could not hold the run, or a credential was left in the finished pack
   */
  stop(steps?: readonly StepResult[]): Promise<Recorded>;
}

export function createRecorder(suite: () => Suite): Recorder {
  let current: { readonly since: Instant; readonly recording: Promise<Recording> } | undefined;
  return {
    get since() {
      return current?.since;
    },
    async start(options) {
      if (current)
        throw new ControlError(
          409,
          "already_recording",
          `Evidence has been recorded since ${isoMilliseconds(current.since)} of the virtual clock; stop that first.`,
        );
      const recording = import("./record.ts").then(({ startRecording }) => startRecording(suite(), options));
      current = { since: suite().clock.now(), recording };
      try {
        await recording;
      } catch (cause) {
        current = undefined;
        throw cause;
      }
    },
    async stop(steps) {
      if (!current) throw new ControlError(409, "not_recording", "No evidence is being recorded; start that first.");
      const { recording } = current;
      current = undefined;
      return (await recording).stop(steps);
    },
  };
}
