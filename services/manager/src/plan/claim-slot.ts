import type { Ip, Mac, NetworkId, Vni } from '@causeway/model';

/** An address of a network, a MAC address that needs a claim of its own, or a VNI. */
export type Subject = { readonly address: Ip | Mac } | { readonly vni: Vni };

/** A record that should have the claim. */
export interface Expected {
  readonly words: string;
  /** Value that the claim should have. */
  readonly value: Uint8Array;
  /** Key and revision of the record that a repair depends on; absent: the repair depends on the slot's network only. */
  readonly record?: { readonly key: string; readonly revision: bigint };
}

/** A claim that exists. */
interface PresentClaim {
  readonly words: string;
  readonly revision: bigint;
  /** The claim names the record that should have it. */
  readonly isExpected: boolean;
  /** The claim needs no record: a reservation, a cooling claim, or a claim that only a later version knows. */
  readonly standsAlone: boolean;
}

/** A possible claim: a claim that should exist, that exists, or both. */
export interface Slot {
  readonly key: string;
  readonly subject: Subject;
  /** The network that the subject belongs to, or that the claim names. */
  readonly network: NetworkId;
  readonly expected: readonly Expected[];
  readonly present: PresentClaim | undefined;
}
