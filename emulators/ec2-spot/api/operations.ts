/** Every operation of EC2 that is served. */
import { describeFleetHistory, describeSpotFleetRequestHistory } from "./fleet-history.ts";
import { createFleet, deleteFleets, describeFleetInstances, describeFleets, modifyFleet } from "./fleets.ts";
import {
  copyImage,
  createImage,
  deleteSnapshot,
  deregisterImage,
  describeImages,
  describeSnapshots,
  describeVolumes,
} from "./images.ts";
import { describeInstanceAttribute, modifyInstanceAttribute } from "./instance-attributes.ts";
import { getInstanceTypesFromInstanceRequirements } from "./instance-requirements.ts";
import { describeInstanceTypes } from "./instance-types.ts";
import {
  describeInstanceStatus,
  describeInstances,
  rebootInstances,
  startInstances,
  stopInstances,
  terminateInstances,
} from "./instances.ts";
import { createKeyPair, deleteKeyPair, describeKeyPairs, importKeyPair } from "./key-pairs.ts";
import {
  createLaunchTemplate,
  deleteLaunchTemplate,
  describeLaunchTemplates,
  modifyLaunchTemplate,
} from "./launch-templates.ts";
import { describeAccountAttributes, describeSubnets, describeVpcs } from "./network.ts";
import { describeInstanceTypeOfferings } from "./offerings.ts";
import type { Operation } from "./operation.ts";
import { getSpotPlacementScores } from "./placement-scores.ts";
import { describeAvailabilityZones, describeRegions } from "./places.ts";
import { runInstances } from "./run-instances.ts";
import {
  authorizeSecurityGroupIngress,
  createSecurityGroup,
  deleteSecurityGroup,
  describeSecurityGroups,
} from "./security-groups.ts";
import {
  createSpotDatafeedSubscription,
  deleteSpotDatafeedSubscription,
  describeSpotDatafeedSubscription,
} from "./spot-datafeed.ts";
import {
  cancelSpotFleetRequests,
  describeSpotFleetInstances,
  describeSpotFleetRequests,
  modifySpotFleetRequest,
  requestSpotFleet,
} from "./spot-fleets.ts";
import { describeSpotPriceHistory } from "./spot-price-history.ts";
import { cancelSpotInstanceRequests, describeSpotInstanceRequests, requestSpotInstances } from "./spot-requests.ts";
import { createTags, deleteTags, describeTags } from "./tags.ts";
import {
  createLaunchTemplateVersion,
  deleteLaunchTemplateVersions,
  describeLaunchTemplateVersions,
} from "./template-versions.ts";

export const ec2Operations: readonly Operation[] = [
  describeSpotPriceHistory,
  describeAvailabilityZones,
  describeRegions,
  describeInstanceTypes,
  getInstanceTypesFromInstanceRequirements,
  describeInstanceTypeOfferings,
  runInstances,
  describeInstances,
  describeInstanceStatus,
  describeInstanceAttribute,
  modifyInstanceAttribute,
  startInstances,
  stopInstances,
  terminateInstances,
  rebootInstances,
  requestSpotInstances,
  describeSpotInstanceRequests,
  cancelSpotInstanceRequests,
  getSpotPlacementScores,
  createImage,
  copyImage,
  describeImages,
  deregisterImage,
  describeSnapshots,
  deleteSnapshot,
  describeVolumes,
  createTags,
  deleteTags,
  describeTags,
  describeVpcs,
  describeSubnets,
  describeSecurityGroups,
  createSecurityGroup,
  deleteSecurityGroup,
  authorizeSecurityGroupIngress,
  describeKeyPairs,
  createKeyPair,
  importKeyPair,
  deleteKeyPair,
  describeAccountAttributes,
  createLaunchTemplate,
  describeLaunchTemplates,
  modifyLaunchTemplate,
  deleteLaunchTemplate,
  createLaunchTemplateVersion,
  describeLaunchTemplateVersions,
  deleteLaunchTemplateVersions,
  createFleet,
  modifyFleet,
  describeFleets,
  describeFleetInstances,
  deleteFleets,
  describeFleetHistory,
  requestSpotFleet,
  modifySpotFleetRequest,
  describeSpotFleetRequests,
  describeSpotFleetInstances,
  describeSpotFleetRequestHistory,
  cancelSpotFleetRequests,
  createSpotDatafeedSubscription,
  describeSpotDatafeedSubscription,
  deleteSpotDatafeedSubscription,
];
