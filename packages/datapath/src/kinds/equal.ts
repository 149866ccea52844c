/**
 * When two things of a type are the same, property by property. All of its properties are listed: one that is added to the
 * type does not compile before it is said whether it counts. undefined: it is compared elsewhere, or does not count, as a
 * comment says.
 */
export type Same<Of> = { readonly [Property in keyof Required<Of>]: ((a: Of, b: Of) => boolean) | undefined };

export function by<Of, Property extends keyof Of>(property: Property): (a: Of, b: Of) => boolean {
  return (a, b) => a[property] === b[property];
}

export function isSame<Of>(properties: Same<Of>, a: Of, b: Of): boolean {
  for (const property in properties) if (properties[property]?.(a, b) === false) return false;
  return true;
}
