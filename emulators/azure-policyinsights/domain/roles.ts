/** What a principal may do. https://learn.microsoft.com/azure/role-based-access-control/built-in-roles */

export const roles = ["Owner", "Contributor", "Reader", "None"] as const;
export type Role = (typeof roles)[number];

/** POST operations that only read. */
const reading =
  /\/(queryresults|summarize|checkpolicyrestrictions|listdeployments|resources|query|forecast|getdeliveryattributes|getfullurl|listpolicydefinitionversions|listpolicysetdefinitionversions)\/action$/;

/** An action as role definitions name it, from the method and the segments of a path. */
export function actionOf(method: string, segments: readonly string[]): { action: string; scope: string } {
  const last = segments.map((each) => each.toLowerCase()).lastIndexOf("providers");
  const [namespace = "Microsoft.Resources", ...rest] =
    last < 0 ? ["Microsoft.Resources", ...segments] : segments.slice(last + 1);
  const types = rest.filter((_, index) => index % 2 === 0);
  const scope = last < 0 ? segments : segments.slice(0, last);
  const verbs: Readonly<Record<string, string>> = {
    GET: "read",
    HEAD: "read",
    PUT: "write",
    PATCH: "write",
    DELETE: "delete",
  };
  const action = [namespace, ...types, verbs[method] ?? "action"].join("/");
  return { action, scope: `/${scope.join("/")}` };
}

export function isAllowed(role: Role, action: string): boolean {
  const wanted = action.toLowerCase();
  switch (role) {
    case "Owner":
      return true;
    case "Contributor":
      return !(wanted.startsWith("microsoft.authorization/") && /\/(write|delete)$/.test(wanted));
    case "Reader":
      // Azure gives Reader `*/read`, and lets it query compliance, which is asked for by POST.
      return wanted.endsWith("/read") || reading.test(wanted);
    case "None":
      return false;
  }
}
