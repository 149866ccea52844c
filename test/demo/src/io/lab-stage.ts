import { Lab, machineLabs } from '@causeway/lab/io';
import type { Answer, Stage } from '../stage.ts';

/**
 * Hosts made of real namespaces, with a real etcd, manager and agents. The story's commands run in them as a user's
 * would.
 */
export class LabStage implements Stage {
  readonly title: string;
  readonly hosts: readonly string[];
  readonly hints: readonly string[];
  readonly #name: string;
  readonly #abort = new AbortController();
  #lab: Promise<Lab> | undefined;

  constructor(name: string, hosts: number) {
    this.#name = name;
    this.title = `a lab of ${hosts} hosts and 1 manager`;
    this.hosts = Array.from({ length: hosts }, (_, i) => `h${i + 1}`);
    const lab = (verb: string, rest: string): string => `npx causeway lab ${verb} --name ${name} ${rest}`;
    const last = this.hosts.at(-1) ?? '';
    this.hints = [
      lab('exec', 'h1 -- causeway status'),
      lab('exec', 'h1 -- causeway events --watch'),
      lab('exec', 'h2 -- ip netns exec c2 ping 10.66.0.2'),
      lab('kill', 'h2 agent     # pings go on'),
      lab('start', 'h2 agent'),
      lab('exec', `${last} -- causeway verify`),
    ];
  }

  async up(say: (line: string) => void): Promise<void> {
    const shape = { name: this.#name, hosts: this.hosts.length };
    const progress = (message: string): void => say(`  lab ${this.#name}: ${message}`);
    this.#lab = Lab.replace(shape, { progress, signal: this.#abort.signal });
    await this.#lab;
  }

  async exec(host: string, command: string): Promise<Answer> {
    if (this.#lab === undefined) throw new Error('the lab is not up');
    return (await this.#lab).try(host, ...command.split(' '));
  }

  async down(): Promise<void> {
    this.#abort.abort(new Error('interrupted'));
    // If the lab could not be made, it has removed itself already.
    await this.#lab?.catch(() => undefined);
    if ((await machineLabs.names()).includes(this.#name)) await machineLabs.down(this.#name);
  }
}
