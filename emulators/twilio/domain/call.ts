/** A call as it is kept, its life, and who answers how. */
import type { TwimlElement } from "./twiml.ts";

export type CallStatus =
  | "queued"
  | "ringing"
  | "in-progress"
  | "completed"
  | "busy"
  | "no-answer"
  | "failed"
  | "canceled";

export type CallDirection = "inbound" | "outbound-api" | "outbound-dial";

export const callEvents = ["initiated", "ringing", "answered", "completed"] as const;
export type CallEvent = (typeof callEvents)[number];

/** What a call is doing between two steps of its script. */
export type Waiting =
  | { readonly tag: "verb" }
  | { readonly tag: "document" }
  | { readonly tag: "gather"; readonly gather: TwimlElement; readonly typed: string }
  | { readonly tag: "record"; readonly record: TwimlElement; readonly recording: string }
  /** For the legs that ring, and then for the one that was answered. */
  | { readonly tag: "dial"; readonly dial: TwimlElement; readonly legs: readonly string[] }
  | { readonly tag: "conference"; readonly dial: TwimlElement; readonly conference: string }
  | { readonly tag: "queue"; readonly enqueue: TwimlElement; readonly queue: string; readonly since: number }
  /** For somebody to come into an empty queue. */
  | { readonly tag: "caller"; readonly dial: TwimlElement; readonly queue: string }
  /** Talks with the call that it took out of a queue. */
  | { readonly tag: "serving"; readonly dial: TwimlElement; readonly other: string; readonly since: number }
  /** Was taken out of its queue by another call, and talks with that. */
  | {
      readonly tag: "served";
      readonly enqueue: TwimlElement;
      readonly queue: string;
      readonly other: string;
      readonly queuedSeconds: number;
    };

/** The verbs still to do, and what relative URLs are resolved against. */
export interface Script {
  readonly verbs: readonly TwimlElement[];
  readonly base: string;
  readonly waiting: Waiting | null;
  readonly hops: number;
  /** While it listens to the waitUrl of a queue. */
  readonly queued?: Queued;
}

/** A call in a queue: what it waits for, what follows the Enqueue, and what it hears meanwhile. */
export interface Queued {
  readonly waiting: Extract<Waiting, { tag: "queue" }>;
  readonly rest: Script;
  readonly url: string;
  readonly method: string;
  /** When the document that plays was asked for. */
  readonly askedAt: number;
}

export interface RecordOrder {
  readonly channels: number;
  readonly statusCallback: string | null;
  readonly statusCallbackMethod: string;
  readonly events: readonly string[];
  readonly track: string;
}

export interface CallData {
  readonly to: string;
  readonly from: string;
  readonly status: CallStatus;
  readonly direction: CallDirection;
  readonly parentCallSid: string | null;
  readonly phoneNumberSid: string | null;
  readonly answeredBy: string | null;
  /** False while the create has not been shown to be under way: dates are then null on the wire. */
  readonly dialled: boolean;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  /** From answer to end; null while the call lives. */
  readonly seconds: number | null;
  /** Hundred-thousandths of a US dollar. */
  readonly price: number | null;
  readonly url: string | null;
  readonly method: string;
  readonly fallbackUrl: string | null;
  readonly fallbackMethod: string;
  readonly twiml: string | null;
  readonly statusCallback: string | null;
  readonly statusCallbackMethod: string;
  readonly statusCallbackEvents: readonly CallEvent[];
  /** Seconds it rings at most. */
  readonly timeout: number;
  /** Seconds it lasts at most. */
  readonly timeLimit: number;
  readonly machineDetection: boolean;
  readonly record: RecordOrder | null;
  readonly recordingSid: string | null;
  /** Of the next status callback. */
  readonly sequence: number;
  readonly script: Script | null;
}

export const callTransitions: Readonly<Record<CallStatus, readonly CallStatus[]>> = {
  queued: ["ringing", "failed", "canceled"],
  ringing: ["in-progress", "busy", "no-answer", "failed", "canceled"],
  "in-progress": ["completed", "failed"],
  completed: [],
  busy: [],
  "no-answer": [],
  failed: [],
  canceled: [],
};

export function stepCall(from: CallStatus, to: CallStatus): CallStatus {
  if (!callTransitions[from].includes(to)) throw new Error(`a call cannot go from ${from} to ${to}`);
  return to;
}

export function isOver(status: CallStatus): boolean {
  return callTransitions[status].length === 0;
}

/** Numbers kept for fiction that do not simply answer. */
export const magicCallees: Readonly<Record<string, "busy" | "no-answer" | "failed" | "machine">> = {
  "+12025550141": "busy",
  "+12025550142": "no-answer",
  "+12025550143": "failed",
  "+12025550144": "machine",
};

/** Hundred-thousandths of a dollar per started minute: the United States list prices of 2025. */
export function callPrice(direction: CallDirection, seconds: number): number {
  return -Math.ceil(seconds / 60) * (direction === "inbound" ? 850 : 1_400);
}

/** Milliseconds, before BACKLOT_PACE. */
export const callDelays = { dial: 200, ring: 800, answer: 3_000, talk: 30_000 } as const;
