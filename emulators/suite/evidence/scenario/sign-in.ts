/** How a scenario's requests sign in at each service: as the seeded user, from the variables that clients get. */
import type { Variables } from "./variables.ts";

export interface SignIn {
  headers(service: string): Promise<Readonly<Record<string, string>>>;
}

export function createSignIn(variables: Variables): SignIn {
  const of = (name: string) => variables.get(`env.${name}`) ?? "";
  let azure: Promise<string> | undefined;
  return {
    async headers(service) {
      switch (service) {
        case "twilio": {
          const user = `${of("TWILIO_ACCOUNT_SID")}:${of("TWILIO_AUTH_TOKEN")}`;
          return { authorization: `Basic ${Buffer.from(user).toString("base64")}` };
        }
        case "azure-policyinsights":
          azure ??= azureToken(of);
          return { authorization: `Bearer ${await azure}` };
        case "ec2-spot": {
          // Lenient as the seed has it: the key says whose account it is, and nobody looks at the signature.
          const scope = `${of("AWS_ACCESS_KEY_ID")}/20250101/${of("AWS_REGION") || "us-east-1"}/ec2/aws4_request`;
          return {
            authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=${"0".repeat(64)}`,
          };
        }
        default:
          return {};
      }
    },
  };
}

async function azureToken(of: (name: string) => string): Promise<string> {
  const response = await fetch(`${of("BACKLOT_AZURE_HTTP_URL")}/${of("AZURE_TENANT_ID")}/oauth2/v2.0/token`, {
    method: "POST",
    headers: { "x-backlot-step": "0000" },
    body: new URLSearchParams({
      grant_type: "client_credentials",
      client_id: of("AZURE_CLIENT_ID"),
      client_secret: of("AZURE_CLIENT_SECRET"),
      scope: "https://management.azure.com/.default",
    }),
  });
  const answer: unknown = await response.json();
  if (typeof answer !== "object" || answer === null || !("access_token" in answer))
    throw new Error(`Azure gave no token: ${JSON.stringify(answer)}`);
  return String(answer.access_token);
}
