/** The places that requests to applications name beside each number; unknown ones are present and empty. */
import { areaOf } from "./area-codes.ts";
import { countryOf } from "./countries.ts";

export interface Place {
  readonly City: string;
  readonly Country: string;
  readonly State: string;
  readonly Zip: string;
}

/** Where an area code is known the place follows from it; elsewhere the country alone. */
export function placeOf(number: string): Place {
  const area = areaOf(number);
  const country = number.startsWith("+") ? countryOf(number) : undefined;
  return {
    City: area?.locality.toUpperCase() ?? "",
    Country: country?.iso ?? "",
    State: area?.region ?? "",
    Zip: area?.postalCode ?? "",
  };
}
