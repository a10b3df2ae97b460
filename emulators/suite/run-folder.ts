/** What a run's private folder holds for tools that no variable can tell: where certifi's authorities are, that az is up to date. */
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";

type Environment = Readonly<Record<string, string | undefined>>;

/** @param bundle PEM file with the system's authorities and the local one */
export function prepareRunFolder(folder: string, bundle: string, inherited: Environment): Record<string, string> {
  knowAzVersion(join(folder, "azure"), inherited.PATH ?? "");
  return {
    PYTHONPATH: [standInForCertifi(join(folder, "python"), bundle), inherited.PYTHONPATH]
      .filter(Boolean)
      .join(delimiter),
  };
}

/**
 * Libraries that hand requests a session of their own making (twilio-python before 8) never look at REQUESTS_CA_BUNDLE:
 * they take what certifi names. This certifi names the bundle.
 */
function standInForCertifi(folder: string, bundle: string): string {
  const path = JSON.stringify(bundle);
  mkdirSync(join(folder, "certifi"), { recursive: true });
  writeFileSync(
    join(folder, "certifi", "__init__.py"),
    `"""Stands in for certifi in a run of backlot exec."""
__version__ = "2000.01.01"


def where():
    return ${path}


def contents():
    with open(${path}, encoding="ascii") as bundle:
        return bundle.read()
`,
  );
  writeFileSync(join(folder, "certifi", "core.py"), "from certifi import contents, where  # noqa: F401\n");
  return folder;
}

/**
 * In a fresh AZURE_CONFIG_DIR az asks the network for its newest version before anything else, and only the note that it
 * did so keeps it from asking (azure-cli-core, util.handle_version_update).
 */
function knowAzVersion(folder: string, path: string): void {
  mkdirSync(folder, { recursive: true });
  const local = azVersion(path);
  if (local === undefined) return;
  const never = "9000-01-01 00:00:00.000000";
  const versions = { "azure-cli": { local }, core: { local }, telemetry: { local } };
  writeFileSync(join(folder, "versionCheck.json"), JSON.stringify({ versions, update_time: never, check_time: never }));
}

function azVersion(path: string): string | undefined {
  const command = path
    .split(delimiter)
    .map((folder) => join(folder, "az"))
    .find(existsSync);
  if (command === undefined) return undefined;
  const roots = [dirname(dirname(realpathSync(command))), dirname(dirname(command)), "/opt/az", "/usr"];
  const packages = roots.flatMap((root) => pythonFolders(join(root, "lib")));
  const source = packages.map((folder) => join(folder, "azure/cli/core/__init__.py")).find(existsSync);
  return source && /^__version__ = "([^"]+)"/m.exec(readFileSync(source, "utf8"))?.[1];
}

/** `lib/python3/dist-packages` (Debian), `lib/python3.12/site-packages` (venv, Microsoft's packages, Homebrew). */
function pythonFolders(lib: string): readonly string[] {
  if (!existsSync(lib)) return [];
  const pythons = readdirSync(lib).filter((name) => /^python3(\.\d+)?$/.test(name));
  return pythons.flatMap((name) => [join(lib, name, "dist-packages"), join(lib, name, "site-packages")]);
}
