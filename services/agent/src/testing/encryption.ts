import { createNodeKey } from '@causeway/encryption/io';
import type { Credential } from '@causeway/identity';
import { authorityOf, credentialOf, name } from '@causeway/identity/testing';
import type { ClusterId, NodeId } from '@causeway/model';
import type { Clock } from '@causeway/runtime';
import type { Member } from '../encryption/member.ts';
import type { EncryptionModules } from '../encryption/modules.ts';
import { MemoryKeyFile } from './memory-key-file.ts';

/** The cluster in the certificates of hosts in memory. */
export const memberCluster = '0123456789abcdef' as ClusterId;

/** Before the time at which any clock of a test begins. */
const founded = 1_690_000_000_000;
/** Made when they are asked for: most tests need no certificate. */
const authorities = new Map<number, ReturnType<typeof authorityOf>>();

/** A member of the cluster in memory. All members trust one CA. */
export class MemoryMember implements Member {
  readonly #clock: Clock;
  readonly #node: NodeId;
  readonly #listeners = new Set<() => void>();
  #current: Credential | undefined;
  #renewals = 0;

  constructor(clock: Clock, node: NodeId) {
    this.#clock = clock;
    this.#node = node;
  }

  get current(): Credential {
    this.#current ??= this.#issue(1);
    return this.#current;
  }

  onReplace(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The host gets another certificate, with another key. `ca`: of another CA, which the members do not trust. */
  renew(ca = 1): void {
    this.#current = this.#issue(ca);
    for (const listener of this.#listeners) listener();
  }

  #issue(ca: number): Credential {
    const at = this.#clock.wall();
    const authority = authorities.get(ca) ?? authorityOf(ca, memberCluster, founded);
    authorities.set(ca, authority);
    const seed = Number.parseInt(this.#node.slice(0, 8), 16) + this.#renewals++;
    return credentialOf(authority, name('agent', this.#node, memberCluster), { at, seed });
  }
}

export interface MemoryEncryption extends EncryptionModules {
  readonly member: MemoryMember;
  readonly keyFile: MemoryKeyFile;
  /** What `portStranger` finds. */
  stranger: string | undefined;
}

/** What encryption needs of the world, in memory. */
export function memoryEncryption(clock: Clock, node: NodeId): MemoryEncryption {
  const memory: MemoryEncryption = {
    member: new MemoryMember(clock, node),
    keyFile: new MemoryKeyFile(),
    createKey: createNodeKey,
    plaintextDrops: async () => 0,
    stranger: undefined,
    portStranger: () => memory.stranger,
  };
  return memory;
}
