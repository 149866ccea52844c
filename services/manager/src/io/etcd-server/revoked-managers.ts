import { access } from 'node:fs/promises';
import { nameOf } from '@causeway/identity';
import { identityDirectory, type LiveCredential, revokedPath, writeRevoked } from '@causeway/identity/io';
import { type ClusterId, isCausewayError } from '@causeway/model';
import { type Clock, type Log, Loop, type Startable, seconds } from '@causeway/runtime';
import type { Removal } from '../../store/records/removal.ts';
import type { View } from '../../store/view.ts';
import { readRemovals, writeRemovals } from '../removals-file.ts';

interface RevokedManagersParts {
  readonly view: Pick<View, 'cluster' | 'records' | 'subscribe'>;
  readonly credential: LiveCredential;
  /** Ends the connections that removed managers have to this manager's etcd. */
  readonly cut: (signal: AbortSignal) => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
}

const retryAfter = seconds(1);

/**
 * What this manager's disk has of removals. The serial numbers of the certificates of removed managers are in the file that its etcd
 * reads at each handshake; so an etcd that starts before its manager has read the store refuses them, too. All removals are in a
 * file for a restore.
 */
export class RevokedManagers implements Startable {
  readonly #parts: RevokedManagersParts;
  readonly #dataDir: string;
  readonly #loop: Loop;
  readonly #stopping = new AbortController();
  /** The serial numbers in the file. */
  #written: readonly string[] = [];
  /** Undefined: not written yet by this process. */
  #kept: readonly Removal[] | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(parts: RevokedManagersParts, { dataDir }: { readonly dataDir: string }) {
    this.#parts = parts;
    this.#dataDir = dataDir;
    const failed = (error: unknown): void => parts.log.error('etcd.revocations-not-written', { error });
    this.#loop = new Loop(parts, { step: (signal) => this.#step(signal), failed, retryAfter });
  }

  /** Resolves when there is a file: etcd refuses all clients without one. */
  async start(): Promise<void> {
    const isThere = await access(revokedPath(identityDirectory(this.#dataDir))).then(
      () => true,
      () => false,
    );
    if (isThere) this.#written = await this.#lastWritten();
    else await this.#write([]);
    const unsubscribe = this.#parts.view.subscribe((changes) => {
      if (changes.some(({ kind }) => kind === 'removed' || kind === 'reset')) this.#loop.wake();
    });
    this.#running = this.#loop.run(this.#stopping.signal).finally(unsubscribe);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #step(signal: AbortSignal): Promise<undefined> {
    const { view, cut, log } = this.#parts;
    if (view.cluster === undefined) return; // The store has not been read yet.
    const { all, revokedSerials } = view.records('removed');
    await this.#keep(
      view.cluster.id,
      [...all.values()].map(({ value }) => value),
    );
    const serials = [...revokedSerials].sort();
    const before = this.#written;
    if (String(serials) === String(before)) return;
    await this.#write(serials);
    this.#written = serials;
    log.info('etcd.revocations-written', { certificates: serials.length });
    if (serials.some((serial) => !before.includes(serial))) await cut(signal);
  }

  /** A list that cannot be read counts as empty: then connections are looked at once more. */
  async #lastWritten(): Promise<readonly string[]> {
    const { cluster } = nameOf(this.#parts.credential.current);
    const removals = await readRemovals(this.#dataDir, cluster).catch((error: unknown) => {
      if (isCausewayError(error)) return [];
      throw error;
    });
    return removals.flatMap(({ serials = [] }) => serials).sort();
  }

  async #keep(cluster: ClusterId, removals: readonly Removal[]): Promise<void> {
    const before = this.#kept;
    if (before?.length === removals.length && removals.every((each, i) => each === before[i])) return;
    await writeRemovals(this.#dataDir, cluster, removals);
    this.#kept = removals;
  }

  async #write(serials: readonly string[]): Promise<void> {
    const { credential, clock } = this.#parts;
    await writeRevoked(identityDirectory(this.#dataDir), credential.current, serials, clock.wall());
  }
}
