import type { Ip, Mac, NetworkId, Vni } from '@causeway/model';

/** An address of a network, an Ethernet address that needs a claim of its own, or a VNI. */
export type Subject = { readonly address: Ip | Mac } | { readonly vni: Vni };

/** A record that should have the claim. */
export interface Wanted {
  readonly words: string;
  /** What its claim should be. */
  readonly value: Uint8Array;
  /** Key and revision of the record that a repair depends on; none: the slot's network alone. */
  readonly record?: { readonly key: string; readonly revision: bigint };
}

/** A claim that is there. */
interface PresentClaim {
  readonly words: string;
  readonly revision: bigint;
  /** It is the claim of the one record that wants it. */
  readonly isWanted: boolean;
  /** It needs no record: a reservation, what cools, and what only a later version knows. */
  readonly standsAlone: boolean;
}

/** The place of a claim that should be there, or is there, or both. */
export interface Slot {
  readonly key: string;
  readonly subject: Subject;
  /** The network that the subject belongs to, or that the claim names. */
  readonly network: NetworkId;
  readonly wanted: readonly Wanted[];
  readonly present: PresentClaim | undefined;
}
