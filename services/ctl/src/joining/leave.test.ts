import { enroll, type OpenExit } from '@causeway/enrollment';
import { MemoryManagers } from '@causeway/enrollment/testing';
import { createKey } from '@causeway/identity/io';
import { CausewayError, type ErrorCode, type Name } from '@causeway/model';
import { minutes } from '@causeway/runtime';
import { FakeClock, SeededRandom } from '@causeway/runtime/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { parseVariables } from '../host-settings.ts';
import { type Outcome, runLine } from '../testing/run-line.ts';
import { leaveCommand } from './leave.ts';
import { FakeHost } from './testing/fake-host.ts';
import type { Service } from './this-host.ts';

let clock: FakeClock;
let host: FakeHost;
let asked: string[];
let answer: ErrorCode | undefined;
let silent: string | undefined;

beforeEach(() => {
  clock = new FakeClock();
  host = new FakeHost();
  asked = [];
  answer = undefined;
  silent = undefined;
});

const open: OpenExit = (address) => {
  const say = async <Value>(call: string, value: Value): Promise<Value> => {
    asked.push(`${call} at ${address}`);
    if (address === silent) throw new CausewayError('manager-unavailable', 'connect ECONNREFUSED');
    if (answer === undefined) return value;
    throw new CausewayError(answer, `refused by ${address}`);
  };
  return {
    removeNode: ({ force }) =>
      say(force ? 'remove host by force' : 'remove host', { revision: 1n, released: 0, interfacesRemoved: true }),
    removeManager: ({ name }) => say(`remove manager ${name}`, {}),
    close: () => undefined,
  };
};

async function joined(service: Service, name: string): Promise<void> {
  const parts = { clock, random: new SeededRandom(1) };
  const managers = new MemoryManagers(parts, ['10.0.0.1:7443']);
  const token = managers.createToken(service);
  const home = host.home(service, host.dataDir(service));
  const enrollment = { token, addresses: ['10.0.0.1:7443'], name: name as Name };
  await enroll({ ...parts, knock: managers.knock, home, createKey }, enrollment, new AbortController().signal);
}

async function causeway(line: string): Promise<Outcome> {
  const more = [leaveCommand({ hostAt: () => host, open })];
  return await clock.until(runLine(line, { clock, more }), minutes(2));
}

test('a host leaves: it is stopped, removed from the cluster, and then its data go', async () => {
  await joined('agent', 'h7');
  host.settings.set(
    'agent',
    'CAUSEWAY_NAME=h7\nCAUSEWAY_MANAGERS=10.0.0.2:7443\nCAUSEWAY_ADVERTISE=192.0.2.1\nCAUSEWAY_DATA_DIR=/var/lib/causeway/agent\n',
  );
  const { stdout, stderr, code } = await causeway('leave');
  expect(stdout).toMatch(/^agent\/[0-9a-f]{16} has left the cluster 0123456789abcdef\n$/);
  expect([stderr, code]).toEqual(['', 0]);
  expect(asked).toEqual(['remove host at 10.0.0.2:7443']);
  expect(host.done).toEqual(['stop agent', 'stop agent', 'clear agent /var/lib/causeway/agent']);
  expect(await host.home('agent', '/var/lib/causeway/agent').read()).toBeUndefined();
  expect(parseVariables(host.settings.get('agent') ?? '')).toEqual({ CAUSEWAY_DATA_DIR: '/var/lib/causeway/agent' });
});

test('twice: the second time there is nothing to do', async () => {
  await joined('agent', 'h7');
  await causeway('leave');
  const { stdout, code } = await causeway('leave');
  expect([stdout, code]).toEqual(['this host is a member of no cluster\n', 0]);
  expect(asked).toHaveLength(1);
});

test('agent and manager of one host, for scripts', async () => {
  await joined('agent', 'h7');
  await joined('manager', 'm1');
  const { stdout } = await causeway('leave -o json');
  const cluster = '0123456789abcdef';
  const agent = { cluster, role: 'agent', id: expect.stringMatching(/^[0-9a-f]{16}$/) };
  expect(JSON.parse(stdout)).toEqual({ left: [agent, { cluster, role: 'manager', id: 'm1' }] });
  expect(asked).toEqual(['remove host at 10.0.0.1:7443', 'remove manager m1 at 10.0.0.1:7443']);
});

test('the first manager, which was removed or does not run, asks the managers that joined later', async () => {
  await joined('manager', 'm1');
  await host.home('manager', '/var/lib/causeway/manager').keepManagers(['10.0.0.1:7443', '10.0.0.2:7443']);
  host.settings.set('manager', 'CAUSEWAY_NAME=m1\nCAUSEWAY_LISTEN=10.0.0.1:7443\n');
  silent = '10.0.0.1:7443';
  const { stdout, code } = await causeway('leave');
  expect([stdout, code]).toEqual(['manager/m1 has left the cluster 0123456789abcdef\n', 0]);
  expect(asked).toEqual(['remove manager m1 at 10.0.0.1:7443', 'remove manager m1 at 10.0.0.2:7443']);
});

test('only the manager', async () => {
  await joined('agent', 'h7');
  await joined('manager', 'm1');
  await causeway('leave --service manager');
  expect(host.done).toEqual(['stop manager', 'clear manager /var/lib/causeway/manager']);
});

describe('refused', () => {
  test('a host with endpoints: its agent is started again', async () => {
    await joined('agent', 'h7');
    answer = 'node-in-use';
    const { stderr, code } = await causeway('leave');
    expect(stderr).toContain('refused by 10.0.0.1:7443');
    expect(code).toBe(4);
    expect(host.done).toEqual(['stop agent', 'start agent']);
    expect(await host.home('agent', '/var/lib/causeway/agent').read()).toBeDefined();
  });

  test('the last manager, which goes on', async () => {
    await joined('manager', 'm1');
    answer = 'quorum-loss';
    expect((await causeway('leave --force')).code).toBe(4);
    expect(host.done).toEqual([]);
  });

  test('when no manager answers', async () => {
    await joined('agent', 'h7');
    answer = 'manager-unavailable';
    const { stderr, code } = await causeway('leave');
    expect(stderr).toContain('lets agent/');
    expect(code).toBe(5);
    expect(host.done).toEqual(['stop agent', 'start agent']);
  });
});

test.each<ErrorCode>(['manager-unavailable', 'certificate-expired'])(
  'by force, also when it cannot be asked for: %s',
  async (code) => {
    await joined('agent', 'h7');
    answer = code;
    expect((await causeway('leave')).code).not.toBe(0);
    asked = [];
    const { stderr, code: exit } = await causeway('leave --force');
    expect(asked).toEqual(['remove host by force at 10.0.0.1:7443']);
    expect(stderr).toContain('Remove it from the cluster on another host');
    expect(exit).toBe(0);
    expect(host.done.at(-1)).toBe('clear agent /var/lib/causeway/agent');
  },
);
