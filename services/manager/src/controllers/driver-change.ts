import type { Network, NetworkId } from '@causeway/model';
import { type Clock, type Duration, type Log, Loop, seconds } from '@causeway/runtime';
import type { TermWriter } from '../commit/writer.ts';
import { type Controller, failureLog, type Term } from '../election/term.ts';
import { nextDriver, stepDriver, stepWaitsFor } from '../plan/change-driver.ts';
import type { Versioned, View } from '../store/view.ts';
import type { HostReports } from './host-reports.ts';

interface DriverChangeParts {
  readonly view: View;
  readonly writer: TermWriter;
  readonly hosts: Pick<HostReports, 'stepFacts' | 'subscribeProgress'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** SAs and sessions come without a change of the view or of the progress. */
const lookEvery = seconds(1);
const retryAfter = seconds(1);

/** Takes networks to the driver that they are to have, a step each time all hosts have applied the last one. */
export class DriverChangeController implements Controller {
  readonly #parts: DriverChangeParts;
  readonly #changing = new Set<NetworkId>();

  constructor(parts: DriverChangeParts) {
    this.#parts = parts;
  }

  async run({ signal }: Term): Promise<void> {
    const { view, hosts, log } = this.#parts;
    const failed = failureLog(log, 'network.driver-not-changed');
    const loop = new Loop(this.#parts, { step: () => this.#step(signal), failed, retryAfter });
    for (const { value } of view.networks.values()) this.#note(value.id, value);
    const unsubscribe = [
      view.subscribe((changes) => {
        for (const change of changes) {
          if (change.kind === 'reset') for (const { value } of view.networks.values()) this.#note(value.id, value);
          if (change.kind === 'network') this.#note(change.id, change.after?.value);
        }
        if (this.#changing.size > 0) loop.wake();
      }),
      hosts.subscribeProgress((network) => {
        if (this.#changing.has(network)) loop.wake();
      }),
    ];
    await loop.run(signal);
    for (const end of unsubscribe) end();
  }

  /** Returns when to look again; undefined: when a network begins to change. */
  async #step(signal: AbortSignal): Promise<Duration | undefined> {
    for (const id of [...this.#changing]) {
      const network = this.#parts.view.networks.get(id);
      if (network !== undefined) await this.#advance(network, signal);
    }
    return this.#changing.size === 0 ? undefined : lookEvery;
  }

  async #advance({ value, revision }: Versioned<Network>, signal: AbortSignal): Promise<void> {
    const { writer, hosts, log } = this.#parts;
    const driver = nextDriver(value);
    if (driver === undefined || stepWaitsFor(value, hosts.stepFacts(value.id)).length > 0) return;
    await writer.apply(stepDriver(value.id, revision), { cause: 'driver-change', signal });
    log.info('network.driver-changed', { networkId: value.id, network: value.name, driver });
  }

  #note(id: NetworkId, network: Network | undefined): void {
    if (network?.change === undefined) this.#changing.delete(id);
    else this.#changing.add(id);
  }
}
