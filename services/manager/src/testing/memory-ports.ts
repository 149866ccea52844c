import { type Clock, type Duration, milliseconds, seconds } from '@causeway/runtime';
import type { Contact, Dialer } from '../election/dialer.ts';

/** A process that is there answers within this time. */
const patience = seconds(1);

interface Port {
  readonly leads: () => boolean;
  readonly connections: Set<() => void>;
}

/**
 * The ports at which the managers of one process listen, and the paths to them. A port may close although its manager
 * goes on: then all that others see of that manager is wrong.
 */
export class MemoryPorts implements Dialer {
  /** Delay of a message in one direction; called for every message. */
  latency: () => Duration = () => milliseconds(0);
  readonly #clock: Clock;
  readonly #ports = new Map<string, Port>();
  readonly #cut = new Set<string>();

  constructor({ clock }: { readonly clock: Clock }) {
    this.#clock = clock;
  }

  listen(address: string, leads: () => boolean): void {
    this.#ports.set(address, { leads, connections: new Set() });
  }

  /** As when the process ends: connections end, and new ones are refused. */
  close(address: string): void {
    this.breakConnections(address);
    this.#ports.delete(address);
  }

  breakConnections(address: string): void {
    for (const end of this.#ports.get(address)?.connections ?? []) end();
  }

  /** No message arrives at this address any more, and no connection ends. */
  cut(address: string): void {
    this.#cut.add(address);
  }

  heal(address: string): void {
    this.#cut.delete(address);
  }

  async dial(address: string, signal: AbortSignal): Promise<Contact> {
    await this.#travel(signal);
    if (this.#cut.has(address)) await this.#clock.sleep(patience, signal);
    if (signal.aborted || this.#cut.has(address)) return { kind: 'unclear' };
    const port = this.#ports.get(address);
    if (port === undefined) return { kind: 'refused' };
    const leads = port.leads();
    const ended = new Promise<void>((resolve) => {
      const end = (): void => {
        port.connections.delete(end);
        signal.removeEventListener('abort', end);
        resolve();
      };
      port.connections.add(end);
      signal.addEventListener('abort', end);
    });
    await this.#travel(signal);
    return { kind: 'connected', leads, ended };
  }

  async #travel(signal: AbortSignal): Promise<void> {
    const delay = this.latency();
    if (delay > 0) await this.#clock.sleep(delay, signal);
  }
}
