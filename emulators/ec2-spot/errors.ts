/** Errors of every service here in one table, and the class that carries them. */

const wrongSignature =
  "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.";

/** Codes and texts: EC2 API reference "Common errors", STS API reference; recorded answers where they differ. */
const table = {
  missingAction: {
    code: "MissingAction",
    status: 400,
    text: () => "The request is missing an action or a required parameter.",
  },
  invalidAction: {
    code: "InvalidAction",
    status: 400,
    text: (action: string) => `The action ${action} is not valid for this web service.`,
  },
  invalidActionVersion: {
    code: "InvalidAction",
    status: 400,
    text: (action: string, version: string) => `Could not find operation ${action} for version ${version}`,
  },
  malformedQuery: {
    code: "MalformedQueryString",
    status: 400,
    text: (part: string) => `The query string contains a syntax error: ${part}`,
  },
  noSuchVersion: {
    code: "NoSuchVersion",
    status: 400,
    text: (version: string) => `The requested version (${version}) of service AmazonEC2 does not exist`,
  },
  missingParameter: {
    code: "MissingParameter",
    status: 400,
    text: (name: string) => `The request must contain the parameter ${name}`,
  },
  unknownParameter: {
    code: "UnknownParameter",
    status: 400,
    text: (name: string) => `The parameter ${name} is not recognized`,
  },
  parameterCombination: {
    code: "InvalidParameterCombination",
    status: 400,
    text: (one: string, other: string) => `The parameter ${one} cannot be used with the parameter ${other}`,
  },
  badValue: {
    code: "InvalidParameterValue",
    status: 400,
    text: (name: string, value: string) => `Value (${value}) for parameter ${name} is invalid.`,
  },
  belowLeast: {
    code: "InvalidParameterValue",
    status: 400,
    text: (value: string, least: string) =>
      `Value ( ${value} ) for parameter maxResults is invalid. Expecting a value greater than ${least}.`,
  },
  aboveMost: {
    code: "InvalidParameterValue",
    status: 400,
    text: (value: string, most: string) =>
      `Value ( ${value} ) for parameter maxResults is invalid. Expecting a value less than or equal to ${most}.`,
  },
  badFilter: { code: "InvalidParameterValue", status: 400, text: (name: string) => `The filter '${name}' is invalid` },
  badZone: {
    code: "InvalidParameterValue",
    status: 400,
    text: (name: string) => `Invalid availability zone: [${name}]`,
  },
  badZoneId: {
    code: "InvalidParameterValue",
    status: 400,
    text: (id: string) => `Invalid availability zone-id: [${id}]`,
  },
  badRegion: { code: "InvalidParameterValue", status: 400, text: (name: string) => `Invalid region provided: ${name}` },
  badWindow: {
    code: "InvalidParameterValue",
    status: 400,
    text: (start: string, end: string) => `startTime ${start} must not be later than endTime ${end}`,
  },
  badToken: {
    code: "InvalidPaginationToken",
    status: 400,
    text: () => "The pagination token is not valid for this request; repeat the request without NextToken.",
  },
  instanceType: {
    code: "InvalidInstanceType",
    status: 400,
    text: (names: string) => `The following supplied instance types do not exist: [${names}]`,
  },
  dryRun: { code: "DryRunOperation", status: 412, text: () => "Request would have succeeded, but DryRun flag is set." },
  optIn: {
    code: "OptInRequired",
    status: 403,
    text: (region: string) => `The account is not enabled in ${region}. Opt in to the region first.`,
  },
  authFailure: {
    code: "AuthFailure",
    status: 401,
    text: () => "AWS was not able to validate the provided access credentials",
  },
  requestExpired: { code: "RequestExpired", status: 400, text: () => "Request has expired." },
  missingAuthentication: {
    code: "MissingAuthenticationToken",
    status: 403,
    text: () => "Request is missing Authentication Token",
  },
  incompleteSignature: {
    code: "IncompleteSignature",
    status: 400,
    text: (part: string) => `The request signature does not conform to AWS standards: ${part}`,
  },
  invalidClientToken: {
    code: "InvalidClientTokenId",
    status: 403,
    text: () => "The security token included in the request is invalid.",
  },
  signatureMismatch: {
    code: "SignatureDoesNotMatch",
    status: 403,
    text: () => wrongSignature,
  },
  signatureExpired: {
    code: "SignatureDoesNotMatch",
    status: 403,
    text: (signed: string, limit: string) => `Signature expired: ${signed} is now earlier than ${limit}`,
  },
  signatureEarly: {
    code: "SignatureDoesNotMatch",
    status: 403,
    text: (signed: string, limit: string) => `Signature not yet current: ${signed} is still later than ${limit}`,
  },
  expiredToken: {
    code: "ExpiredToken",
    status: 403,
    text: () => "The security token included in the request is expired",
  },
  accessDenied: {
    code: "AccessDenied",
    status: 403,
    text: (caller: string, role: string) =>
      `User: ${caller} is not authorized to perform: sts:AssumeRole on resource: ${role}`,
  },
  validation: { code: "ValidationError", status: 400, text: (problems: string) => problems },
  unrecognizedClient: {
    code: "UnrecognizedClientException",
    status: 403,
    text: () => "The security token included in the request is invalid.",
  },
  invalidSignature: {
    code: "InvalidSignatureException",
    status: 403,
    text: () => wrongSignature,
  },
  missingAuthenticationToken: {
    code: "MissingAuthenticationTokenException",
    status: 403,
    text: () => "Missing Authentication Token",
  },
  expiredTokenException: {
    code: "ExpiredTokenException",
    status: 400,
    text: () => "The security token included in the request is expired",
  },
  valueForType: {
    code: "InvalidParameterValue",
    status: 400,
    text: (type: string) => `Invalid value '${type}' for InstanceType.`,
  },
  instanceNotFound: {
    code: "InvalidInstanceID.NotFound",
    status: 400,
    text: (ids: string) =>
      ids.includes(",") ? `The instance IDs '${ids}' do not exist` : `The instance ID '${ids}' does not exist`,
  },
  instanceMalformed: { code: "InvalidInstanceID.Malformed", status: 400, text: (id: string) => `Invalid id: "${id}"` },
  imageNotFound: {
    code: "InvalidAMIID.NotFound",
    status: 400,
    text: (ids: string) => `The image id '[${ids}]' does not exist`,
  },
  imageMalformed: {
    code: "InvalidAMIID.Malformed",
    status: 400,
    text: (id: string) => `Invalid id: "${id}" (expecting "ami-...")`,
  },
  imageUnavailable: {
    code: "InvalidAMIID.Unavailable",
    status: 400,
    text: (id: string, state: string) => `The image ID '${id}' is not available: its state is ${state}`,
  },
  imageNameTaken: {
    code: "InvalidAMIName.Duplicate",
    status: 400,
    text: (name: string, id: string) => `AMI name ${name} is already in use by AMI ${id}`,
  },
  imageNameMalformed: {
    code: "InvalidAMIName.Malformed",
    status: 400,
    text: () =>
      "AMI names must be between 3 and 128 characters long, and may contain letters, numbers, '(', ')', '.', '-', '/', '_', '@', '[', ']', ' ' and \"'\"",
  },
  requestNotFound: {
    code: "InvalidSpotInstanceRequestID.NotFound",
    status: 400,
    text: (id: string) => `The spot instance request ID '${id}' does not exist`,
  },
  requestMalformed: {
    code: "InvalidSpotInstanceRequestID.Malformed",
    status: 400,
    text: (id: string) => `Invalid id: "${id}" (expecting "sir-...")`,
  },
  spotPriceInvalid: {
    code: "InvalidParameterValue",
    status: 400,
    text: (price: string) =>
      `Value (${price}) for parameter price is invalid. "${price}" is an invalid spot instance price`,
  },
  spotPriceTooLow: { code: "SpotMaxPriceTooLow", status: 400, text: (text: string) => text },
  noCapacity: {
    code: "InsufficientInstanceCapacity",
    status: 500,
    text: () => "There is no Spot capacity available that matches your request.",
  },
  vcpuLimit: { code: "VcpuLimitExceeded", status: 400, text: (text: string) => text },
  tooManySpot: { code: "MaxSpotInstanceCountExceeded", status: 400, text: () => "Max spot instance count exceeded" },
  subnetNotFound: {
    code: "InvalidSubnetID.NotFound",
    status: 400,
    text: (id: string) => `The subnet ID '${id}' does not exist`,
  },
  vpcNotFound: {
    code: "InvalidVpcID.NotFound",
    status: 400,
    text: (id: string) => `The vpc ID '${id}' does not exist`,
  },
  groupNotFound: {
    code: "InvalidGroup.NotFound",
    status: 400,
    text: (name: string) => `The security group '${name}' does not exist`,
  },
  groupTaken: {
    code: "InvalidGroup.Duplicate",
    status: 400,
    text: (name: string, vpc: string) => `The security group '${name}' already exists for VPC '${vpc}'`,
  },
  groupInUse: {
    code: "DependencyViolation",
    status: 400,
    text: (id: string) => `resource ${id} has a dependent object`,
  },
  defaultGroup: {
    code: "CannotDelete",
    status: 400,
    text: (id: string) => `the specified group: "${id}" name: "default" cannot be deleted by a user`,
  },
  permissionTaken: {
    code: "InvalidPermission.Duplicate",
    status: 400,
    text: (rule: string) => `the specified rule "${rule}" already exists`,
  },
  keyNotFound: {
    code: "InvalidKeyPair.NotFound",
    status: 400,
    text: (name: string) => `The key pair '${name}' does not exist`,
  },
  keyTaken: {
    code: "InvalidKeyPair.Duplicate",
    status: 400,
    text: (name: string) => `The keypair '${name}' already exists.`,
  },
  volumeNotFound: {
    code: "InvalidVolume.NotFound",
    status: 400,
    text: (id: string) => `The volume '${id}' does not exist.`,
  },
  placementGroupUnknown: {
    code: "InvalidPlacementGroup.Unknown",
    status: 400,
    text: (name: string) => `The Placement Group '${name}' is unknown.`,
  },
  snapshotNotFound: {
    code: "InvalidSnapshot.NotFound",
    status: 400,
    text: (id: string) => `The snapshot '${id}' does not exist.`,
  },
  snapshotInUse: {
    code: "InvalidSnapshot.InUse",
    status: 400,
    text: (id: string, image: string) => `The snapshot ${id} is currently in use by ${image}`,
  },
  resourceNotFound: { code: "InvalidID", status: 400, text: (id: string) => `The ID '${id}' is not valid` },
  tagLimit: {
    code: "TagLimitExceeded",
    status: 400,
    text: (id: string) => `The maximum number of tags for ${id === "" ? "a resource" : `resource ${id}`} is 50`,
  },
  reservedTag: {
    code: "InvalidParameterValue",
    status: 400,
    text: (key: string) =>
      `Value ( ${key} ) for parameter key is invalid. Tag keys starting with 'aws:' are reserved for internal use`,
  },
  longTag: {
    code: "InvalidParameterValue",
    status: 400,
    text: (part: string, value: string) =>
      `Value ( ${value} ) for parameter ${part} is invalid. It is too long or empty.`,
  },
  unsupported: { code: "UnsupportedOperation", status: 400, text: (text: string) => text },
  notSupported: { code: "Unsupported", status: 400, text: (text: string) => text },
  protected: {
    code: "OperationNotPermitted",
    status: 400,
    text: (id: string, how: string) =>
      `The instance '${id}' may not be ${how}. Modify its '${how === "stopped" ? "disableApiStop" : "disableApiTermination"}' instance attribute and try again.`,
  },
  incorrectState: { code: "IncorrectInstanceState", status: 400, text: (text: string) => text },
  invalidValue: { code: "InvalidParameterValue", status: 400, text: (text: string) => text },
  combination: { code: "InvalidParameterCombination", status: 400, text: (text: string) => text },
  tokenMismatch: {
    code: "IdempotentParameterMismatch",
    status: 400,
    text: (token: string) =>
      `Arguments on this idempotent request are inconsistent with arguments used in previous request(s) with client token ${token}`,
  },
  templateNotFound: {
    code: "InvalidLaunchTemplateId.NotFound",
    status: 400,
    text: (id: string) => `The specified launch template, with template ID ${id}, does not exist.`,
  },
  templateNameNotFound: {
    code: "InvalidLaunchTemplateName.NotFoundException",
    status: 400,
    text: (name: string) => `The specified launch template, with template name ${name}, does not exist.`,
  },
  templateTaken: {
    code: "InvalidLaunchTemplateName.AlreadyExistsException",
    status: 400,
    text: (name: string) => `Launch template name already in use: ${name}`,
  },
  templateVersion: {
    code: "InvalidLaunchTemplateId.VersionNotFound",
    status: 400,
    text: (id: string, version: string) =>
      `Could not find the specified version ${version} for the launch template with ID ${id}.`,
  },
  fleetNotFound: {
    code: "InvalidFleetId.NotFound",
    status: 400,
    text: (id: string) => `The fleet ID '${id}' does not exist`,
  },
  spotFleetNotFound: {
    code: "InvalidSpotFleetRequestId.NotFound",
    status: 400,
    text: (id: string) => `The spot fleet request ID '${id}' does not exist`,
  },
  datafeedNotFound: {
    code: "InvalidSpotDatafeed.NotFound",
    status: 400,
    text: () => "Spot datafeed subscription does not exist.",
  },
  configLimit: {
    code: "MaxConfigLimitExceeded",
    status: 400,
    text: () =>
      "You have exceeded your maximum allowed Spot placement configurations. You can retry configurations that you used within the last 24 hours, or wait for 24 hours before specifying a new configuration.",
  },
  jsonValidation: { code: "ValidationException", status: 400, text: (text: string) => text },
  jsonParameter: { code: "InvalidParameterException", status: 400, text: (text: string) => text },
  jsonNotFound: { code: "NotFoundException", status: 400, text: (text: string) => text },
  jsonToken: { code: "InvalidNextTokenException", status: 400, text: () => "The pagination token is not valid." },
  jsonAbsent: { code: "UnknownOperationException", status: 400, text: (text: string) => text },
  fisNotFound: { code: "ResourceNotFoundException", status: 404, text: (text: string) => text },
  fisConflict: { code: "ConflictException", status: 409, text: (text: string) => text },
  stsDenied: { code: "AccessDenied", status: 403, text: (text: string) => text },
  identityToken: {
    code: "InvalidIdentityToken",
    status: 400,
    text: (text: string) => text,
  },
  identityExpired: {
    code: "ExpiredTokenException",
    status: 400,
    text: (text: string) => `Token expired: ${text}`,
  },
  malformedPolicy: { code: "MalformedPolicyDocument", status: 400, text: () => "This policy contains invalid Json" },
} as const satisfies Record<string, ErrorEntry>;

interface ErrorEntry {
  readonly code: string;
  readonly status: number;
  readonly text: (one: string, other: string) => string;
}

export type ErrorName = keyof typeof table;

export class AwsError extends Error {
  readonly code: string;
  readonly status: number;
  constructor(code: string, status: number, message: string) {
    super(message);
    this.name = "AwsError";
    this.code = code;
    this.status = status;
  }
}

/** Throws the error of this name; the values fill its text. */
export function reject(name: ErrorName, one = "", other = ""): never {
  const { code, status, text } = table[name];
  throw new AwsError(code, status, text(one, other));
}

/** The text of a code of the table that needs no values. */
export function fixedText(code: string): string | undefined {
  const entry = Object.values<ErrorEntry>(table).find((one) => one.code === code);
  return entry?.text.length === 0 ? entry.text("", "") : undefined;
}
