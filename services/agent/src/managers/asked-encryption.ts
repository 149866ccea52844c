import type { NodeId } from '@causeway/model';
import type { Duration } from '@causeway/runtime';
import { cannotEncryptYet } from '../reconcile/encryption.ts';

/** The generations from which the key of an SA follows. */
interface SaPair {
  readonly sender: number;
  readonly receiver: number;
}

/** The SAs between this host and another one, as the kernel has them. */
interface AskedPeer {
  readonly node: NodeId;
  /** undefined: this host sends nothing to the peer. */
  readonly sends: SaPair | undefined;
  readonly receives: readonly SaPair[];
  /** How old the SA is that sends. */
  readonly age: Duration | undefined;
  readonly esn: boolean;
  readonly replayDrops: number;
}

export interface AskedStatus {
  /** When this host makes its next key by itself; undefined: it has no key. */
  readonly nextKeyIn: Duration | undefined;
  readonly peers: readonly AskedPeer[];
  /** undefined: the kernel does not count them. */
  readonly plaintextDrops: number | undefined;
}

/** What managers may ask of the encryption of this host. */
export interface AskedEncryption {
  /** @throws when the kernel cannot be read */
  status(): Promise<AskedStatus>;
  /** The host shall have a key of a later generation than this. */
  order(orders: { readonly afterGeneration: number }): void;
}

/** For a host that has no keys. */
export const noEncryption: AskedEncryption = {
  status: () => Promise.reject(new Error(cannotEncryptYet)),
  order: () => undefined,
};
