import { type Run, start, succeed } from '@causeway/lab/io';

interface SerfMember {
  readonly name: string;
  readonly status: 'alive' | 'leaving' | 'left' | 'failed';
  readonly tags: Readonly<Record<string, string>>;
}

/** An agent of serf, on its own loopback address. */
export class SerfAgent {
  readonly address: string;
  readonly #run: Run;

  /** `key`: base64. `more`: flags of `serf agent`. */
  constructor(name: string, address: string, key?: string, more: readonly string[] = []) {
    this.address = address;
    const words = ['-node', name, '-bind', `${address}:7946`, '-rpc-addr', `${address}:7373`];
    this.#run = start('serf', ['agent', ...words, ...(key === undefined ? [] : ['-encrypt', key]), ...more]);
  }

  async members(): Promise<readonly SerfMember[]> {
    return (JSON.parse(await this.command('members', '-format=json')) as { members: SerfMember[] }).members;
  }

  /** serf VERB …; fails if serf does. */
  command(verb: string, ...words: readonly string[]): Promise<string> {
    const args = [verb, `-rpc-addr=${this.address}:7373`, ...words];
    return succeed(`serf ${args.join(' ')}`, start('serf', args).outcome);
  }

  /** The process dies without a word. */
  async kill(): Promise<void> {
    this.#run.child.kill('SIGKILL');
    await this.#run.outcome;
  }
}
