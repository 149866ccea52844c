import {
  type Authority,
  type Certificate,
  createSealingKey,
  formatSealingKeyFile,
  formatUnlockKey,
  lock,
  openAuthority,
  openFile,
  type PrivateKey,
  type PublicKey,
  parseSealingKeyFile,
  readPublicKey,
  type SealingKey,
  sealFor,
  toBase64,
  unlock,
} from '@causeway/identity';
import { CausewayError, type ClusterId, unwrap } from '@causeway/model';
import type { Clock, Random } from '@causeway/runtime';
import type { Issued, Member } from '../../plan/issued.ts';
import type { Holders, NextCa } from '../../plan/rotate-ca.ts';
import type { Autolock, Ca } from '../../store/records/ca.ts';
import type { Versioned, View } from '../../store/view.ts';
import { type Custody, sealingKeyPurpose, unlockKeyFrom } from './custody.ts';
import type { ExternalSigner } from './external-signer.ts';
import { nextAuthority, nextCa, signerOf } from './next-ca.ts';
import { type Signing, sign } from './signing.ts';

interface IssuerParts {
  readonly view: View;
  /** Absent: this manager issues nothing. */
  readonly custody?: Custody;
  /** The CA, if its key is not in the cluster; absent: this manager cannot ask such a CA. */
  readonly externalCa?: ExternalSigner;
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
    const custody = this.#custody;
    if (custody.isLocked) {
      const message = 'the leader is locked: it can issue neither certificates nor tokens until it has the unlock key';
      throw new CausewayError('unlock-key-missing', message);
    }
    const key = custody.keyOf(this.ca.value.signer);
    if (key !== undefined) return key;
    throw new CausewayError(
      'busy',
      'the leader does not have the sealing key yet that the managers have changed to: try again',
    );
  }

  /** Also the keys of before, the newest first: from one of them, what was shown before may follow. */
  get sealingKeys(): readonly SealingKey[] {
    return this.#custody.sealingKeys;
  }

  /**
   * @throws CausewayError certificate-request-invalid, external-ca-failed; as `sealingKey` and `ca`; certificate-invalid,
   * data-damaged
   */
  async issue({ to, request, hosts }: Wanted, signal: AbortSignal): Promise<Issued> {
    const { clock, random, view } = this.#parts;
    const { ca } = this;
    const now = clock.wall();
    const applicant = { name: { ...to, cluster: clusterOf(view) }, hosts, request };
    const issuing = { now, random, life: ca.value.life };
    return { to, hosts, ca, certificate: await sign(this.#signing(ca.value, now), applicant, issuing, signal) };
  }

  /** A lock of the managers' sealing key, and its id: the same for the same id. @throws as `sealingKey` */
  autolock(id: string): Autolock {
    const { view, random } = this.#parts;
    const { sealingKey } = this;
    const cluster = clusterOf(view);
    const others = this.sealingKeys.filter((key) => key !== sealingKey);
    const locked = lock(openFile(cluster, [sealingKey, ...others]), unlockKeyFrom(sealingKey, cluster, id), random);
    return { id, file: formatSealingKeyFile(locked) };
  }

  /** What operators keep: it opens the sealing key of a locked manager. Secret. @throws as `sealingKey` */
  unlockKey(id: string): string {
    return formatUnlockKey(this.#unlockKeyOf(id));
  }

  /** That of the lock that holds may follow from an earlier sealing key. */
  #unlockKeyOf(id: string): SealingKey {
    const cluster = clusterOf(this.#parts.view);
    const { autolock } = this.ca.value;
    const file = autolock?.id === id ? unwrap(parseSealingKeyFile(autolock.file)) : undefined;
    const keys = this.sealingKeys.map((key) => unlockKeyFrom(key, cluster, id));
    return (
      keys.find((key) => file !== undefined && unlock(file, key).ok) ?? unlockKeyFrom(this.sealingKey, cluster, id)
    );
  }

  /** For `next` and `resealed`. A change that is prepared again takes the same key, so that no keys without use fill the disk. */
  createSealingKey(): SealingKey {
    return createSealingKey(this.#parts.random);
  }

  /** The CA that is to replace the present one, sealed with this new key. @throws as `issue` */
  async next(newKey: SealingKey, signal: AbortSignal): Promise<NextCa> {
    const { clock, random, view } = this.#parts;
    const { ca, sealingKey } = this;
    const now = clock.wall();
    const custody = this.#custody;
    const parts = { cluster: clusterOf(view), random, now, createKey: (): PrivateKey => custody.createKey() };
    const authority = await nextAuthority({ ...parts, signing: this.#signing(ca.value, now) }, signal);
    const change = await this.#changeKey(newKey);
    const next = nextCa(parts, authority, change?.key ?? sealingKey, ca);
    return { ...next, ca: { ...next.ca, ...change?.given }, ...(change?.holders && { holders: change.holders }) };
  }

  /**
   * The present CA, sealed with this new key, which the manager of this name does not get. Undefined: this manager is locked, or does not
   * know for whom to seal the key. @throws as `issue`
   */
  async resealed(without: string, newKey: SealingKey): Promise<NextCa | undefined> {
    const { clock, random, view, custody } = this.#parts;
    if (custody === undefined || custody.isLocked || view.ca === undefined) return undefined;
    const { ca, sealingKey } = this;
    const isOwn = ca.value.signer.kind === 'sealed';
    const authority = isOwn ? this.#authority(ca.value, sealingKey, clock.wall()) : undefined;
    const change = await this.#changeKey(newKey, without);
    if (change === undefined) return undefined;
    const signer = signerOf(authority?.key, change.key, { cluster: clusterOf(view), random });
    const { given, holders } = change;
    return { from: ca.revision, ca: { ...ca.value, signer, ...given }, ...(holders && { holders }) };
  }

  /** Puts a new sealing key on this manager's disk. Returns how the other managers get it. */
  async #changeKey(key: SealingKey, without?: string): Promise<ChangedKey | undefined> {
    const { random, view } = this.#parts;
    const custody = this.#custody;
    const holders = holdersIn(view, without);
    if (holders === undefined) return undefined;
    const { autolock } = this.ca.value;
    const unlockKey = autolock && this.#unlockKeyOf(autolock.id);
    await custody.add(key, this.sealingKey);
    const cluster = clusterOf(view);
    if (autolock !== undefined && unlockKey !== undefined) {
      const [newest = key, ...others] = custody.sealingKeys;
      const file = formatSealingKeyFile(lock(openFile(cluster, [newest, ...others]), unlockKey, random));
      return { key, given: { autolock: { ...autolock, file } } };
    }
    const context = { cluster, purpose: sealingKeyPurpose };
    const sealedFor = (holder: PublicKey): string =>
      toBase64(sealFor(holder, key, context, { ephemeral: custody.createKey(), random }));
    return {
      key,
      given: { sealingKeys: Object.fromEntries(holders.map(({ name, publicKey }) => [name, sealedFor(publicKey)])) },
      holders: new Map(holders.map(({ name, revision }) => [name, revision])),
    };
  }

  /** A locked manager issues nothing, also when a program has the key of the CA. */
  #signing(ca: Ca, now: number): Signing {
    const { sealingKey } = this;
    if (ca.signer.kind === 'sealed') return { kind: 'own', authority: this.#authority(ca, sealingKey, now) };
    return { kind: 'external', root: rootOf(ca), signer: this.#externalCa };
  }

  /** Opened for each certificate, so that the key of the CA is in memory for a moment only. */
  #authority(ca: Ca, sealingKey: SealingKey, now: number): Authority {
    const sealed = { certificate: rootOf(ca), key: ca.signer.key };
    return unwrap(openAuthority(sealed, sealingKey, clusterOf(this.#parts.view), now));
  }

  get #externalCa(): ExternalSigner {
    const { externalCa } = this.#parts;
    if (externalCa !== undefined) return externalCa;
    const message =
      'the CA of this cluster is a program of its operators, and the leader has none: set --ca-program (CAUSEWAY_CA_PROGRAM) at each manager, and restart it';
    throw new CausewayError('capability-missing', message);
  }

  get #custody(): Custody {
    const { custody } = this.#parts;
    if (custody !== undefined) return custody;
    throw new CausewayError('capability-missing', 'this manager has no sealing key: it cannot issue certificates');
  }
}

interface ChangedKey {
  readonly key: SealingKey;
  readonly given: Pick<Ca, 'sealingKeys' | 'autolock'>;
  readonly holders?: Holders;
}

interface Holder {
  readonly name: string;
  readonly publicKey: PublicKey;
  /** That of the record with the public key. */
  readonly revision: bigint;
}

/** The managers that stay. Undefined: the public key of a manager is not known. */
function holdersIn(view: View, without: string | undefined): readonly Holder[] | undefined {
  const names = new Set<string>([...view.managers.keys(), ...view.knownManagers.keys()]);
  const records = [...view.records('certificate').all.values()].filter(({ value }) => value.role === 'manager');
  for (const { value } of records) names.add(value.id);
  if (without !== undefined) names.delete(without);
  const holders: Holder[] = [];
  for (const name of names) {
    const record = records.find(({ value }) => value.id === name);
    const publicKey = readPublicKey(record?.value.publicKey ?? '');
    if (record === undefined || publicKey === undefined) return undefined;
    holders.push({ name, publicKey, revision: record.revision });
  }
  return holders;
}

function rootOf({ roots: [root] }: Ca): Certificate {
  if (root === undefined) throw new TypeError('a bundle is never empty');
  return root;
}

function clusterOf({ cluster }: Pick<View, 'cluster'>): ClusterId {
  if (cluster === undefined) throw new CausewayError('store-unavailable', 'the cluster is not known yet: try again');
  return cluster.id;
}
