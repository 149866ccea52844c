import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Answer, Stage } from '../stage.ts';

const name = 'demo';
const hosts = ['h1', 'h2', 'h3'];
const causeway = fileURLToPath(new URL('../../../services/ctl/bin/causeway.js', import.meta.url));

/** Real hosts made of namespaces, with a real etcd, manager and agents, driven by the command line as anybody would. */
export class LabStage implements Stage {
  readonly title = `a lab of ${hosts.length} hosts and 1 manager`;
  readonly hosts = hosts;
  readonly hints = [
    'npx causeway lab exec --name demo h1 -- causeway status',
    'npx causeway lab exec --name demo h1 -- causeway events --watch',
    'npx causeway lab exec --name demo h2 -- ip netns exec c2 ping 10.66.0.2',
    'npx causeway lab kill --name demo h2 agent     # pings go on',
    'npx causeway lab start --name demo h2 agent',
    'npx causeway lab exec --name demo h3 -- causeway verify',
  ];

  async up(say: (line: string) => void): Promise<void> {
    // What an earlier demo left when it was killed.
    await run(['lab', 'down', '--name', name]);
    const { code, stderr } = await run(['lab', 'up', '--name', name, '--hosts', '3', '--managers', '1'], say);
    if (code !== 0) throw new Error(`the lab did not come up:\n${stderr}`);
  }

  exec(host: string, command: string): Promise<Answer> {
    return run(['lab', 'exec', '--name', name, host, '--', ...command.split(' ')]);
  }

  async down(): Promise<void> {
    await run(['lab', 'down', '--name', name]);
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
