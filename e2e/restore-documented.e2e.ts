import { readFile } from 'node:fs/promises';
import { Lab } from '@causeway/lab/io';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { NetworkJson, StatusJson } from './answers.ts';
import { createNetwork } from './cluster.ts';
import { eventually } from './eventually.ts';
import { describeLab } from './requirements.ts';

const patience = 60_000;
const operations = new URL('../docs/operations.md', import.meta.url);

interface Step {
  readonly command: string;
  /** The text of the comment after the command: where it is to be run. */
  readonly where: string;
}

/** The commands of the code block that contains this text. */
async function documented(part: string): Promise<readonly Step[]> {
  const blocks = (await readFile(operations, 'utf8')).split('```').filter((_, i) => i % 2 === 1);
  const block = blocks.find((text) => text.includes(part));
  if (block === undefined) throw new Error(`docs/operations.md has no code block with "${part}"`);
  return block
    .trim()
    .split('\n')
    .map((line) => {
      const [command = '', where = ''] = line.split('  #').map((text) => text.trim());
      return { command, where };
    });
}

describeLab('a backup, as docs/operations.md tells it', () => {
  let lab: Lab;
  const managers = ['h1', 'h2', 'h3'];

  beforeAll(async () => {
    lab = await Lab.replace({
      name: 'store-restore',
      hosts: 3,
      managers: 3,
      etcd: 'embedded',
      subnet: '10.102.0.0/24',
    });
    await createNetwork(lab, 'kept', '10.66.0.0/16');
  });
  afterAll(async () => {
    await lab?.down();
  });

  /** The last managers have no majority any more, and take longer to stop than the lab waits. */
  const stop = async (host: string): Promise<void> => {
    await lab.kill(host, 'manager', 'TERM').catch(() => undefined);
    await eventually(async () => {
      for (const program of [
        ['-f', 'bin/causeway-manager'],
        ['-x', 'etcd'],
      ])
        expect((await lab.try(host, 'pgrep', ...program)).code).toBe(1);
    }, patience);
  };
  /** Adapts the commands: a lab has no systemd, its managers have their hosts' names, and each host has its own folder. */
  const run = async (host: string, command: string): Promise<void> => {
    if (command === 'systemctl stop causeway-manager') return await stop(host);
    if (command === 'systemctl start causeway-manager') return await lab.startProcess(host, 'manager');
    expect(command).not.toContain('systemctl');
    await lab.sh(host, command.replace('--name m1', '--name h1').replaceAll('/var/backups/', '/var/lib/causeway/'));
  };
  const hostsOf = ({ command, where }: Step): readonly string[] => {
    if (where.startsWith('on every manager')) return managers;
    if (where.startsWith('on m1')) return ['h1'];
    if (where.startsWith('on the other managers')) return ['h2', 'h3'];
    throw new Error(`"${command}" does not say on which host it is run: "${where}"`);
  };

  test('is made and restored by the documented commands, step by step', async () => {
    const [create] = await documented('causeway backup create');
    await run('h1', create?.command ?? '');
    await createNetwork(lab, 'lost', '10.67.0.0/16');
    const steps = await documented('causeway backup restore');
    expect(steps.length).toBeGreaterThan(3);
    for (const step of steps) for (const host of hostsOf(step)) await run(host, step.command);
    await eventually(async () => {
      for (const host of managers) {
        const at = ['--managers', `${lab.underlay(host)}:7443`];
        const status = await lab.json<StatusJson>(host, ...at, 'status');
        expect(
          status.etcd.members
            .filter((member) => member.healthy)
            .map(({ name }) => name)
            .sort(),
        ).toEqual(managers);
        expect(status.hosts).toMatchObject({ ready: 3, total: 3 });
        const networks = await lab.json<readonly NetworkJson[]>(host, ...at, 'network', 'list');
        expect(networks.map(({ name }) => name)).toEqual(['kept']);
      }
    }, patience);
    await eventually(() => createNetwork(lab, 'after', '10.68.0.0/16'), patience);
  });
});
