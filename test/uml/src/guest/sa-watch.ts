import type { Lab, Run } from '@causeway/lab/io';
import { until } from './until.ts';

/** An SA of a host: where it leads, and its SPI. */
export interface Sa {
  readonly src: string;
  readonly dst: string;
  readonly spi: string;
}

/** An SA that the kernel has added or deleted, as iproute2 prints it: one line, with "\" where lines end. */
const notification = /^(Deleted |Updated )?src (\S+) dst (\S+)\\\s*proto esp spi (0x[0-9a-f]+)/;
/** A policy that changes nothing: the kernel notifies of it. */
const harmless = ['src', '198.51.100.1/32', 'dst', '198.51.100.2/32', 'dir', 'fwd'];

/**
 * Follows the SAs of a host by the notifications of its kernel, which come in order. So no SA is missed that is there for a moment,
 * between two looks.
 */
export class SaWatch {
  /** Generations of one host's key in this kernel at a time, at most. */
  most = 0;
  readonly #sas = new Map<string, Sa>();
  readonly #run: Run;
  readonly #waiting = new Set<(sa: Sa) => void>();
  #isListening = false;
  #rest = '';

  private constructor(run: Run) {
    this.#run = run;
    run.child.stdout?.on('data', (text: string) => this.#read(text));
  }

  /** `sasNow`: what the host's kernel has. */
  static async start(lab: Lab, host: string, sasNow: () => Promise<readonly Sa[]>): Promise<SaWatch> {
    const run = await lab.start(host, ['ip', '-o', 'xfrm', 'monitor', 'nokeys', 'SA', 'policy']);
    const watch = new SaWatch(run);
    await until('the kernel notifies of changes', async () => {
      await lab.try(host, 'ip', 'xfrm', 'policy', 'update', ...harmless);
      await lab.try(host, 'ip', 'xfrm', 'policy', 'delete', ...harmless);
      return watch.#isListening;
    });
    for (const sa of await sasNow()) watch.#add(sa);
    return watch;
  }

  /** Resolves as soon as the kernel has added such an SA. `within`: ms. */
  async added(isIt: (sa: Sa) => boolean, within: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no such SA is there after ${within / 1000} s`)), within);
      const look = (sa: Sa): void => {
        if (!isIt(sa)) return;
        clearTimeout(timer);
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
    });
  }

  /** Ends the watch. Throws if what it has followed is not what the kernel has. */
  async end(sasNow: () => Promise<readonly Sa[]>): Promise<void> {
    try {
      await until('the watch knows what the kernel has', async () => {
        const names = (await sasNow()).map(nameOf);
        return names.length === this.#sas.size && names.every((name) => this.#sas.has(name));
      });
    } finally {
      this.#run.child.kill();
      await this.#run.outcome;
    }
  }

  #read(text: string): void {
    const lines = `${this.#rest}${text}`.split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      this.#isListening = true;
      const [, what, src, dst, spi] = notification.exec(line) ?? [];
      if (src === undefined || dst === undefined || spi === undefined) continue;
      const sa = { src, dst, spi };
      if (what === 'Deleted ') this.#sas.delete(nameOf(sa));
      else this.#add(sa);
    }
  }

  #add(sa: Sa): void {
    this.#sas.set(nameOf(sa), sa);
    this.most = Math.max(this.most, mostGenerations([...this.#sas.values()]));
    for (const look of [...this.#waiting]) look(sa);
  }
}

/** How many generations of one host's key these SAs have, at most. */
export function mostGenerations(sas: readonly Sa[]): number {
  const byHost = new Map<string, Set<number>>();
  for (const { src, dst, spi } of sas) {
    const { sender, receiver } = generationsOf(spi);
    byHost.set(src, (byHost.get(src) ?? new Set()).add(sender));
    byHost.set(dst, (byHost.get(dst) ?? new Set()).add(receiver));
  }
  return Math.max(0, ...[...byHost.values()].map(({ size }) => size));
}

/** The generations of the keys of the sender and of the receiver, mod 16: the upper bits of an SPI. */
export function generationsOf(spi: string): { readonly sender: number; readonly receiver: number } {
  const bits = Number(spi);
  return { sender: bits >>> 28, receiver: (bits >>> 24) & 15 };
}

function nameOf({ dst, spi }: Sa): string {
  return `${dst} ${spi}`;
}
