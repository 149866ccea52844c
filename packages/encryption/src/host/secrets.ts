import type { KeyObject } from 'node:crypto';
import type { SaKey } from '@causeway/datapath';
import type { ClusterId, KeyGeneration, NodeId } from '@causeway/model';
import { publicHalf, sharedSecret } from '../node-key.ts';
import type { Pair } from '../pair.ts';
import { saKeyOf } from '../sa-key-of.ts';

/** A node that has published keys. */
export interface KeyedNode {
  readonly node: NodeId;
  readonly generations: readonly KeyGeneration[];
}

/** What follows from one key of this node and one of a peer. undefined: the peer's key is unusable. */
interface Shared {
  readonly secret: Uint8Array | undefined;
  /** By node, direction and generations. */
  readonly saKeys: Map<string, SaKey>;
}

/**
 * The keys of SAs, and the secrets that a node has in common with its peers. To make them takes a tenth of a millisecond each, and
 * all are needed whenever the kernel is compared. So they are kept as long as the private key and the peer's record are.
 */
export class Secrets {
  readonly #shared = new WeakMap<KeyObject, WeakMap<Uint8Array, Shared>>();
  readonly #publicHalves = new WeakMap<KeyObject, Uint8Array>();

  publicHalf(key: KeyObject): Uint8Array {
    const known = this.#publicHalves.get(key) ?? publicHalf(key);
    this.#publicHalves.set(key, known);
    return known;
  }

  /** The key of an SA between the node that has `keys`, and a peer. undefined: one of the generations is not known, or unusable. */
  saKey(
    own: { readonly cluster: ClusterId; readonly node: NodeId; readonly keys: ReadonlyMap<number, KeyObject> },
    peer: KeyedNode,
    direction: 'in' | 'out',
    pair: Pair,
  ): SaKey | undefined {
    const isIn = direction === 'in';
    const key = own.keys.get(isIn ? pair.receiver : pair.sender);
    const theirs = peer.generations.find(({ generation }) => generation === (isIn ? pair.sender : pair.receiver));
    if (key === undefined || theirs === undefined) return undefined;
    const { secret, saKeys } = this.#sharedBy(key, theirs.publicKey);
    if (secret === undefined) return undefined;
    const name = `${peer.node} ${direction} ${pair.sender} ${pair.receiver}`;
    const known = saKeys.get(name);
    if (known !== undefined) return known;
    const [sender, receiver] = isIn ? [peer.node, own.node] : [own.node, peer.node];
    const made = saKeyOf(secret, { cluster: own.cluster, sender, receiver, pair });
    saKeys.set(name, made);
    return made;
  }

  #sharedBy(key: KeyObject, publicKey: Uint8Array): Shared {
    const ofKey = this.#shared.get(key) ?? new WeakMap<Uint8Array, Shared>();
    this.#shared.set(key, ofKey);
    const known = ofKey.get(publicKey);
    if (known !== undefined) return known;
    const secret = sharedSecret(key, publicKey);
    const made: Shared = { secret: secret.ok ? secret.value : undefined, saKeys: new Map() };
    ofKey.set(publicKey, made);
    return made;
  }
}
