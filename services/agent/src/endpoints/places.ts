import type { GatewayRank, NetnsIdentity } from '@causeway/datapath';
import { nextSlot } from '../disk/sandbox.ts';
import type { Sandboxes } from '../disk/sandboxes.ts';
import type { AttachSpec } from './attach-spec.ts';
import { ifnameTaken } from './container-netns.ts';

/** The namespace of an interface, and the rank of the interface there. */
export interface Place {
  readonly identity: NetnsIdentity;
  readonly gateway: GatewayRank;
}

/** The places of interfaces in containers: those of sandboxes, and those that are being attached. */
export class Places {
  readonly #sandboxes: Pick<Sandboxes, 'in'>;
  /** Interfaces that are being attached, by namespace and interface name. */
  readonly #coming = new Map<string, Place>();

  constructor(modules: { readonly sandboxes: Pick<Sandboxes, 'in'> }) {
    this.#sandboxes = modules.sandboxes;
  }

  /** Ranks the interface after every interface that the container has or is about to have. */
  rank({ gatewayPriority }: AttachSpec, identity: NetnsIdentity): GatewayRank {
    const coming = [...this.#coming.values()].filter((other) => other.identity === identity);
    const others = [...coming, ...this.#sandboxes.in(identity)];
    return { priority: gatewayPriority, slot: nextSlot(others.map(({ gateway }) => gateway)) };
  }

  /** Holds the place until the work ends. @throws CausewayError ifname-taken */
  async hold<Result>(
    spec: AttachSpec,
    identity: NetnsIdentity,
    work: (place: Place) => Promise<Result>,
  ): Promise<Result> {
    const key = `${identity} ${spec.ifname}`;
    this.#refuseTaken(spec, identity, key);
    const place = { identity, gateway: this.rank(spec, identity) };
    this.#coming.set(key, place);
    try {
      return await work(place);
    } finally {
      this.#coming.delete(key);
    }
  }

  #refuseTaken({ netns, ifname }: AttachSpec, identity: NetnsIdentity, key: string): void {
    if (this.#coming.has(key)) throw ifnameTaken(netns, ifname, 'an attach under way for an interface');
    for (const sandbox of this.#sandboxes.in(identity)) {
      if (sandbox.ifname === ifname)
        throw ifnameTaken(netns, ifname, `endpoint ${sandbox.endpoint.name} on an interface`);
    }
  }
}
