import { once } from 'node:events';
import type { Lab, Run } from '@causeway/lab/io';
import type { NetworkJson } from './answers.ts';
import { eventually } from './eventually.ts';
import { overlayOf } from './overlay.ts';

/** All changes that the kernel reports in a network's namespace on one host, as `ip` and `bridge` print them. */
export class OverlayMonitor {
  readonly #lab: Lab;
  readonly #host: string;
  readonly #netns: string;
  readonly #runs: readonly Run[];
  #text = '';

  private constructor(lab: Lab, host: string, netns: string, runs: readonly Run[]) {
    this.#lab = lab;
    this.#host = host;
    this.#netns = netns;
    this.#runs = runs;
    for (const run of runs) {
      run.child.stdout?.on('data', (text: string) => {
        this.#text += text;
      });
    }
  }

  /** Resolves when the monitor listens. */
  static async start(lab: Lab, host: string, network: NetworkJson): Promise<OverlayMonitor> {
    const netns = overlayOf(network);
    const enter = ['ip', 'netns', 'exec', netns];
    const monitor = new OverlayMonitor(lab, host, netns, [
      await lab.start(host, [...enter, 'ip', 'monitor', 'link', 'address', 'route', 'neigh']),
      await lab.start(host, [...enter, 'bridge', 'monitor', 'link', 'fdb']),
    ]);
    await monitor.#flush();
    monitor.#text = '';
    return monitor;
  }

  /** All lines so far; none is still on its way. */
  async lines(): Promise<readonly string[]> {
    await this.#flush();
    return this.#text
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '' && !marks.some((mark) => line.includes(mark)));
  }

  async stop(): Promise<void> {
    for (const run of this.#runs) {
      run.child.kill('SIGKILL');
      if (run.child.exitCode === null && run.child.signalCode === null) await once(run.child, 'close');
    }
  }

  /**
   * Makes a change of its own. The kernel reports it after all earlier changes: once both monitors have it, they have
   * all.
   */
  async #flush(): Promise<void> {
    await eventually(async () => {
      const before = this.#text.length;
      // Not sh -e: a running agent may already have removed these foreign entries.
      const script = [
        `ip -n ${this.#netns} neigh replace ${markIp} lladdr ${markMac} dev br0`,
        `ip -n ${this.#netns} neigh del ${markIp} dev br0`,
        `ip netns exec ${this.#netns} bridge fdb replace ${markMac} dev br0 self permanent`,
        `ip netns exec ${this.#netns} bridge fdb del ${markMac} dev br0 self`,
      ];
      await this.#lab.try(this.#host, 'sh', '-c', script.join('\n'));
      const text = this.#text.slice(before);
      if (!text.includes(markIp) || !new RegExp(`^${markMac}`, 'm').test(text))
        throw new Error('the monitors do not hear yet');
    });
  }
}

const markIp = '192.0.2.77';
const markMac = '02:77:77:77:77:77';
const marks = [markIp, markMac];
