import type { Credential } from '@causeway/identity';

/** With what this host proves its name. It is replaced when its certificate was renewed. */
export interface Member {
  readonly current: Credential;
  /** Returns a function that ends the subscription. */
  onReplace(listener: () => void): () => void;
}
