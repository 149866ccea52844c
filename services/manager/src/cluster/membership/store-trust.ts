import { formatPins, type TrustBundle } from '@causeway/identity';
import { type Clock, type Duration, type Log, Loop, type Startable, seconds } from '@causeway/runtime';
import type { View } from '../../store/view.ts';
import type { Membership } from './membership.ts';
import { planRestart } from './plan-restart.ts';

/** The etcd of this manager, as far as its trust is concerned. */
export interface TrustingStore {
  /** The roots that it has read at its start, as `formatPins`; empty: not known. */
  readonly trust: string;
  /** Resolves when it is healthy again. */
  restart(): Promise<void>;
}

interface StoreTrustParts {
  readonly view: View;
  readonly membership: Pick<Membership, 'list'>;
  readonly etcd: TrustingStore;
  /** The roots that this manager has on disk. */
  readonly onDisk: () => TrustBundle;
  /** Registers what the etcd of this manager trusts. */
  readonly register: (etcdTrust: string) => void;
  readonly clock: Clock;
  readonly log: Log;
}

/** The roots on disk change without a change of the view. */
const lookEvery = seconds(5);
/** While another etcd is restarted, or a member is not healthy. */
const waitFor = seconds(1);

/** Restarts the etcd of this manager when the roots of the cluster have changed and it is this manager's turn. */
export class StoreTrust implements Startable {
  readonly #parts: StoreTrustParts;
  readonly #name: string;
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #why = '';

  constructor(parts: StoreTrustParts, { name }: { readonly name: string }) {
    this.#parts = parts;
    this.#name = name;
  }

  start(): Promise<void> {
    const { view, log } = this.#parts;
    const failed = (error: unknown): void => log.debug('etcd.trust-not-known', { message: String(error) });
    const loop = new Loop(this.#parts, { step: () => this.#step(), failed, retryAfter: waitFor });
    const unsubscribe = view.subscribe((changes) => {
      if (changes.some(({ kind }) => kind === 'ca' || kind === 'manager' || kind === 'reset')) loop.wake();
    });
    this.#running = loop.run(this.#stopping.signal).finally(unsubscribe);
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #step(): Promise<Duration> {
    const { view, membership, etcd, onDisk, register, log } = this.#parts;
    const { ca } = view;
    register(etcd.trust);
    if (ca === undefined || ca.value.roots.length > 1) return lookEvery;
    const facts = {
      name: this.#name,
      trust: formatPins(ca.value.roots),
      onDisk: formatPins(onDisk()),
      ofEtcd: etcd.trust,
      managers: [...view.managers.values()],
    };
    if (planRestart(facts, []).kind === 'nothing') return lookEvery;
    const step = planRestart(facts, await membership.list());
    if (step.kind === 'wait') {
      if (step.why !== this.#why) log.info('etcd.restart-waits', { message: step.why });
      this.#why = step.why;
      return waitFor;
    }
    this.#why = '';
    await etcd.restart();
    log.info('etcd.trust-changed');
    register(etcd.trust);
    return waitFor;
  }
}
