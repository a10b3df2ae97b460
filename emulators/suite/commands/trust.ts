/** `backlot trust`: the local certificate authority - where it is, what it may sign, and how each tool is told of it. */
import { X509Certificate } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { createCertificatesLazily } from "../../kernel/authority.ts";
import type { Certificates } from "../../kernel/certificates.ts";
import type { Settings } from "../../kernel/settings.ts";
import { bundleText } from "../client-variables.ts";
import { domains } from "../registry.ts";

/** `init`: only makes it where there is none. `bundle`: writes the combined bundle, to `file` or beside the authority. */
export function trust(
  settings: Settings,
  options: {
    readonly init?: boolean | undefined;
    readonly bundle?: boolean | undefined;
    readonly file?: string | undefined;
  },
): number {
  const certificates = createCertificatesLazily(settings, domains)();
  if (options.init) process.stdout.write(`${certificates.caPath}\n`);
  else if (options.bundle) process.stdout.write(`${writeBundle(certificates, options.file)}\n`);
  else process.stdout.write(instructions(certificates));
  return 0;
}

function writeBundle(certificates: Certificates, file: string | undefined): string {
  const path = resolve(file ?? join(dirname(certificates.caPath), "bundle.pem"));
  writeFileSync(path, bundleText(certificates, process.env), { mode: 0o644 });
  return path;
}

/** Names below which the authority may sign; kept beside its certificate, in which they are constraints. */
export function constraintsOf({ caPath }: Certificates): readonly string[] {
  const names = readFileSync(join(dirname(caPath), "ca-domains.txt"), "utf8").split("\n");
  return [...names.filter((name) => name !== ""), "127.0.0.0/8", "::1"];
}

function instructions(certificates: Certificates): string {
  const { caPath, caPem } = certificates;
  const certificate = new X509Certificate(caPem);
  const bundle = join(dirname(caPath), "bundle.pem");
  return `${caPath}

  fingerprint  SHA-256 ${certificate.fingerprint256}
  valid until  ${new Date(certificate.validTo).toISOString().slice(0, 10)}
  may sign     ${constraintsOf(certificates).join(", ")} - and nothing else: these are X.509 name constraints

"backlot exec" and "backlot env" set all of this. By hand, the first adds to what a tool trusts, the rest replace it and
so take the bundle (backlot trust --bundle writes ${bundle}):

  Node.js                   NODE_EXTRA_CA_CERTS=${caPath}
  Python requests, az, pip  REQUESTS_CA_BUNDLE=${bundle}
  twilio-python before 8    trusts what its certifi names, whatever is set: run it by backlot exec
  aws, boto3                AWS_CA_BUNDLE=${bundle}
  curl                      CURL_CA_BUNDLE=${bundle}
  OpenSSL, Go, Ruby         SSL_CERT_FILE=${bundle}
  Java                      keytool -importcert -noprompt -alias backlot -file ${caPath} -keystore backlot.p12 -storepass backlot
                            java -Djavax.net.ssl.trustStore=backlot.p12 -Djavax.net.ssl.trustStorePassword=backlot ...
  .NET on Linux             SSL_CERT_FILE=${bundle}
  Docker image              COPY ca.pem /usr/local/share/ca-certificates/backlot.crt, RUN update-ca-certificates

Backlot never touches the system's own store.
`;
}
