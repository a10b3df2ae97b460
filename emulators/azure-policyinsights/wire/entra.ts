/** The documents of Entra ID and of Azure's metadata endpoint. Every address is on the host that was asked. */

export function renderOpenId(base: string, tenantId: string, version: "v1" | "v2" | "adfs") {
  const authority = version === "adfs" ? `${base}/adfs` : `${base}/${tenantId}`;
  const oauth2 = version === "v2" ? `${authority}/oauth2/v2.0` : `${authority}/oauth2`;
  return {
    token_endpoint: `${oauth2}/token`,
    token_endpoint_auth_methods_supported: ["client_secret_post", "client_secret_basic", "private_key_jwt"],
    jwks_uri: version === "v2" ? `${authority}/discovery/v2.0/keys` : `${authority}/discovery/keys`,
    response_modes_supported: ["query", "fragment", "form_post"],
    subject_types_supported: ["pairwise"],
    id_token_signing_alg_values_supported: ["RS256"],
    response_types_supported: ["code"],
    scopes_supported: ["openid"],
    // `az login` reads the tenant's id from the path of the issuer.
    issuer: version === "v2" ? `${base}/${tenantId}/v2.0` : `${base}/${tenantId}/`,
    authorization_endpoint: `${oauth2}/authorize`,
    device_authorization_endpoint: `${oauth2}/devicecode`,
    end_session_endpoint: `${oauth2}/logout`,
    claims_supported: ["sub", "iss", "aud", "exp", "iat", "tid", "ver"],
    tenant_region_scope: "EU",
    cloud_instance_name: new URL(base).host,
  };
}

export function renderDiscovery(base: string) {
  const { host } = new URL(base);
  return {
    tenant_discovery_endpoint: `${base}/common/.well-known/openid-configuration`,
    "api-version": "1.1",
    metadata: [{ preferred_network: host, preferred_cache: host, aliases: [host] }],
  };
}

const audiences = ["https://management.core.windows.net/", "https://management.azure.com/"];

/**
 * 2015-01-01 is one object; 2019-05-01 a list; 2022-09-01 one object with more. az registers clouds by the oldest, where
 * the `adfs` authority keeps it from asking login.microsoftonline.com first.
 */
export function renderMetadata(base: string, version: string): unknown {
  if (version === "2015-01-01")
    return {
      galleryEndpoint: `${base}/`,
      graphEndpoint: `${base}/`,
      portalEndpoint: `${base}/`,
      authentication: { loginEndpoint: `${base}/adfs`, audiences },
    };
  const cloud = {
    name: "Backlot",
    portal: base,
    authentication: {
      loginEndpoint: version === "2019-05-01" ? `${base}/adfs` : base,
      audiences,
      tenant: "common",
      identityProvider: "AAD",
    },
    resourceManager: base,
    graph: base,
    graphAudience: base,
    media: base,
    suffixes: {},
  };
  return version === "2019-05-01" ? [cloud] : cloud;
}
