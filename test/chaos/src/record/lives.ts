/** A revision, and when it was recorded. */
export interface Moment {
  readonly revision: number;
  /** When the revision was recorded, on the journal's clock. */
  readonly seen: number;
}

/** An endpoint or a network, from the revision that made it to the revision that removed it. */
export interface Life {
  readonly kind: 'endpoint' | 'network';
  readonly id: string;
  readonly name: string;
  /** What it had when it was made, in the form of journals: "network ip", "vni 4096". */
  readonly held: readonly string[];
  readonly born: Moment;
  died?: Moment;
}
