import { assertNever, isCausewayError } from '@causeway/model';
import { type Clock, type Log, type Startable, seconds, Worker } from '@causeway/runtime';
import type { View, ViewChange } from '../store/view.ts';
import type { Writer } from '../writer/writer.ts';
import { isTooLarge, lowerMtu, networksTooLarge } from './mtu.ts';

export interface MtuKeeperParts {
  readonly view: View;
  readonly writer: Pick<Writer, 'apply' | 'isLeading'>;
  readonly clock: Clock;
  readonly log: Log;
}

const retryDelay = seconds(1);

/** While this manager leads: no automatic MTU is larger than what every host carries. */
export class MtuKeeper implements Startable {
  readonly #parts: MtuKeeperParts;
  readonly #worker = new Worker((signal) => this.#work(signal));
  #unsubscribe: (() => void) | undefined;

  constructor(parts: MtuKeeperParts) {
    this.#parts = parts;
  }

  start(): Promise<void> {
    const { view } = this.#parts;
    this.#unsubscribe = view.subscribe((changes) => {
      if (changes.some((change) => mayExceed(view, change))) void this.settle();
    });
    return this.settle();
  }

  async stop(): Promise<void> {
    this.#unsubscribe?.();
    await this.#worker.stop();
  }

  /** Resolves when all is right for the view as it is now, as far as the store lets it be. To be called on election too. */
  settle(): Promise<void> {
    return this.#worker.poke();
  }

  async #work(signal: AbortSignal): Promise<void> {
    const { view, writer, clock, log } = this.#parts;
    while (writer.isLeading && !signal.aborted) {
      const [next] = networksTooLarge(view);
      if (next === undefined) return;
      try {
        await writer.apply(lowerMtu(next), { cause: 'mtu' });
        log.info('network.mtu-lowered', { networkId: next, mtu: view.networks.get(next)?.value.mtu.bytes });
      } catch (error) {
        if (!isCausewayError(error, 'not-leader')) log.warn('network.mtu-not-lowered', { networkId: next, error });
        await clock.sleep(retryDelay, signal);
      }
    }
  }
}

function mayExceed(view: View, change: ViewChange): boolean {
  switch (change.kind) {
    case 'node':
      return change.after?.value.underlayMtu !== change.before?.value.underlayMtu;
    case 'network':
      return change.after !== undefined && isTooLarge(view, change.after.value);
    case 'reset':
      return true;
    case 'endpoint':
    case 'leader':
    case 'cluster':
    case 'manager':
      return false;
    default:
      return assertNever(change);
  }
}
