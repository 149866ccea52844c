import type { MessageReader } from '@causeway/netlink';
import { stateKey } from '../kinds/xfrm-state.ts';
import { XFRM_MSG_MAPPING } from '../wire/xfrm-constants.ts';
import { readMapping } from '../wire/xfrm-mapping.ts';

/**
 * From which UDP ports packets of SAs come. The kernel notifies of a port that is not the SA's, and keeps it nowhere. A change that
 * is missed is no loss: each second in which such packets come has a notification.
 */
export class Arrivals {
  readonly #ports = new Map<string, number>();

  hear(message: MessageReader): void {
    const mapping = message.type === XFRM_MSG_MAPPING ? readMapping(message) : undefined;
    if (mapping !== undefined) this.#ports.set(stateKey(mapping), mapping.port);
  }

  /** By `stateKey`. */
  get ports(): ReadonlyMap<string, number> {
    return this.#ports;
  }

  /** The SA has got other ports: from now on only a notification counts that comes later. */
  forget(key: string): void {
    this.#ports.delete(key);
  }

  /** Forgets SAs that are gone. */
  keep(there: { has(key: string): boolean }): void {
    for (const key of this.#ports.keys()) if (!there.has(key)) this.#ports.delete(key);
  }
}
