import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Answer, Stage } from '../stage.ts';

const causeway = fileURLToPath(new URL('../../../../services/ctl/bin/causeway.js', import.meta.url));

/** Real hosts made of namespaces, with a real etcd, manager and agents, driven by the command line as anybody would. */
export class LabStage implements Stage {
  readonly title: string;
  readonly hosts: readonly string[];
  readonly hints: readonly string[];
  readonly #name: string;

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
    // What an earlier demo left when it was killed.
    await this.down();
    const size = ['--hosts', String(this.hosts.length), '--managers', '1'];
    const { code, stderr } = await run(['lab', 'up', '--name', this.#name, ...size], say);
    if (code !== 0) throw new Error(`the lab did not come up:\n${stderr}`);
  }

  exec(host: string, command: string): Promise<Answer> {
    return run(['lab', 'exec', '--name', this.#name, host, '--', ...command.split(' ')]);
  }

  async down(): Promise<void> {
    await run(['lab', 'down', '--name', this.#name]);
  }
}

function run(words: readonly string[], onLine?: (line: string) => void): Promise<Answer> {
  return new Promise((resolve, reject) => {
    // A process group of its own: Ctrl-C is ours to act on, not the child's to die of.
    const child = spawn(process.execPath, [causeway, ...words], { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    const answer = { stdout: '', stderr: '' };
    child.stdout.on('data', (part: Buffer) => {
      answer.stdout += part.toString();
    });
    child.stderr.on('data', (part: Buffer) => {
      answer.stderr += part.toString();
      for (const line of part.toString().split('\n')) if (line !== '') onLine?.(`  ${line}`);
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ ...answer, code: code ?? 1 }));
  });
}
