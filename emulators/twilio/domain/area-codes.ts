/** Where the area codes are that numbers are sold in; of all others nothing is known. */

export interface Area {
  readonly code: string;
  readonly country: "US" | "CA";
  readonly locality: string;
  /** State or province, in two letters. */
  readonly region: string;
  readonly latitude: string;
  readonly longitude: string;
  readonly postalCode: string;
  /** Local access and transport area; all of Canada is 888. */
  readonly lata: string;
}

const united: readonly (readonly [string, string, string, string, string, string, string])[] = [
  ["202", "Washington", "DC", "38.907192", "-77.036871", "20001", "236"],
  ["206", "Seattle", "WA", "47.606210", "-122.332071", "98101", "674"],
  ["212", "New York", "NY", "40.712776", "-74.005974", "10001", "132"],
  ["213", "Los Angeles", "CA", "34.052234", "-118.243685", "90012", "730"],
  ["305", "Miami", "FL", "25.761680", "-80.191790", "33130", "460"],
  ["312", "Chicago", "IL", "41.878114", "-87.629798", "60601", "358"],
  ["404", "Atlanta", "GA", "33.748995", "-84.387982", "30303", "438"],
  ["415", "San Francisco", "CA", "37.774929", "-122.419416", "94103", "722"],
  ["503", "Portland", "OR", "45.515232", "-122.678385", "97204", "672"],
  ["512", "Austin", "TX", "30.267153", "-97.743061", "78701", "558"],
  ["602", "Phoenix", "AZ", "33.448377", "-112.074037", "85003", "666"],
  ["617", "Boston", "MA", "42.360083", "-71.058880", "02108", "128"],
  ["646", "New York", "NY", "40.712776", "-74.005974", "10001", "132"],
  ["702", "Las Vegas", "NV", "36.169941", "-115.139830", "89101", "721"],
  ["718", "Brooklyn", "NY", "40.678178", "-73.944158", "11201", "132"],
  ["720", "Denver", "CO", "39.739236", "-104.990251", "80202", "656"],
  ["808", "Honolulu", "HI", "21.306944", "-157.858333", "96813", "834"],
];
const canada: readonly (readonly [string, string, string, string, string, string])[] = [
  ["416", "Toronto", "ON", "43.653226", "-79.383184", "M5H 2N2"],
  ["514", "Montreal", "QC", "45.501689", "-73.567256", "H2Y 1C6"],
  ["604", "Vancouver", "BC", "49.282729", "-123.120738", "V5Y 1V4"],
  ["403", "Calgary", "AB", "51.044733", "-114.071883", "T2G 2M3"],
  ["613", "Ottawa", "ON", "45.421530", "-75.697193", "K1P 1J1"],
  ["902", "Halifax", "NS", "44.648764", "-63.575239", "B3J 3A5"],
];

const areas: readonly Area[] = [
  ...united.map((row) => area("US", ...row)),
  ...canada.map((row) => area("CA", ...row, "888")),
];

function area(
  country: Area["country"],
  ...[code, locality, region, latitude, longitude, postalCode, lata]: (typeof united)[number]
): Area {
  return { code, country, locality, region, latitude, longitude, postalCode, lata };
}

export function areaCodesOf(country: string): readonly string[] {
  return areas.filter((one) => one.country === country).map(({ code }) => code);
}

/** Of a number in E.164 form. */
export function areaOf(number: string): Area | undefined {
  return number.startsWith("+1") ? areas.find(({ code }) => code === number.slice(2, 5)) : undefined;
}
