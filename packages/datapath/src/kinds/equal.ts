/**
 * How two objects of a type are compared, property by property. All properties must be listed: when a property is added to
 * the type, the code does not compile until this table says how it is compared. undefined: the property is compared
 * elsewhere, or does not count; a comment says which.
 */
export type Same<Of> = { readonly [Property in keyof Required<Of>]: ((a: Of, b: Of) => boolean) | undefined };

export function by<Of, Property extends keyof Of>(property: Property): (a: Of, b: Of) => boolean {
  return (a, b) => a[property] === b[property];
}

export function isSame<Of>(properties: Same<Of>, a: Of, b: Of): boolean {
  for (const property in properties) if (properties[property]?.(a, b) === false) return false;
  return true;
}
