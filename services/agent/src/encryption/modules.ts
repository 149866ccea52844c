import type { Difference, Kernel } from '@causeway/datapath';
import type { PrivateKey } from '@causeway/identity';
import type { ClusterId, Ip, NodeId } from '@causeway/model';
import type { Clock, Duration, Log, Random } from '@causeway/runtime';
import type { Files } from '../disk/files.ts';
import type { Tables } from '../tables/tables.ts';
import type { KeyFile } from './key-file.ts';
import type { Member } from './member.ts';

/** What encryption needs of the world, beside what the rest of the agent needs. */
export interface EncryptionModules {
  readonly member: Member;
  readonly keyFile: KeyFile;
  readonly createKey: () => PrivateKey;
  /** See `EncryptionStatus.plaintextDrops`. */
  readonly plaintextDrops: () => Promise<number | undefined>;
  /** The process that has the port of encrypted tunnels, in words. undefined: such a tunnel of the family has the port, or nothing. */
  readonly portStranger: (family: 4 | 6) => string | undefined;
}

export interface HostEncryptionModules extends EncryptionModules {
  readonly kernel: Kernel;
  readonly files: Files;
  readonly tables: Tables;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Why the kernel cannot encrypt, in words; undefined: it can. */
  readonly whyNoEsp: () => Promise<string | undefined>;
  readonly onRepaired: (repaired: readonly Difference[]) => void;
  /** How many changes the kernel refuses now. */
  readonly onRefused: (count: number) => void;
}

export interface HostEncryptionSettings {
  readonly cluster: ClusterId;
  readonly node: NodeId;
  /** The address of a device of this host: see `HostView.own`. */
  readonly address: Ip;
  /** See `HostView.own`. */
  readonly encapPort?: number;
  /** How often the host makes a new key, unless the managers say otherwise. */
  readonly period: Duration;
}
