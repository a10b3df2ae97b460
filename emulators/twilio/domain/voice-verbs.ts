/** How long voice verbs take, and what of an input they use. https://www.twilio.com/docs/voice/twiml */
import type { TwimlElement } from "./twiml.ts";

const wordsPerSecond = 2.5;
/** What an audio file whose length nobody knows is taken to last. */
const unknownAudioMs = 5_000;

export function attributeNumber({ attributes }: TwimlElement, name: string, fallback: number): number {
  const text = attributes[name] ?? "";
  return /^\d{1,6}$/.test(text) ? Number(text) : fallback;
}

/** Milliseconds that Say, Play or Pause take, each as often as it loops; a loop of 0 is taken as once. */
export function durationOf(verb: TwimlElement): number {
  const times = Math.max(1, attributeNumber(verb, "loop", 1));
  switch (verb.name) {
    case "Say":
    case "Prompt":
      return Math.max(500, Math.round((wordsIn(verb) / wordsPerSecond) * 1_000)) * times;
    case "Play":
      return (verb.attributes.digits === undefined ? unknownAudioMs : verb.attributes.digits.length * 500) * times;
    case "Pause":
      return attributeNumber(verb, "length", 1) * 1_000;
    default:
      return 0;
  }
}

function wordsIn({ text, children }: TwimlElement): number {
  const own = text.split(/\s+/).filter((word) => word !== "").length;
  return own + children.reduce((sum, child) => sum + wordsIn(child), 0);
}

/** Milliseconds until a Gather gives up: what it says, then its timeout after the last key. */
export function gatherDuration(gather: TwimlElement, typed: string): number {
  const timeout = attributeNumber(gather, "timeout", 5) * 1_000;
  const prompts = gather.children.reduce((sum, child) => sum + durationOf(child), 0);
  return typed === "" ? prompts + timeout : timeout;
}

export interface Gathered {
  readonly typed: string;
  /** The key that ended the input, empty when it was the number of digits or a timeout. */
  readonly finishedOn: string;
  readonly done: boolean;
}

/** What keys pressed one by one make of a Gather. */
export function gatherKeys(gather: TwimlElement, typed: string, keys: string): Gathered {
  const finish = gather.attributes.finishOnKey ?? "#";
  const most = attributeNumber(gather, "numDigits", Number.POSITIVE_INFINITY);
  let digits = typed;
  for (const key of keys) {
    if (finish.includes(key)) return { typed: digits, finishedOn: key, done: true };
    digits += key;
    if (digits.length >= most) return { typed: digits, finishedOn: "", done: true };
  }
  return { typed: digits, finishedOn: "", done: false };
}
