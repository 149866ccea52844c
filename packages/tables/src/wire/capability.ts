/** Name of the tag with which a member says that it reads frames. Members of serf show it as any other tag. */
export const capabilityTag = 'cw';

/** The versions of frames that a member reads: from 1 up to `newest`. */
export interface Capability {
  readonly newest: number;
}

export const ownCapability: Capability = { newest: 1 };

/** The value of the tag: "1". A later version may add ":" and what else it can do. */
export function formatCapability({ newest }: Capability): string {
  return `${newest}`;
}

/** Undefined: the member does not read frames, and gets none. Unknown text after ":" is of a later version, and ignored. */
export function parseCapability(tag: string | undefined): Capability | undefined {
  const [, digits] = /^([1-9]\d{0,2})(?::.{0,64})?$/s.exec(tag ?? '') ?? [];
  return digits === undefined ? undefined : { newest: Number(digits) };
}
