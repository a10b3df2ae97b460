/** The places that requests to applications name beside each number; unknown ones are present and empty. */
import { countryOf } from "./countries.ts";

export interface Place {
  readonly City: string;
  readonly Country: string;
  readonly State: string;
  readonly Zip: string;
}

/** Only the country follows from a number; the rest is what a carrier may or may not know. */
export function placeOf(number: string): Place {
  const country = number.startsWith("+") ? countryOf(number) : undefined;
  const north = country?.calling === "1";
  return {
    City: north ? country.place[0].toUpperCase() : "",
    Country: country?.iso ?? "",
    State: north ? country.place[1] : "",
    Zip: "",
  };
}
