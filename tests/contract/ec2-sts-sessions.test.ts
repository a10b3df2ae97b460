/** Sessions of users, federated users and web identities, and whose an access key is. */
import {
  AssumeRoleWithWebIdentityCommand,
  GetAccessKeyInfoCommand,
  GetCallerIdentityCommand,
  GetFederationTokenCommand,
  GetSessionTokenCommand,
  type Credentials as SessionCredentials,
} from "@aws-sdk/client-sts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Started, startEc2 } from "./ec2-start.ts";

let started: Started;
beforeAll(async () => {
  started = await startEc2();
  const { runtime } = started.emulator;
  const { state } = runtime;
  runtime.store.write(() =>
    state.addRole(
      {
        arn: "arn:aws:iam::111122223333:role/web",
        account: "111122223333",
        name: "web",
        roleId: "AROAWEBWEBWEBWEBWEBWE",
        externalId: undefined,
        principals: ["arn:aws:iam::111122223333:oidc-provider/idp.example.com"],
        maxSessionSeconds: 3600,
      },
      9,
    ),
  );
});
afterAll(() => started.close());

const told = (promise: Promise<unknown>) =>
  promise.then(
    () => "answered",
    (cause: Error & { $metadata?: { httpStatusCode?: number } }) => `${cause.name} ${cause.$metadata?.httpStatusCode}`,
  );
const of = (credentials: SessionCredentials | undefined) => ({
  accessKeyId: credentials?.AccessKeyId ?? "",
  secretAccessKey: credentials?.SecretAccessKey ?? "",
  sessionToken: credentials?.SessionToken ?? "",
});
const jwt = (claims: object) => ["e30", Buffer.from(JSON.stringify(claims)).toString("base64url"), "c2ln"].join(".");

test("a session of a user acts as the user and can make no further one", async () => {
  const answer = await started.sts().send(new GetSessionTokenCommand({ DurationSeconds: 900 }));
  const sts = started.sts({ credentials: of(answer.Credentials) });
  expect((await sts.send(new GetCallerIdentityCommand({}))).Arn).toBe("arn:aws:iam::111122223333:user/backlot");
  expect(await told(sts.send(new GetSessionTokenCommand({})))).toBe("AccessDenied 403");
  expect(await told(started.sts().send(new GetSessionTokenCommand({ DurationSeconds: 129_601 })))).toBe(
    "ValidationError 400",
  );
});

test("a federated user has a name of its own", async () => {
  const answer = await started.sts().send(new GetFederationTokenCommand({ Name: "bob" }));
  expect(answer.FederatedUser).toEqual({
    FederatedUserId: "111122223333:bob",
    Arn: "arn:aws:sts::111122223333:federated-user/bob",
  });
  const identity = await started.sts({ credentials: of(answer.Credentials) }).send(new GetCallerIdentityCommand({}));
  expect(identity).toMatchObject({
    Arn: answer.FederatedUser?.Arn,
    UserId: "111122223333:bob",
    Account: "111122223333",
  });
});

test("a web identity needs a role that trusts its issuer, and a token that has not expired", async () => {
  const ask = (claims: object, RoleArn = "arn:aws:iam::111122223333:role/web") =>
    started
      .sts()
      .send(new AssumeRoleWithWebIdentityCommand({ RoleArn, RoleSessionName: "web-1", WebIdentityToken: jwt(claims) }));
  const good = {
    iss: "https://idp.example.com",
    sub: "repo:x",
    aud: "sts.amazonaws.com",
    exp: Date.now() / 1000 + 600,
  };
  const answer = await ask(good);
  expect(answer).toMatchObject({
    SubjectFromWebIdentityToken: "repo:x",
    Audience: "sts.amazonaws.com",
    Provider: "idp.example.com",
    AssumedRoleUser: { Arn: "arn:aws:sts::111122223333:assumed-role/web/web-1" },
  });
  expect(await told(ask({ ...good, exp: 1 }))).toBe("ExpiredTokenException 400");
  expect(await told(ask({ aud: "x" }))).toBe("InvalidIdentityTokenException 400");
  expect(await told(ask({ ...good, iss: "https://other.example.com" }))).toBe("AccessDenied 403");
  expect(await told(ask(good, started.roleArn))).toBe("AccessDenied 403");
});

test("a key tells its account", async () => {
  const mine = await started.sts().send(new GetAccessKeyInfoCommand({ AccessKeyId: started.user.accessKeyId }));
  expect(mine.Account).toBe("111122223333");
  expect(await told(started.sts().send(new GetAccessKeyInfoCommand({ AccessKeyId: "AKIAnonsense0000" })))).toBe(
    "ValidationError 400",
  );
});
