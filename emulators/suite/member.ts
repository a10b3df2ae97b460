/** An emulator as the suite sees it: a name and its control API, in process or at an address. */
import type { Address } from "../kernel/emulator.ts";
import { ControlError } from "../kernel/plain-errors.ts";
import type { Settings } from "../kernel/settings.ts";

export interface Member {
  readonly name: string;
  readonly title: string;
  /** Base URLs and host:port pairs by surface, known once it is up. */
  readonly addresses: readonly Address[];
  request(method: string, path: string, body?: unknown): Promise<Response>;
}

/** A member that answered with an error, or not at all. Names it, so that a fan-out fails as a whole and says where. */
export class MemberError extends Error {
  readonly member: string;
  readonly status: number;
  readonly answer: unknown;
  constructor(member: string, status: number, answer: unknown) {
    const message =
      typeof answer === "object" && answer !== null && "message" in answer ? String(answer.message) : String(answer);
    super(`${member}: ${message}`);
    this.name = "MemberError";
    this.member = member;
    this.status = status;
    this.answer = answer;
  }
}

export async function ask<T>(member: Member, method: string, path: string, body?: unknown): Promise<T> {
  const response = await member.request(method, path, body).catch((cause: unknown) => {
    throw new MemberError(member.name, 502, cause instanceof Error ? cause.message : String(cause));
  });
  const text = await response.text();
  const answer: unknown = response.headers.get("content-type")?.startsWith("application/json")
    ? JSON.parse(text)
    : text;
  if (!response.ok) throw new MemberError(member.name, response.status, answer);
  return answer as T;
}

/** Asks all at once and answers in name order; any failure is the failure of the whole. */
export async function askAll<T>(
  members: readonly Member[],
  method: string,
  path: string,
  body?: unknown,
): Promise<readonly (readonly [name: string, answer: T])[]> {
  return Promise.all(members.map(async (member) => [member.name, await ask<T>(member, method, path, body)] as const));
}

/** Asks one after the other until one has it: answers 404 mean that the next is asked. */
export async function firstOf(
  members: readonly Member[],
  method: string,
  path: string,
  body?: unknown,
): Promise<{ readonly member: string; readonly answer: unknown } | undefined> {
  for (const member of members) {
    try {
      return { member: member.name, answer: await ask<unknown>(member, method, path, body) };
    } catch (cause) {
      if (!(cause instanceof MemberError && cause.status === 404)) throw cause;
    }
  }
  return undefined;
}

/** Turns the failure of a member into an answer of the suite's control API that names it. */
export async function guarded<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    if (cause instanceof MemberError)
      throw new ControlError(cause.status, "service_failed", cause.message, {
        service: cause.member,
        answer: cause.answer,
      });
    throw cause;
  }
}

/** A request to a control API in this process, with the token that it may demand. */
export function controlRequest(settings: Settings, path: string, method: string, body: unknown): Request {
  return new Request(`http://localhost${path}`, {
    method,
    headers: {
      "content-type": "application/json",
      ...(settings.controlToken === undefined ? {} : { authorization: `Bearer ${settings.controlToken}` }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}
