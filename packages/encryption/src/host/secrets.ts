import type { KeyObject } from 'node:crypto';
import type { SaKey } from '@causeway/datapath';
import type { ClusterId, KeyGeneration, NodeId } from '@causeway/model';
import { sharedSecret } from '../node-key.ts';
import type { Pair } from '../pair.ts';
import { saKeyOf } from '../sa-key-of.ts';

/** A node that has published keys. */
export interface KeyedNode {
  readonly node: NodeId;
  readonly generations: readonly KeyGeneration[];
}

/**
 * The secrets that a node has in common with its peers. X25519 takes a tenth of a millisecond, and each secret is needed whenever
 * the kernel is compared, so secrets are kept as long as the node's private key is.
 */
export class Secrets {
  readonly #byKey = new WeakMap<KeyObject, Map<string, Uint8Array | undefined>>();

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
    const secret = key && theirs && this.#secret(key, theirs.publicKey);
    if (secret === undefined) return undefined;
    const [sender, receiver] = isIn ? [peer.node, own.node] : [own.node, peer.node];
    return saKeyOf(secret, { cluster: own.cluster, sender, receiver, pair });
  }

  #secret(key: KeyObject, publicKey: Uint8Array): Uint8Array | undefined {
    const known = this.#byKey.get(key) ?? new Map<string, Uint8Array | undefined>();
    this.#byKey.set(key, known);
    const name = publicKey.join();
    if (!known.has(name)) {
      const made = sharedSecret(key, publicKey);
      known.set(name, made.ok ? made.value : undefined);
    }
    return known.get(name);
  }
}
