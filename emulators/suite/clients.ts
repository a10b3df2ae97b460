/**
 * `backlot/clients`: for those who rather write it down than run under `backlot exec`. Each takes the variables of
 * `backlot env` or of `suite.env`, so that one process can talk to several suites. Imports nothing: the SDKs are yours.
 */

type Variables = Readonly<Record<string, string | undefined>>;

function need(variables: Variables, name: string): string {
  const value = variables[name];
  if (value === undefined || value === "")
    throw new Error(`${name} is not set: take the variables from \`backlot env\` or from suite.env.`);
  return value;
}

/**
 * `twilio(sid, token, { httpClient: twilioHttpClient(twilio.RequestClient) })`: every product's host leads to Backlot.
 * @param RequestClient twilio's own class, so that retries, timeouts and logs stay its own
 */
export function twilioHttpClient<Client extends { request: unknown }>(
  RequestClient: new () => Client,
  variables: Variables = process.env,
): Client {
  const base = need(variables, "BACKLOT_TWILIO_URL");
  const client = new RequestClient();
  const send = client.request;
  if (typeof send !== "function") throw new TypeError("pass twilio.RequestClient itself");
  // https://verify.twilio.com/v2 and its edges and regions become <base>/verify/v2.
  const local = (uri: string) =>
    uri.replace(/^https:\/\/([\w-]+)(\.[\w-]+)*\.twilio\.com/, (_, product: string) =>
      product === "api" ? base : `${base}/${product}`,
    );
  const request = (options: { readonly uri: string }): unknown =>
    Reflect.apply(send, client, [{ ...options, uri: local(options.uri) }]);
  Object.defineProperty(client, "request", { value: request });
  return client;
}

export interface AwsClientConfig {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** `new EC2Client(awsClientConfig())`; the same for STS, Pricing and FIS. */
export function awsClientConfig(variables: Variables = process.env): AwsClientConfig {
  return {
    endpoint: need(variables, "AWS_ENDPOINT_URL"),
    region: need(variables, "AWS_REGION"),
    credentials: {
      accessKeyId: need(variables, "AWS_ACCESS_KEY_ID"),
      secretAccessKey: need(variables, "AWS_SECRET_ACCESS_KEY"),
    },
  };
}

export interface AzureClientOptions {
  readonly endpoint: string;
  readonly authorityHost: string;
  readonly disableInstanceDiscovery: true;
  readonly tlsOptions?: { readonly ca: string };
}

/**
 * Options for a credential and for a client alike:
 * `new PolicyInsightsClient(new ClientSecretCredential(tenant, id, secret, options), subscription, options)`.
 * @param ca PEM of the local authority (`suite.certificates().caPem`); not needed where NODE_EXTRA_CA_CERTS names it
 */
export function azureClientOptions(variables: Variables = process.env, ca?: string): AzureClientOptions {
  const url = need(variables, "BACKLOT_AZURE_URL");
  return {
    endpoint: url,
    authorityHost: url,
    disableInstanceDiscovery: true,
    ...(ca === undefined ? {} : { tlsOptions: { ca } }),
  };
}

export interface MailTransportOptions {
  readonly host: string;
  readonly port: number;
  readonly auth?: { readonly user: string; readonly pass: string };
}

/** `nodemailer.createTransport(mailTransportOptions())`. */
export function mailTransportOptions(variables: Variables = process.env): MailTransportOptions {
  const { SMTP_USER: user, SMTP_PASSWORD: pass } = variables;
  const auth = user === undefined || pass === undefined ? {} : { auth: { user, pass } };
  return { host: need(variables, "SMTP_HOST"), port: Number(need(variables, "SMTP_PORT")), ...auth };
}
