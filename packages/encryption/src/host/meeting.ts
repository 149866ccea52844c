import type { KeyObject } from 'node:crypto';
import type { SaKey } from '@causeway/datapath';
import type { KeyGeneration, NodeId } from '@causeway/model';
import { sharedSecret } from '../node-key.ts';
import type { Pair } from '../pair.ts';
import { saKeyOf } from '../sa-key-of.ts';
import type { HostView } from './host-view.ts';

/** What SAs need of this host. */
export interface OwnEnd extends Pick<HostView['own'], 'cluster' | 'node' | 'index' | 'address'> {
  readonly generations: readonly {
    readonly generation: number;
    readonly encapPort: number | undefined;
    readonly key: KeyObject;
  }[];
}

interface Keys {
  readonly in: SaKey | undefined;
  readonly out: SaKey | undefined;
}

/** A generation of this host and one of a peer: two SAs, one for each direction. */
export class Meeting {
  readonly #own: Pick<OwnEnd, 'cluster' | 'node'>;
  readonly #mine: OwnEnd['generations'][number];
  readonly #peer: NodeId;
  readonly #theirs: KeyGeneration;
  #keys: Keys | undefined;

  constructor(
    own: Pick<OwnEnd, 'cluster' | 'node'>,
    mine: OwnEnd['generations'][number],
    peer: NodeId,
    theirs: KeyGeneration,
  ) {
    this.#own = own;
    this.#mine = mine;
    this.#peer = peer;
    this.#theirs = theirs;
  }

  /** Whether both SAs are ESP in UDP. It follows from the two generations, which never change, so both ends agree. */
  get isEncapsulated(): boolean {
    return this.#mine.encapPort !== undefined || this.announcedPort !== undefined;
  }

  /** The port at which the peer says to be reached. */
  get announcedPort(): number | undefined {
    return this.#theirs.encapPort;
  }

  /** The private key of this host. */
  get ownKey(): KeyObject {
    return this.#mine.key;
  }

  pair(direction: 'in' | 'out'): Pair {
    const [mine, theirs] = [this.#mine.generation, this.#theirs.generation];
    return direction === 'in' ? { sender: theirs, receiver: mine } : { sender: mine, receiver: theirs };
  }

  /** The key of an SA. undefined: the public key of the peer is unusable. */
  saKey(direction: 'in' | 'out'): SaKey | undefined {
    this.#keys ??= this.#makeKeys();
    return this.#keys[direction];
  }

  equals(other: Meeting): boolean {
    const [mine, theirs] = [this.#mine, this.#theirs];
    return (
      this.#own.cluster === other.#own.cluster &&
      this.#own.node === other.#own.node &&
      this.#peer === other.#peer &&
      mine.generation === other.#mine.generation &&
      mine.encapPort === other.#mine.encapPort &&
      mine.key === other.#mine.key &&
      theirs.generation === other.#theirs.generation &&
      theirs.encapPort === other.#theirs.encapPort &&
      theirs.publicKey.every((byte, n) => byte === other.#theirs.publicKey[n])
    );
  }

  /** Makes the keys of both directions. The secret that they follow from is not kept. */
  #makeKeys(): Keys {
    const secret = sharedSecret(this.#mine.key, this.#theirs.publicKey);
    if (!secret.ok) return { in: undefined, out: undefined };
    const [own, peer, { cluster }] = [this.#own.node, this.#peer, this.#own];
    const keys = {
      in: saKeyOf(secret.value, { cluster, sender: peer, receiver: own, pair: this.pair('in') }),
      out: saKeyOf(secret.value, { cluster, sender: own, receiver: peer, pair: this.pair('out') }),
    };
    secret.value.fill(0);
    return keys;
  }
}
