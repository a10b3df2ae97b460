/** The variables by which clients of any language trust the local authority and take their way through the gateway. */
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { rootCertificates } from "node:tls";
import type { Certificates } from "../kernel/certificates.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Where systems keep the authorities they trust, as one file. */
const systemBundles = [
  "/etc/ssl/certs/ca-certificates.crt", // Debian, Ubuntu, Alpine, Arch
  "/etc/pki/tls/certs/ca-bundle.crt", // Fedora, Red Hat
  "/etc/ssl/ca-bundle.pem", // openSUSE
  "/etc/ssl/cert.pem", // macOS, BSD
];
/** Tools that read these trust what the file holds and nothing else. */
const replacing = ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "AWS_CA_BUNDLE", "CURL_CA_BUNDLE"] as const;

/**
 * @param folder where the bundles are written; absent: beside the authority
 * @param inherited authorities that are already set there are kept
 */
export function clientVariables(
  certificates: Certificates,
  proxyUrl: string | undefined,
  {
    folder = dirname(certificates.caPath),
    inherited = process.env,
  }: { readonly folder?: string; readonly inherited?: Environment } = {},
): Record<string, string> {
  return {
    ...trustVariables(certificates, folder, inherited),
    ...(proxyUrl === undefined ? {} : proxyVariables(proxyUrl)),
  };
}

function trustVariables(certificates: Certificates, folder: string, inherited: Environment): Record<string, string> {
  const bundle = keepFile(join(folder, "bundle.pem"), bundleText(certificates, inherited)) ?? certificates.caPath;
  // Node adds the file to its own authorities; one that is already set is kept beside ours.
  const extra = inherited.NODE_EXTRA_CA_CERTS;
  const own = readIfThere(extra);
  const joined =
    own === "" || own.includes(certificates.caPem.trim())
      ? undefined
      : keepFile(join(folder, "node-extra.pem"), own + certificates.caPem);
  return {
    NODE_EXTRA_CA_CERTS: joined ?? certificates.caPath,
    ...Object.fromEntries(replacing.map((name) => [name, bundle])),
  };
}

/** The system's authorities, those that the environment already names, and the local one. PEM. */
export function bundleText(certificates: Certificates, inherited: Environment): string {
  const system = systemBundles.find(existsSync);
  const texts = [
    system === undefined ? rootCertificates.join("\n") : readFileSync(system, "utf8"),
    ...replacing.map((name) => readIfThere(inherited[name])),
    certificates.caPem,
  ];
  const blocks = texts.flatMap(
    (text) => text.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [],
  );
  return `${[...new Set(blocks)].join("\n")}\n`;
}

/** Both spellings: curl reads http_proxy in lower case only, twilio-node HTTP_PROXY in upper case only. */
function proxyVariables(proxyUrl: string): Record<string, string> {
  const names = ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"];
  const direct = "localhost,127.0.0.1,::1,[::1]";
  return {
    ...Object.fromEntries(names.map((name) => [name, proxyUrl])),
    NO_PROXY: direct,
    no_proxy: direct,
    // Node's own fetch and http follow the variables above only when asked to (Node 22.21, 24.5).
    NODE_USE_ENV_PROXY: "1",
  };
}

function readIfThere(path: string | undefined): string {
  return path !== undefined && path !== "" && existsSync(path) ? readFileSync(path, "utf8") : "";
}

/** Writes a file unless it is already so; undefined where it cannot be written (an authority on a read-only volume). */
function keepFile(path: string, text: string): string | undefined {
  try {
    if (readIfThere(path) === text) return path;
    const part = `${path}.${process.pid}.part`;
    writeFileSync(part, text, { mode: 0o644 });
    renameSync(part, path);
    return path;
  } catch {
    return undefined;
  }
}
