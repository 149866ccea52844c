import type { Node } from '@causeway/model';

export interface Registrar {
  /**
   * Writes the host's record if it is new or changed, and what follows from it for networks; returns the store revision
   * at which that holds. @throws CausewayError name-taken, not-leader, store-unavailable …
   */
  register(node: Node): Promise<bigint>;
}
