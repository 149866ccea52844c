import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Lab, start, succeed } from '@causeway/lab/io';
import { afterEach, expect, test } from 'vitest';
import { causeway, cli, labStatus } from './causeway.ts';
import { attach, createNetwork, expectAllPing } from './cluster.ts';
import { eventually } from './eventually.ts';
import { holdersOf, leftSince, type Machine, namespacesOf, processesOfLab, surveyMachine } from './machine.ts';
import { describeLab } from './requirements.ts';

describeLab('labs', () => {
  const names = ['lab-a', 'lab-b'];
  afterEach(async () => {
    for (const name of names) await causeway('lab', 'down', '--name', name);
  });

  async function up(name: string): Promise<Lab> {
    await succeed('lab up', causeway('lab', 'up', '--name', name, '--hosts', '2'));
    return Lab.open(name);
  }

  async function down(lab: Lab): Promise<void> {
    await succeed('lab down', causeway('lab', 'down', '--name', lab.name));
  }

  test('two labs with the same subnets live side by side, each with its own network of the same name', async () => {
    const [a, b] = await Promise.all(names.map(up));
    if (a === undefined || b === undefined) throw new Error('no labs');
    expect(a.underlay('h1')).toBe(b.underlay('h1'));
    const both = await Promise.all(
      [a, b].map(async (lab) => {
        const network = await createNetwork(lab, 'blue', '10.66.0.0/16', 'fd66::/64');
        const containers = [await attach(lab, 'blue', 'h1', 'one'), await attach(lab, 'blue', 'h2', 'two')];
        await expectAllPing(lab, containers);
        return { network, addresses: containers.map((container) => container.endpoint.addresses) };
      }),
    );
    expect(both[0]?.addresses).toEqual(both[1]?.addresses);
    expect(both[0]?.network.id).not.toBe(both[1]?.network.id);
    await down(a);
    expect((await labStatus(b.name)).hosts.map((host) => host.ready)).toEqual([true, true]);
  });

  /** Nothing of lab-a may be left, and nothing else that was not there before. */
  async function expectNothingLeft(before: Machine): Promise<void> {
    expect(await processesOfLab('lab-a')).toEqual([]);
    // Objects of other programs on this machine come and go too.
    await eventually(async () => expect(leftSince(before, await surveyMachine())).toEqual([]));
  }

  test('down leaves no process, namespace, link, mount or file', async () => {
    const before = await surveyMachine();
    const lab = await up('lab-a');
    await createNetwork(lab, 'blue', '10.66.0.0/16');
    await attach(lab, 'blue', 'h1', 'one');
    // A process without the lab's mark in its environment belongs to the lab too.
    await lab.sh('h2', 'env -i setsid sleep infinity >/dev/null 2>&1 &');
    const ours = await namespacesOf('self');
    const made = (await processesOfLab('lab-a')).flatMap(({ namespaces }) => namespaces);
    const namespaces = new Set(made.filter((namespace) => !ours.includes(namespace)));
    // Two hosts and the switch, each with four kinds of namespace.
    expect(namespaces.size).toBe(12);
    await down(lab);
    await expectNothingLeft(before);
    expect(await holdersOf(namespaces)).toEqual([]);
    expect((await causeway('lab', 'down', '--name', 'lab-a')).code).toBe(3);
  });

  async function startUp(): Promise<ChildProcess> {
    const words = ['lab', 'up', '--name', 'lab-a', '--hosts', '3'];
    const up = spawn(process.execPath, [cli, ...words], { stdio: ['ignore', 'ignore', 'pipe'] });
    for await (const text of up.stderr) if (String(text).includes('starting etcd')) break;
    return up;
  }

  test('down leaves nothing either when lab up, and every other process of it, were killed', async () => {
    const before = await surveyMachine();
    const up = await startUp();
    up.kill('SIGKILL');
    await once(up, 'exit');
    expect((await causeway('lab', 'up', '--name', 'lab-a')).code).toBe(4);
    const victims = (await processesOfLab('lab-a')).filter((_, i) => i % 2 === 0);
    expect(victims.length).toBeGreaterThan(0);
    await start('kill', ['-9', ...victims.map(({ pid }) => pid)]).outcome;
    expect((await causeway('lab', 'down', '--name', 'lab-a')).code).toBe(0);
    await expectNothingLeft(before);
  });

  test('interrupted, up leaves nothing', async () => {
    const before = await surveyMachine();
    const up = await startUp();
    up.kill('SIGINT');
    expect((await once(up, 'exit'))[0]).toBe(130);
    await expectNothingLeft(before);
  });

  test('what is killed stays down until started; exec passes stdin, status and signals', async () => {
    const lab = await up('lab-a');
    const kill = (...words: readonly string[]) => causeway('lab', 'kill', '--name', lab.name, ...words);
    const startAgent = () => causeway('lab', 'start', '--name', lab.name, 'h2', 'agent');
    await succeed('lab kill', kill('h2', 'agent'));
    const agent = async () => {
      const host = (await labStatus(lab.name)).hosts.find(({ name }) => name === 'h2');
      return { ready: host?.ready, running: host?.processes.map((process) => process.running) };
    };
    expect(await agent()).toEqual({ ready: false, running: [false] });
    expect((await kill('h2', 'agent')).code).toBe(4);
    expect((await kill('h2', 'etcd')).code).toBe(4);
    expect((await kill('h9', 'agent')).code).toBe(3);
    await succeed('lab start', startAgent());
    expect((await startAgent()).code).toBe(4);
    await eventually(async () => expect(await agent()).toEqual({ ready: true, running: [true] }));

    const exec = (words: readonly string[], input = '') =>
      start(process.execPath, [cli, 'lab', 'exec', '--name', 'lab-a', ...words], { input });
    expect(await exec(['h2', '--', 'sh', '-c', 'cat; hostname; exit 7'], 'said\n').outcome).toEqual({
      code: 7,
      stdout: 'said\nh2\n',
      stderr: '',
    });
    const trapping = exec([
      'h2',
      '--',
      'sh',
      '-c',
      'trap "echo told; exit 9" TERM; echo on; while :; do sleep 0.05; done',
    ]);
    await once(trapping.child.stdout ?? process.stdin, 'data');
    trapping.child.kill('SIGTERM');
    expect(await trapping.outcome).toMatchObject({ stdout: 'on\ntold\n' });
    expect(await exec(['h9', '--', 'true']).outcome).toMatchObject({ code: 3 });
    expect(await exec(['h1', '--', 'no-such-command']).outcome).toMatchObject({ code: 127 });
  });

  test('a lab that cannot come up says which process and why, and leaves nothing', async () => {
    const before = await surveyMachine();
    // An etcd that is found first in the path, and fails.
    const { code, stderr } = await start('unshare', [
      ...['--mount', 'sh', '-c'],
      `mount -n --bind /bin/false "$(command -v etcd)" && exec "$0" "$@"`,
      ...[process.execPath, cli, 'lab', 'up', '--name', 'lab-a', '--hosts', '1'],
    ]).outcome;
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/h1's etcd ended/) });
    await expectNothingLeft(before);
  });

  test.each([
    [
      'a subnet too small',
      ['--hosts', '5', '--subnet', '10.9.0.0/30'],
      2,
      /too small: 5 hosts need 5 addresses, it has 2/,
    ],
    ['a subnet with host bits', ['--subnet', '10.9.0.1/24'], 2, /did you mean 10\.9\.0\.0\/24/],
    ['more managers than hosts', ['--hosts', '2', '--managers', '3'], 2, /--managers must be a number from 1 to 2/],
    ['a name that is no folder', ['--name', '../x'], 2, /not a lab name/],
  ])('up refuses %s', async (_, options, code, message) => {
    const outcome = await causeway('lab', 'up', ...options);
    expect(outcome.code).toBe(code);
    expect(outcome.stderr).toMatch(message);
  });

  test('without root up says so', async () => {
    // Keeps only root's right to read files, so that the program can be read wherever the clone is.
    const options = ['--reuid', '65534', '--inh-caps', '+dac_read_search', '--ambient-caps', '+dac_read_search'];
    const user = await start('setpriv', [...options, process.execPath, cli, 'lab', 'up', '--name', 'lab-a']).outcome;
    expect(user).toMatchObject({ code: 1, stderr: expect.stringMatching(/a lab needs root/) });
  });
});
