/** What happens when a timer of this emulator falls due. */
import type { Runtime } from "../../kernel/emulator.ts";
import type { Timer } from "../../kernel/timers.ts";
import type { SpotStore } from "../store.ts";
import { experimentDue, experimentTimer } from "./experiments.ts";
import { fateTimer } from "./fate.ts";
import {
  fleetDue,
  fleetExpiryDue,
  fleetExpiryTimer,
  fleetLost,
  fleetRetireDue,
  fleetRetireTimer,
  fleetTimer,
} from "./fleets.ts";
import { imageDue, imageTimer } from "./images.ts";
import { instanceDue, instanceTimer } from "./instances.ts";
import { deadlineDue, deadlineTimer, fateDue, noticeDue, noticeTimer } from "./interruption.ts";
import { expiryDue, expiryTimer, followed, spotDue, spotTimer } from "./spot.ts";

type Due = (runtime: Runtime<SpotStore>, timer: Timer) => void;

export const timers: Readonly<Record<string, Due>> = {
  [instanceTimer](runtime, timer) {
    const step = instanceDue(runtime, timer);
    if (!step) return;
    followed(runtime, step, timer.due);
    if (step.to === "terminated") fleetLost(runtime, step.instance, timer.due);
  },
  [imageTimer]: imageDue,
  [spotTimer]: spotDue,
  [expiryTimer]: expiryDue,
  [fateTimer]: fateDue,
  [noticeTimer]: noticeDue,
  [deadlineTimer]: deadlineDue,
  [fleetTimer]: fleetDue,
  [fleetExpiryTimer]: fleetExpiryDue,
  [fleetRetireTimer]: fleetRetireDue,
  [experimentTimer]: experimentDue,
};
