/** GetSessionToken, GetFederationToken, AssumeRoleWithWebIdentity, GetAccessKeyInfo. */
import { isoSeconds } from "../../kernel/clock.ts";
import { accountOf } from "../domain/access-key.ts";
import { reject } from "../errors.ts";
import { openRoleSession, openSessionAs } from "../sessions.ts";
import { credentialsXml } from "../wire/sts.ts";
import { element, maybe, wrap } from "../wire/xml.ts";
import { answerSts, type Call, type Operation, parameterNames } from "./operation.ts";
import { credentialsView, durationOf, expiryAfter, packedSize } from "./sts.ts";

const dayAndHalf = { usual: 43_200, most: 129_600 };

function refuse(problems: readonly string[]): void {
  if (problems.length === 0) return;
  reject(
    "validation",
    `${problems.length} validation error${problems.length > 1 ? "s" : ""} detected: ${problems.join("; ")}`,
  );
}

function derive(call: Call, kind: string, content: readonly (string | number)[]): Buffer {
  return call.runtime.store.write(() => call.runtime.ids.derive(kind, content).bytes());
}

function refuseSessions(call: Call, action: string): void {
  if (call.caller.kind === "session") reject("stsDenied", `Cannot call ${action} with session credentials`);
}

export const getSessionToken: Operation = {
  service: "sts",
  action: "GetSessionToken",
  parameters: parameterNames("DurationSeconds SerialNumber TokenCode"),
  run(call) {
    const problems: string[] = [];
    const seconds = durationOf(call.parameters, problems, dayAndHalf);
    refuse(problems);
    refuseSessions(call, "GetSessionToken");
    const { account, arn, userId } = call.caller;
    const session = openSessionAs(call.seals, {
      account: account.id,
      roleArn: arn,
      arn,
      userId,
      derived: derive(call, "ec2.user-session", [arn, seconds]),
      expires: expiryAfter(call, seconds),
    });
    return answerSts(call, "GetSessionToken", credentialsXml(credentialsView(session)));
  },
};

export const getFederationToken: Operation = {
  service: "sts",
  action: "GetFederationToken",
  parameters: parameterNames("Name Policy DurationSeconds"),
  run(call) {
    const problems: string[] = [];
    const seconds = durationOf(call.parameters, problems, dayAndHalf);
    const name = call.parameters.text("Name") ?? "";
    if (!/^[\w+=,.@-]{2,32}$/.test(name))
      problems.push(
        `Value '${name}' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*`,
      );
    refuse(problems);
    refuseSessions(call, "GetFederationToken");
    const { id } = call.caller.account;
    const arn = `arn:aws:sts::${id}:federated-user/${name}`;
    const userId = `${id}:${name}`;
    const session = openSessionAs(call.seals, {
      account: id,
      roleArn: call.caller.arn,
      arn,
      userId,
      derived: derive(call, "ec2.federated-session", [call.caller.arn, name, seconds]),
      expires: expiryAfter(call, seconds),
    });
    return answerSts(
      call,
      "GetFederationToken",
      credentialsXml(credentialsView(session)) +
        wrap("FederatedUser", element("FederatedUserId", userId) + element("Arn", arn)) +
        maybe("PackedPolicySize", packedSize(call.parameters)),
    );
  },
};

interface Claims {
  readonly sub: string;
  readonly aud: string;
  readonly iss: string;
}

/** What a token says; its signature is nobody's here, so only form and expiry are checked. */
function claimsOf(call: Call, token: string): Claims {
  const parts = token.split(".");
  let said: unknown;
  try {
    said = parts.length === 3 ? JSON.parse(Buffer.from(parts[1] ?? "", "base64url").toString("utf8")) : undefined;
  } catch {
    // Whatever is wrong with it, it is no token.
    said = undefined;
  }
  if (typeof said !== "object" || said === null)
    return reject(
      "identityToken",
      "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)",
    );
  const { sub, aud, iss, exp } = said as Record<string, unknown>;
  if (typeof sub !== "string" || typeof iss !== "string")
    return reject("identityToken", "Missing a required claim: sub or iss");
  if (typeof exp === "number" && exp * 1000 <= call.runtime.clock.wall())
    return reject(
      "identityExpired",
      `current date/time ${isoSeconds(call.runtime.clock.wall())} must be before the expiration date/time ${isoSeconds(exp * 1000)}`,
    );
  const audience = Array.isArray(aud) ? String(aud[0] ?? "") : typeof aud === "string" ? aud : "";
  return { sub, iss, aud: audience };
}

export const assumeRoleWithWebIdentity: Operation = {
  service: "sts",
  action: "AssumeRoleWithWebIdentity",
  unsigned: true,
  parameters: parameterNames("RoleArn RoleSessionName WebIdentityToken ProviderId Policy DurationSeconds"),
  run(call) {
    const { parameters, runtime, seals } = call;
    const problems: string[] = [];
    const seconds = durationOf(parameters, problems);
    const need = (name: string) => {
      const value = parameters.text(name);
      if (!value)
        problems.push(
          `Value null at '${name.charAt(0).toLowerCase()}${name.slice(1)}' failed to satisfy constraint: Member must not be null`,
        );
      return value ?? "";
    };
    const roleArn = need("RoleArn");
    const name = need("RoleSessionName");
    const token = need("WebIdentityToken");
    if (name !== "" && !/^[\w+=,.@-]{2,64}$/.test(name))
      problems.push(
        `Value '${name}' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*`,
      );
    refuse(problems);
    const claims = claimsOf(call, token);
    const role = runtime.state.role(roleArn);
    const host = claims.iss.replace(/^https?:\/\//, "");
    const trusted = role?.principals.some(
      (principal) => principal === "*" || principal === `arn:aws:iam::${role.account}:oidc-provider/${host}`,
    );
    if (!role || !trusted) return reject("stsDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity");
    if (seconds > role.maxSessionSeconds)
      reject("validation", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.");
    const session = openRoleSession(seals, {
      role,
      name,
      derived: derive(call, "ec2.web-session", [roleArn, name, claims.sub, seconds]),
      expires: expiryAfter(call, seconds),
    });
    return answerSts(
      call,
      "AssumeRoleWithWebIdentity",
      element("SubjectFromWebIdentityToken", claims.sub) +
        element("Audience", claims.aud) +
        wrap("AssumedRoleUser", element("Arn", session.arn) + element("AssumedRoleId", session.assumedRoleId)) +
        credentialsXml(credentialsView(session)) +
        element("Provider", host),
    );
  },
};

export const getAccessKeyInfo: Operation = {
  service: "sts",
  action: "GetAccessKeyInfo",
  parameters: parameterNames("AccessKeyId"),
  run(call) {
    const id = call.parameters.text("AccessKeyId") ?? "";
    const account = accountOf(id);
    if (account === undefined)
      return reject(
        "validation",
        `1 validation error detected: Value '${id}' at 'accessKeyId' is not a valid access key id`,
      );
    return answerSts(call, "GetAccessKeyInfo", element("Account", account));
  },
};
