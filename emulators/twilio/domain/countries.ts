/** Countries by calling code, as far as numbers are sold, sought and looked up here. */

export interface Country {
  readonly iso: string;
  readonly name: string;
  readonly calling: string;
  /** Lengths of the national number. */
  readonly lengths: readonly [least: number, most: number];
  /** What mobile numbers begin with; undefined where numbers do not tell. */
  readonly mobile?: RegExp;
  readonly tollFree: RegExp;
  readonly mcc: string;
  readonly carrier: string;
  readonly place: readonly [locality: string, region: string, latitude: string, longitude: string];
}

const northTollFree = /^8(00|33|44|55|66|77|88)/;

/** Longer codes first, so that the first that fits is right; the United States before Canada, told apart by area code. */
export const countries: readonly Country[] = [
  {
    iso: "IE",
    name: "Ireland",
    calling: "353",
    lengths: [7, 9],
    mobile: /^8/,
    tollFree: /^1800/,
    mcc: "272",
    carrier: "Vodafone Ireland",
    place: ["Dublin", "Dublin", "53.349805", "-6.260310"],
  },
  {
    iso: "PT",
    name: "Portugal",
    calling: "351",
    lengths: [9, 9],
    mobile: /^9/,
    tollFree: /^800/,
    mcc: "268",
    carrier: "MEO",
    place: ["Lisbon", "Lisbon", "38.722252", "-9.139337"],
  },
  {
    iso: "FI",
    name: "Finland",
    calling: "358",
    lengths: [6, 11],
    mobile: /^(4|50)/,
    tollFree: /^800/,
    mcc: "244",
    carrier: "Elisa",
    place: ["Helsinki", "Uusimaa", "60.169856", "24.938379"],
  },
  {
    iso: "IL",
    name: "Israel",
    calling: "972",
    lengths: [8, 9],
    mobile: /^5/,
    tollFree: /^1800/,
    mcc: "425",
    carrier: "Pelephone",
    place: ["Tel Aviv", "Tel Aviv", "32.085300", "34.781768"],
  },
  {
    iso: "CA",
    name: "Canada",
    calling: "1",
    lengths: [10, 10],
    tollFree: northTollFree,
    mcc: "302",
    carrier: "Rogers",
    place: ["Toronto", "ON", "43.653226", "-79.383184"],
  },
  {
    iso: "US",
    name: "United States",
    calling: "1",
    lengths: [10, 10],
    tollFree: northTollFree,
    mcc: "310",
    carrier: "T-Mobile USA, Inc.",
    place: ["Washington", "DC", "38.907192", "-77.036871"],
  },
  {
    iso: "GB",
    name: "United Kingdom",
    calling: "44",
    lengths: [9, 10],
    mobile: /^7[1-57-9]/,
    tollFree: /^80/,
    mcc: "234",
    carrier: "Vodafone UK",
    place: ["London", "London", "51.507351", "-0.127758"],
  },
  {
    iso: "DE",
    name: "Germany",
    calling: "49",
    lengths: [6, 12],
    mobile: /^1[5-7]/,
    tollFree: /^800/,
    mcc: "262",
    carrier: "Telekom Deutschland",
    place: ["Berlin", "Berlin", "52.520007", "13.404954"],
  },
  {
    iso: "FR",
    name: "France",
    calling: "33",
    lengths: [9, 9],
    mobile: /^[67]/,
    tollFree: /^80/,
    mcc: "208",
    carrier: "Orange",
    place: ["Paris", "Ile-de-France", "48.856614", "2.352222"],
  },
  {
    iso: "ES",
    name: "Spain",
    calling: "34",
    lengths: [9, 9],
    mobile: /^[67]/,
    tollFree: /^[89]00/,
    mcc: "214",
    carrier: "Movistar",
    place: ["Madrid", "Madrid", "40.416775", "-3.703790"],
  },
  {
    iso: "IT",
    name: "Italy",
    calling: "39",
    lengths: [6, 11],
    mobile: /^3/,
    tollFree: /^80/,
    mcc: "222",
    carrier: "TIM",
    place: ["Rome", "Lazio", "41.902783", "12.496366"],
  },
  {
    iso: "NL",
    name: "Netherlands",
    calling: "31",
    lengths: [9, 9],
    mobile: /^6/,
    tollFree: /^800/,
    mcc: "204",
    carrier: "KPN",
    place: ["Amsterdam", "Noord-Holland", "52.370216", "4.895168"],
  },
  {
    iso: "BE",
    name: "Belgium",
    calling: "32",
    lengths: [8, 9],
    mobile: /^4/,
    tollFree: /^800/,
    mcc: "206",
    carrier: "Proximus",
    place: ["Brussels", "Brussels", "50.850340", "4.351710"],
  },
  {
    iso: "CH",
    name: "Switzerland",
    calling: "41",
    lengths: [9, 9],
    mobile: /^7/,
    tollFree: /^800/,
    mcc: "228",
    carrier: "Swisscom",
    place: ["Zurich", "ZH", "47.376887", "8.541694"],
  },
  {
    iso: "AT",
    name: "Austria",
    calling: "43",
    lengths: [6, 12],
    mobile: /^6/,
    tollFree: /^800/,
    mcc: "232",
    carrier: "A1",
    place: ["Vienna", "Vienna", "48.208174", "16.373819"],
  },
  {
    iso: "SE",
    name: "Sweden",
    calling: "46",
    lengths: [7, 10],
    mobile: /^7/,
    tollFree: /^20/,
    mcc: "240",
    carrier: "Telia",
    place: ["Stockholm", "Stockholm", "59.329323", "18.068581"],
  },
  {
    iso: "DK",
    name: "Denmark",
    calling: "45",
    lengths: [8, 8],
    tollFree: /^80/,
    mcc: "238",
    carrier: "TDC",
    place: ["Copenhagen", "Hovedstaden", "55.676097", "12.568337"],
  },
  {
    iso: "NO",
    name: "Norway",
    calling: "47",
    lengths: [8, 8],
    mobile: /^[49]/,
    tollFree: /^80/,
    mcc: "242",
    carrier: "Telenor",
    place: ["Oslo", "Oslo", "59.913869", "10.752245"],
  },
  {
    iso: "PL",
    name: "Poland",
    calling: "48",
    lengths: [9, 9],
    mobile: /^[5-7]/,
    tollFree: /^80/,
    mcc: "260",
    carrier: "Orange Polska",
    place: ["Warsaw", "Mazowieckie", "52.229676", "21.012229"],
  },
  {
    iso: "AU",
    name: "Australia",
    calling: "61",
    lengths: [9, 9],
    mobile: /^4/,
    tollFree: /^1800/,
    mcc: "505",
    carrier: "Telstra",
    place: ["Sydney", "NSW", "-33.868820", "151.209296"],
  },
  {
    iso: "NZ",
    name: "New Zealand",
    calling: "64",
    lengths: [8, 10],
    mobile: /^2/,
    tollFree: /^800/,
    mcc: "530",
    carrier: "Spark",
    place: ["Auckland", "Auckland", "-36.848460", "174.763332"],
  },
  {
    iso: "JP",
    name: "Japan",
    calling: "81",
    lengths: [9, 10],
    mobile: /^[789]0/,
    tollFree: /^120/,
    mcc: "440",
    carrier: "NTT docomo",
    place: ["Tokyo", "Tokyo", "35.689487", "139.691706"],
  },
  {
    iso: "CN",
    name: "China",
    calling: "86",
    lengths: [9, 11],
    mobile: /^1/,
    tollFree: /^800/,
    mcc: "460",
    carrier: "China Mobile",
    place: ["Beijing", "Beijing", "39.904211", "116.407395"],
  },
  {
    iso: "IN",
    name: "India",
    calling: "91",
    lengths: [10, 10],
    mobile: /^[6-9]/,
    tollFree: /^1800/,
    mcc: "404",
    carrier: "Airtel",
    place: ["Mumbai", "Maharashtra", "19.075984", "72.877656"],
  },
  {
    iso: "BR",
    name: "Brazil",
    calling: "55",
    lengths: [10, 11],
    mobile: /^\d\d9/,
    tollFree: /^800/,
    mcc: "724",
    carrier: "Vivo",
    place: ["Sao Paulo", "SP", "-23.550520", "-46.633309"],
  },
  {
    iso: "MX",
    name: "Mexico",
    calling: "52",
    lengths: [10, 10],
    tollFree: /^800/,
    mcc: "334",
    carrier: "Telcel",
    place: ["Mexico City", "CDMX", "19.432608", "-99.133208"],
  },
  {
    iso: "ZA",
    name: "South Africa",
    calling: "27",
    lengths: [9, 9],
    mobile: /^[6-8]/,
    tollFree: /^80/,
    mcc: "655",
    carrier: "Vodacom",
    place: ["Johannesburg", "Gauteng", "-26.204103", "28.047305"],
  },
  {
    iso: "SG",
    name: "Singapore",
    calling: "65",
    lengths: [8, 8],
    mobile: /^[89]/,
    tollFree: /^1800/,
    mcc: "525",
    carrier: "Singtel",
    place: ["Singapore", "Singapore", "1.352083", "103.819836"],
  },
];

/** Area codes of Canada; every other one of calling code 1 is taken for the United States'. */
const canadian = new Set(
  "204 226 236 249 250 263 289 306 343 354 365 367 368 382 387 403 416 418 428 431 437 438 450 468 474 506 514 519 548 579 581 584 587 600 604 613 639 647 672 683 705 709 742 753 778 780 782 807 819 825 867 873 879 902 905".split(
    " ",
  ),
);

export function countryOf(number: string): Country | undefined {
  const digits = number.replace(/^\+/, "");
  const found = countries.find(({ calling }) => digits.startsWith(calling));
  if (found?.calling !== "1") return found;
  const iso = canadian.has(digits.slice(1, 4)) ? "CA" : "US";
  return countries.find((country) => country.iso === iso);
}

export function countryNamed(iso: string): Country | undefined {
  return countries.find((country) => country.iso === iso.toUpperCase());
}

export type LineType = "mobile" | "landline" | "tollFree";

/** Digits without the calling code. */
export function nationalOf(number: string, { calling }: Country): string {
  return number.slice(1 + calling.length);
}

/** Where a country's numbers do not tell mobile from fixed lines, they are taken as mobile, as they can receive messages. */
export function lineType(number: string): LineType {
  const country = countryOf(number);
  if (!country) return "mobile";
  const national = nationalOf(number, country);
  if (country.tollFree.test(national)) return "tollFree";
  return country.mobile === undefined || country.mobile.test(national) ? "mobile" : "landline";
}

/** `(202) 555-0100` for the North American plan, E.164 for every other. */
export function friendlyForm(number: string): string {
  const match = /^\+1(\d{3})(\d{3})(\d{4})$/.exec(number);
  return match ? `(${match[1]}) ${match[2]}-${match[3]}` : number;
}
