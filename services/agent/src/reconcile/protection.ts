import type { NetworkId } from '@causeway/model';

/**
 * Whether encrypted networks may be made on this host. "ready": the kernel blocks all of their packets that ESP does not protect.
 * "pending": not yet. `why`: it cannot be done, in words.
 */
export type ProtectionState = 'pending' | 'ready' | { readonly why: string };

export interface Protection {
  readonly state: ProtectionState;
  /** Calls the listener after each change of the state. */
  onChange(listener: () => void): void;
  /** The kernel has nothing of the network any more that must be protected. */
  released(network: NetworkId): void;
}
