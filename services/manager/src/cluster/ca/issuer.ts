import {
  type Authority,
  checkRequest,
  deriveBytes,
  formatSealingKeyFile,
  formatUnlockKey,
  issueNode,
  lock,
  openAuthority,
  type PrivateKey,
  type SealingKey,
  unlockKeyBytes,
} from '@causeway/identity';
import { CausewayError, type ClusterId, unwrap } from '@causeway/model';
import type { Clock, Random } from '@causeway/runtime';
import type { Issued, Member } from '../../plan/issued.ts';
import type { NextCa } from '../../plan/rotate-ca.ts';
import type { Autolock, Ca } from '../../store/records/ca.ts';
import type { Versioned, View } from '../../store/view.ts';
import type { Custody } from './custody.ts';
import { nextCa } from './next-ca.ts';

interface IssuerParts {
  readonly view: View;
  /** Absent: this manager issues nothing. */
  readonly custody?: Custody;
  readonly clock: Clock;
  readonly random: Random;
}

export interface Wanted {
  readonly to: Member;
  /** PKCS #10 in DER. */
  readonly request: Uint8Array;
  readonly hosts: readonly string[];
}

/** Makes certificates with the cluster's CA. A certificate counts only when it is recorded (plan/issued.ts). */
export class Issuer {
  readonly #parts: IssuerParts;

  constructor(parts: IssuerParts) {
    this.#parts = parts;
  }

  /** @throws CausewayError capability-missing: the cluster has no CA */
  get ca(): Versioned<Ca> {
    const { ca } = this.#parts.view;
    if (ca !== undefined) return ca;
    throw new CausewayError('capability-missing', 'this cluster was founded without a CA: it has no certificates');
  }

  /** @throws CausewayError unlock-key-missing, capability-missing */
  get sealingKey(): SealingKey {
    const key = this.#custody.sealingKey;
    if (key !== undefined) return key;
    const message = 'the leader is locked: it can issue neither certificates nor tokens until it has the unlock key';
    throw new CausewayError('unlock-key-missing', message);
  }

  /** @throws CausewayError certificate-request-invalid; as `sealingKey` and `ca`; certificate-invalid, data-damaged */
  issue({ to, request, hosts }: Wanted): Issued {
    const { clock, random, view } = this.#parts;
    const key = unwrap(checkRequest(request));
    const { ca } = this;
    const now = clock.wall();
    const issuing = { now, random, life: ca.value.life };
    const name = { ...to, cluster: clusterOf(view) };
    return { to, hosts, ca, certificate: issueNode(this.#authority(ca.value, now), { name, key, hosts }, issuing) };
  }

  /** A lock of the managers' sealing key, and its id: the same for the same id. @throws as `sealingKey` */
  autolock(id: string): Autolock {
    const { view, random } = this.#parts;
    const { sealingKey: key } = this;
    const open = { cluster: clusterOf(view), state: 'open', key } as const;
    return { id, file: formatSealingKeyFile(lock(open, this.#unlockKeyOf(id), random)) };
  }

  /** What operators keep: it opens the sealing key of a locked manager. Secret. @throws as `sealingKey` */
  unlockKey(id: string): string {
    return formatUnlockKey(this.#unlockKeyOf(id));
  }

  #unlockKeyOf(id: string): SealingKey {
    const context = { cluster: clusterOf(this.#parts.view), purpose: `unlock key ${id}` };
    return deriveBytes(this.sealingKey, context, unlockKeyBytes);
  }

  /** The CA that is to replace the present one. @throws as `issue` */
  next(): NextCa {
    const { clock, random, view } = this.#parts;
    const { ca, sealingKey } = this;
    const now = clock.wall();
    const custody = this.#custody;
    const createKey = (): PrivateKey => custody.createKey();
    const parts = { cluster: clusterOf(view), authority: this.#authority(ca.value, now), sealingKey, createKey };
    return nextCa({ ...parts, random, now }, ca);
  }

  /** Opened for each certificate, so that the key of the CA is in memory for a moment only. */
  #authority({ roots, signer }: Ca, now: number): Authority {
    const [certificate] = roots;
    if (certificate === undefined) throw new TypeError('a bundle is never empty');
    return unwrap(openAuthority({ certificate, key: signer.key }, this.sealingKey, clusterOf(this.#parts.view), now));
  }

  get #custody(): Custody {
    const { custody } = this.#parts;
    if (custody !== undefined) return custody;
    throw new CausewayError('capability-missing', 'this manager has no sealing key: it cannot issue certificates');
  }
}

function clusterOf({ cluster }: Pick<View, 'cluster'>): ClusterId {
  if (cluster === undefined) throw new CausewayError('store-unavailable', 'the cluster is not known yet: try again');
  return cluster.id;
}
