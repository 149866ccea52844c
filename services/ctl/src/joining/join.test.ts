import { MemoryManagers } from '@causeway/enrollment/testing';
import { formatToken, type Role } from '@causeway/identity';
import { createKey } from '@causeway/identity/io';
import { minutes } from '@causeway/runtime';
import { FakeClock, SeededRandom } from '@causeway/runtime/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { parseVariables } from '../host-settings.ts';
import { type Outcome, runLine } from '../testing/run-line.ts';
import { joinCommand } from './join.ts';
import { FakeHost } from './testing/fake-host.ts';

beforeAll(() => void vi.stubEnv('CAUSEWAY_TOKEN', undefined));
afterAll(() => void vi.unstubAllEnvs());

let clock: FakeClock;
let managers: MemoryManagers;
let host: FakeHost;
const random = new SeededRandom(2);

beforeEach(() => {
  clock = new FakeClock();
  managers = new MemoryManagers({ clock, random: new SeededRandom(1) }, ['10.0.0.1:7443', '10.0.0.2:7443']);
  host = new FakeHost();
});

const tokenOf = (role: Role, uses = 1): string => formatToken(managers.createToken(role, uses));

async function causeway(line: string): Promise<Outcome> {
  const more = [joinCommand({ hostAt: () => host, knock: managers.knock, createKey })];
  return await clock.until(runLine(line, { clock, random, more }), minutes(2));
}

const variables = (service: 'agent' | 'manager') => parseVariables(host.settings.get(service) ?? '');

describe('an agent', () => {
  test('joins, gets its settings, and is started', async () => {
    const { stdout, stderr, code } = await causeway(`join 10.0.0.1 --token ${tokenOf('agent')}`);
    expect([stderr, code]).toEqual(['', 0]);
    const id = host.homes.get('/var/lib/causeway/agent')?.kept?.name.id;
    expect(stdout).toBe(`host h7 (${id}) has joined the cluster 0123456789abcdef\ncauseway-agent is started\n`);
    expect(variables('agent')).toEqual({
      CAUSEWAY_NAME: 'h7',
      CAUSEWAY_MANAGERS: '10.0.0.1:7443,10.0.0.2:7443',
      CAUSEWAY_DATA_PATH: '10.0.0.77',
      CAUSEWAY_DATA_DIR: '/var/lib/causeway/agent',
    });
    expect(host.done).toEqual(['restart agent']);
  });

  test('for scripts', async () => {
    const { stdout } = await causeway(`join 10.0.0.1 --token ${tokenOf('agent')} --name h8 -o json`);
    expect(JSON.parse(stdout)).toEqual({
      cluster: '0123456789abcdef',
      role: 'agent',
      id: expect.stringMatching(/^[0-9a-f]{16}$/),
      name: 'h8',
      managers: ['10.0.0.1:7443', '10.0.0.2:7443'],
      started: true,
      command: null,
    });
  });

  test('joins again with the same line: it is a member already, and its service runs', async () => {
    const line = `join 10.0.0.1 --token ${tokenOf('agent')} --name h8 --data-path 192.0.2.8`;
    await causeway(line);
    const settings = host.settings.get('agent');
    const { stdout, code } = await causeway(line);
    expect(stdout).toContain('is a member of the cluster already');
    expect(code).toBe(0);
    expect(host.settings.get('agent')).toBe(settings);
    expect(host.done).toEqual(['restart agent', 'start agent']);
  });

  test('a repetition after the host was removed says so, and starts no service', async () => {
    const line = `join 10.0.0.1 --token ${tokenOf('agent')}`;
    await causeway(line);
    managers.removed.add(`agent/${host.homes.get('/var/lib/causeway/agent')?.kept?.name.id}`);
    const { stderr, code } = await causeway(line);
    expect(stderr).toMatch(
      /agent\/\S+ was removed from the cluster \S+: run "causeway leave" first, then join with a new token/,
    );
    expect([code, host.done]).toEqual([1, ['restart agent']]);
  });

  test('a repetition with another name is refused: the cluster knows the host by the first name', async () => {
    const line = `join 10.0.0.1 --token ${tokenOf('agent')} --data-path 192.0.2.8`;
    await causeway(`${line} --name h8`);
    const settings = host.settings.get('agent');
    const { stderr, code } = await causeway(`${line} --name h9`);
    expect(stderr).toContain('this host has joined as agent "h8"');
    expect([code, host.settings.get('agent')]).toEqual([4, settings]);
  });

  test('keeps the name and the addresses of its settings', async () => {
    host.settings.set('agent', 'CAUSEWAY_NAME=edge\nCAUSEWAY_DATA_PATH=192.0.2.5\nCAUSEWAY_DATA_DIR=/srv/agent\n');
    await causeway(`join 10.0.0.1 --token ${tokenOf('agent')}`);
    expect(variables('agent')).toMatchObject({ CAUSEWAY_NAME: 'edge', CAUSEWAY_DATA_PATH: '192.0.2.5' });
    expect([...host.homes.keys()]).toEqual(['/srv/agent']);
  });

  test('behind a NAT keeps where other hosts reach it, also when it joins again without saying so', async () => {
    const line = `join 10.0.0.1 --token ${tokenOf('agent')} --data-path 10.1.0.2`;
    await causeway(`${line} --advertise 203.0.113.7:14500`);
    const nat = { CAUSEWAY_DATA_PATH: '10.1.0.2', CAUSEWAY_ADVERTISE: '203.0.113.7:14500' };
    expect(variables('agent')).toMatchObject(nat);
    await causeway(line);
    expect(variables('agent')).toMatchObject(nat);
  });

  test('without systemd: the command that starts it is printed', async () => {
    host.hasSystemd = false;
    const { stdout } = await causeway(`join 10.0.0.1 --token ${tokenOf('agent')}`);
    expect(stdout).toContain(`\n    sh -c 'set -a; . /etc/causeway/agent.env; exec causeway-agent'\n`);
  });

  test('is told which managers do not answer', async () => {
    managers.fault('10.0.0.2:7443', 'closed');
    const { stderr, code } = await causeway(`join 10.0.0.2,10.0.0.1 --token ${tokenOf('agent')}`);
    expect(stderr).toBe('causeway: 10.0.0.2:7443 is not used: connect ECONNREFUSED 10.0.0.2:7443\n');
    expect(code).toBe(0);
  });
});

test('a manager joins with the address of its etcd, and gets the list of all managers', async () => {
  await causeway(`join 10.0.0.1 --token ${tokenOf('manager')} --name m3`);
  expect(variables('manager')).toEqual({
    CAUSEWAY_NAME: 'm3',
    CAUSEWAY_LISTEN: '10.0.0.77:7443',
    CAUSEWAY_DATA_DIR: '/var/lib/causeway/manager',
    CAUSEWAY_ETCD: 'embedded',
    CAUSEWAY_ETCD_PEER_ADDRESS: '10.0.0.77',
    CAUSEWAY_JOIN: '10.0.0.77:7443,10.0.0.1:7443,10.0.0.2:7443',
  });
  expect(host.done).toEqual(['restart manager']);
  expect(host.homes.get('/var/lib/causeway/manager')?.kept?.sealingKeyFile).toBeDefined();
});

test('a manager gets the program that issues certificates as a setting', async () => {
  await causeway(`join 10.0.0.1 --token ${tokenOf('manager')} --name m3 --ca-program /usr/local/bin/ca`);
  expect(variables('manager')).toMatchObject({ CAUSEWAY_CA_PROGRAM: '/usr/local/bin/ca' });
});

test('a manager with an etcd of the operator’s own keeps it', async () => {
  host.settings.set('manager', 'CAUSEWAY_ETCD=https://etcd.example:2379\n');
  await causeway(`join 10.0.0.1 --token ${tokenOf('manager')} --listen 10.0.0.9`);
  expect(variables('manager')).toMatchObject({
    CAUSEWAY_ETCD: 'https://etcd.example:2379',
    CAUSEWAY_LISTEN: '10.0.0.9:7443',
  });
  expect(variables('manager')).not.toHaveProperty('CAUSEWAY_JOIN');
});

describe('the token comes', () => {
  test('from a file', async () => {
    host.tokens.set('/run/token', `${tokenOf('agent')}\n`);
    expect((await causeway('join 10.0.0.1 --token-file /run/token')).code).toBe(0);
  });

  test('from standard input', async () => {
    host.tokens.set('-', `${tokenOf('agent')}\n`);
    expect((await causeway('join 10.0.0.1 --token -')).code).toBe(0);
  });

  test('from the environment', async () => {
    vi.stubEnv('CAUSEWAY_TOKEN', tokenOf('agent'));
    expect((await causeway('join 10.0.0.1')).code).toBe(0);
    vi.stubEnv('CAUSEWAY_TOKEN', undefined);
  });
});

describe('refused, and nothing is written', () => {
  const token = (role: Role = 'agent') => `--token ${tokenOf(role)}`;
  test.each<[string, () => string, number, RegExp]>([
    ['without a token', () => 'join 10.0.0.1', 2, /there is no join token/],
    [
      'a file that is not there',
      () => 'join 10.0.0.1 --token-file /nowhere',
      2,
      /--token-file \/nowhere: cannot be read/,
    ],
    ['a mistyped token', () => `join 10.0.0.1 ${token().slice(0, -1)}`, 2, /its secret has 31 characters; expected 32/],
    ['a token of an operator', () => `join 10.0.0.1 ${token('operator')}`, 1, /causeway context add/],
    ['a wrong address', () => `join h1:x ${token()}`, 2, /address: "h1:x" is not HOST:PORT/],
    [
      'an address of the data path to which no host can send',
      () => `join 10.0.0.1 --data-path 127.0.0.1 ${token()}`,
      2,
      /--data-path: "127\.0\.0\.1" is not an address that other hosts can send to \(loopback\)/,
    ],
    [
      'an address before the NAT that is none',
      () => `join 10.0.0.1 --advertise nat:4500 ${token()}`,
      2,
      /--advertise: "nat" is not an IPv4 or IPv6 address/,
    ],
    [
      'an address before the NAT of another family',
      () => `join 10.0.0.1 --advertise 2001:db8::7 ${token()}`,
      2,
      /--advertise: "2001:db8::7" is not an address of the same family as --data-path 10\.0\.0\.77/,
    ],
    [
      'a program by a path that means another file to the manager',
      () => `join 10.0.0.1 --ca-program ./issue ${token('manager')}`,
      2,
      /--ca-program: ".\/issue" is not an absolute path such as \/opt\/causeway-ca\/issue/,
    ],
    [
      'a data directory that means another directory to the agent',
      () => `join 10.0.0.1 --data-dir data/agent ${token()}`,
      2,
      /--data-dir: "data\/agent" is not an absolute path such as \/var\/lib\/causeway\/agent/,
    ],
    ['a wrong name', () => `join 10.0.0.1 --name h/1 ${token()}`, 2, /--name/],
    [
      'a manager that other hosts cannot reach',
      () => `join 10.0.0.1 --listen 0.0.0.0 ${token('manager')}`,
      2,
      /--listen/,
    ],
    [
      'no manager',
      () => `join 10.0.0.9 ${token()}`,
      5,
      /no manager admits this host: 10\.0\.0\.9:7443: connect ECONNREFUSED/,
    ],
  ])('%s', async (_, line, code, said) => {
    const outcome = await causeway(line());
    expect(outcome.stderr).toMatch(said);
    expect(outcome.code).toBe(code);
    expect([host.settings.size, host.done]).toEqual([0, []]);
  });

  test('a user who may not change services', async () => {
    host.isWritable = false;
    const { stderr, code } = await causeway(`join 10.0.0.1 ${token()}`);
    expect(stderr).toContain('run it as root');
    expect(code).toBe(1);
    expect(managers.calls).toEqual([]);
  });

  test('no error contains the secret of the token', async () => {
    managers.ahead = minutes(60);
    const given = tokenOf('agent');
    const { stdout, stderr } = await causeway(`join 10.0.0.1 --token ${given} -v -o json`);
    expect(stderr).toContain('clock-wrong');
    expect(stdout + stderr).not.toContain(given.split('-').at(-1));
  });
});
