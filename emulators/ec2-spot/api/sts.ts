/** AssumeRole and GetCallerIdentity. */
import { isoSeconds } from "../../kernel/clock.ts";
import { trusts } from "../domain/trust.ts";
import { reject } from "../errors.ts";
import type { Parameters } from "../query-protocol.ts";
import { type OpenedSession, openRoleSession } from "../sessions.ts";
import { assumeRoleXml, type CredentialsView, callerIdentityXml } from "../wire/sts.ts";
import { answerSts, type Call, type Operation, parameterNames } from "./operation.ts";

export const getCallerIdentity: Operation = {
  service: "sts",
  action: "GetCallerIdentity",
  parameters: parameterNames(""),
  run(call) {
    const { arn, userId, account } = call.caller;
    return answerSts(call, "GetCallerIdentity", callerIdentityXml({ arn, userId, account: account.id }));
  },
};

/** Wall clock: SDKs compare it with their own before they use or refresh the session. */
export function expiryAfter({ runtime }: Call, seconds: number): number {
  return Math.floor(runtime.clock.wall() / 1000 + seconds) * 1000;
}

export function credentialsView(session: OpenedSession): CredentialsView {
  return {
    accessKeyId: session.accessKeyId,
    secretAccessKey: session.secretAccessKey,
    sessionToken: session.token,
    expiration: isoSeconds(session.expires),
  };
}

interface Asked {
  readonly roleArn: string;
  readonly sessionName: string;
  readonly seconds: number;
  readonly externalId: string | undefined;
  readonly sourceIdentity: string | undefined;
  readonly packedPolicySize: number | undefined;
}

export const assumeRole: Operation = {
  service: "sts",
  action: "AssumeRole",
  parameters: parameterNames(
    "RoleArn RoleSessionName DurationSeconds ExternalId Policy SourceIdentity SerialNumber TokenCode",
  ),
  run(call) {
    const { runtime, caller, exchange, seals } = call;
    const asked = read(call.parameters);
    exchange.note("resource", asked.roleArn);
    const role = runtime.state.role(asked.roleArn);
    const trusted =
      role && trusts(role, { account: caller.account.id, arn: caller.arn, role: caller.role }, asked.externalId);
    // A role that does not exist and one that does not trust the caller are answered alike.
    if (!role || !trusted) return reject("accessDenied", caller.arn, asked.roleArn);
    if (asked.seconds > role.maxSessionSeconds)
      reject("validation", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.");
    if (caller.kind === "session" && asked.seconds > 3600)
      reject(
        "validation",
        "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
      );
    const derived = runtime.store.write(() => {
      runtime.journal.append("change", role.arn, {
        session: asked.sessionName,
        caller: caller.arn,
        seconds: asked.seconds,
      });
      return runtime.ids.derive("ec2.session", [asked.roleArn, asked.sessionName, caller.arn, asked.seconds]).bytes();
    });
    const session = openRoleSession(seals, {
      role,
      name: asked.sessionName,
      derived,
      expires: expiryAfter(call, asked.seconds),
    });
    const view = { ...asked, arn: session.arn, assumedRoleId: session.assumedRoleId };
    return answerSts(call, "AssumeRole", assumeRoleXml(credentialsView(session), view));
  },
};

function read(parameters: Parameters): Asked {
  const problems: string[] = [];
  const check = (name: string, wire: string, least: number, most: number, pattern?: RegExp) => {
    const value = parameters.text(wire);
    const told = (rule: string) =>
      problems.push(`Value '${value}' at '${name}' failed to satisfy constraint: Member must ${rule}`);
    if (value === undefined) return undefined;
    if (value.length < least) told(`have length greater than or equal to ${least}`);
    if (value.length > most) told(`have length less than or equal to ${most}`);
    if (pattern && !pattern.test(value)) told(`satisfy regular expression pattern: ${pattern.source.slice(1, -1)}`);
    return value;
  };
  const missing = (name: string) =>
    problems.push(`Value null at '${name}' failed to satisfy constraint: Member must not be null`);
  const roleArn = check("roleArn", "RoleArn", 20, 2048);
  const sessionName = check("roleSessionName", "RoleSessionName", 2, 64, /^[\w+=,.@-]*$/);
  const externalId = check("externalId", "ExternalId", 2, 1224, /^[\w+=,.@:/-]*$/);
  const sourceIdentity = check("sourceIdentity", "SourceIdentity", 2, 64, /^[\w+=,.@-]*$/);
  if (roleArn === undefined) missing("roleArn");
  if (sessionName === undefined) missing("roleSessionName");
  const seconds = durationOf(parameters, problems);
  if (problems.length > 0 || roleArn === undefined || sessionName === undefined)
    return reject(
      "validation",
      `${problems.length} validation error${problems.length > 1 ? "s" : ""} detected: ${problems.join("; ")}`,
    );
  if (!/^arn:aws[a-z-]*:iam::\d{12}:role\/.+/.test(roleArn)) reject("validation", `${roleArn} is invalid`);
  return { roleArn, sessionName, seconds, externalId, sourceIdentity, packedPolicySize: packedSize(parameters) };
}

export function durationOf(
  parameters: Parameters,
  problems: string[],
  bounds: { readonly usual: number; readonly most: number } = { usual: 3600, most: 43_200 },
): number {
  const text = parameters.text("DurationSeconds") ?? String(bounds.usual);
  const seconds = Number(text);
  const told = (rule: string) =>
    problems.push(`Value '${text}' at 'durationSeconds' failed to satisfy constraint: Member must have value ${rule}`);
  if (!/^\d+$/.test(text) || seconds < 900) told("greater than or equal to 900");
  if (seconds > bounds.most) told(`less than or equal to ${bounds.most}`);
  return seconds;
}

/** Percent of the 2048 characters that session policy and tags may take; told only when there are any. */
export function packedSize(parameters: Parameters): number | undefined {
  const policy = parameters.text("Policy");
  if (policy !== undefined) {
    try {
      JSON.parse(policy);
    } catch {
      reject("malformedPolicy");
    }
  }
  let size = policy?.length ?? 0;
  for (const [name, value] of parameters.all) if (/^(Tags|PolicyArns)\.member\./.test(name)) size += value.length;
  return size === 0 ? undefined : Math.min(100, Math.ceil(size / 20.48));
}
