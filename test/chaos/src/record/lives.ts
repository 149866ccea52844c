/** A moment in the record. */
export interface Moment {
  readonly revision: number;
  /** When it was recorded, on the journal's clock. */
  readonly seen: number;
}

/** An endpoint or a network from the revision that made it to the one that took it away. */
export interface Life {
  readonly kind: 'endpoint' | 'network';
  readonly id: string;
  readonly name: string;
  /** What it had when it was made, as journals name it: "network ip", "vni 4096". */
  readonly held: readonly string[];
  readonly born: Moment;
  died?: Moment;
}
