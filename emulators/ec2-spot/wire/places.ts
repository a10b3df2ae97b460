/** Regions and availability zones. */
import { element, itemList } from "./xml.ts";

export interface ZoneView {
  readonly region: string;
  readonly name: string;
  readonly id: string;
  readonly geography: string;
}

export function zoneXml(zone: ZoneView): string {
  return (
    element("optInStatus", "opt-in-not-required") +
    "<messageSet/>" +
    element("regionName", zone.region) +
    element("zoneName", zone.name) +
    element("zoneId", zone.id) +
    element("groupName", `${zone.region}-zg-1`) +
    element("networkBorderGroup", zone.region) +
    element("zoneType", "availability-zone") +
    element("groupLongName", `${zone.region} Zone Group 1`) +
    itemList("geographySet", [element("name", zone.geography)]) +
    element("zoneState", "available")
  );
}

export interface RegionView {
  readonly name: string;
  readonly endpoint: string;
  readonly optInStatus: string;
  readonly geography: string;
}

export function regionXml(region: RegionView): string {
  return (
    element("optInStatus", region.optInStatus) +
    itemList("geographySet", [element("name", region.geography)]) +
    element("regionName", region.name) +
    element("regionEndpoint", region.endpoint)
  );
}
