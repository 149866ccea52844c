import type { Node } from '@causeway/model';
import { type Clock, type Log, Loop, seconds } from '@causeway/runtime';
import type { TermWriter } from '../commit/writer.ts';
import { type Controller, failureLog, type Term } from '../election/term.ts';
import { isTooLarge, lowerMtu, networksTooLarge } from '../plan/mtu.ts';
import type { View, ViewChange } from '../store/view.ts';

interface MtuControllerParts {
  readonly view: View;
  readonly writer: TermWriter;
  readonly clock: Clock;
  readonly log: Log;
}

const retryAfter = seconds(1);

/** Lowers automatic MTUs that are larger than every host can carry. */
export class MtuController implements Controller {
  readonly #parts: MtuControllerParts;

  constructor(parts: MtuControllerParts) {
    this.#parts = parts;
  }

  async run({ signal }: Term): Promise<void> {
    const { view, log } = this.#parts;
    const step = (): Promise<undefined> => this.#settle(signal);
    const loop = new Loop(this.#parts, { step, failed: failureLog(log, 'network.mtu-not-lowered'), retryAfter });
    const unsubscribe = view.subscribe((changes) => {
      if (changes.some((change) => mayExceed(view, change))) loop.wake();
    });
    await loop.run(signal);
    unsubscribe();
  }

  async #settle(signal: AbortSignal): Promise<undefined> {
    const { view, writer, log } = this.#parts;
    for (;;) {
      const [next] = networksTooLarge(view);
      if (next === undefined || signal.aborted) return;
      await writer.apply(lowerMtu(next), { cause: 'mtu', signal });
      log.info('network.mtu-lowered', { networkId: next, mtu: view.networks.get(next)?.value.mtu.bytes });
    }
  }
}

function mayExceed(view: View, change: ViewChange): boolean {
  if (change.kind === 'node') return carriedBy(change.after?.value) !== carriedBy(change.before?.value);
  if (change.kind === 'network') return change.after !== undefined && isTooLarge(view, change.after.value);
  return change.kind === 'reset';
}

/** What counts of a host. */
function carriedBy(node: Node | undefined): string {
  return `${node?.underlayMtu} ${node?.encapPort !== undefined}`;
}
