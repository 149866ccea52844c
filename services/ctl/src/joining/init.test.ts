import type { NewMembership } from '@causeway/enrollment';
import { CausewayError } from '@causeway/model';
import { minutes } from '@causeway/runtime';
import { FakeClock } from '@causeway/runtime/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Managers } from '../clients.ts';
import { MemoryContexts } from '../contexts/testing/memory-contexts.ts';
import { parseVariables } from '../host-settings.ts';
import { type Outcome, runLine, transcript } from '../testing/run-line.ts';
import { initCommand } from './init.ts';
import { FakeHost } from './testing/fake-host.ts';

let host: FakeHost;
let contexts: MemoryContexts;

beforeEach(() => {
  host = new FakeHost();
  contexts = new MemoryContexts();
});

const createToken: Managers['createToken'] = async ({ role }) => ({ secret: `CWAY1-${role}-…` });

async function causeway(line: string, managers: Partial<Managers> = { createToken }): Promise<Outcome> {
  const clock = new FakeClock();
  const more = [initCommand({ hostAt: () => host, contexts })];
  return await clock.until(runLine(line, { clock, more, managers }), minutes(5));
}

const starting = (fails: number): Partial<Managers> => {
  let left = fails;
  return {
    createToken: async (request) => {
      if (left-- > 0) throw new CausewayError('manager-unavailable', 'connect ECONNREFUSED 10.0.0.77:7443');
      return await createToken(request);
    },
  };
};

test('what a person sees', async () => {
  const shown = [transcript('init', await causeway('init', starting(3)))];
  host.hasSystemd = false;
  const silent = starting(Number.POSITIVE_INFINITY);
  shown.push(transcript('init', await causeway('init', silent)));
  shown.push(transcript('init -o json', await causeway('init -o json', silent)));
  shown.push(transcript('init', await causeway('init')));
  shown.push(transcript('init -o json', await causeway('init -o json')));
  await expect(shown.join('\n')).toMatchFileSnapshot('../golden/init.txt');
});

test('the cluster is founded, the manager gets its settings, and then it is started', async () => {
  const { code } = await causeway('init --name m1 --listen 10.0.0.1 --operator eve');
  expect(code).toBe(0);
  expect(host.done).toEqual([
    'init --data-dir /var/lib/causeway/manager --name m1 --listen 10.0.0.1:7443 --etcd-peer-address 10.0.0.1 --operator eve',
    'start manager',
  ]);
  expect(parseVariables(host.settings.get('manager') ?? '')).toEqual({
    CAUSEWAY_NAME: 'm1',
    CAUSEWAY_LISTEN: '10.0.0.1:7443',
    CAUSEWAY_DATA_DIR: '/var/lib/causeway/manager',
    CAUSEWAY_ETCD: 'embedded',
    CAUSEWAY_ETCD_PEER_ADDRESS: '10.0.0.1',
  });
  expect(contexts.homes.get('0123456789abcdef')?.managers).toEqual(['10.0.0.1:7443']);
  expect(await contexts.chosen()).toBe('0123456789abcdef');
});

test('a repetition keeps the settings', async () => {
  await causeway('init --name m1 --listen 10.0.0.1');
  const settings = host.settings.get('manager');
  await causeway('init');
  expect(host.settings.get('manager')).toBe(settings);
});

test('a repetition keeps the managers that the context knows', async () => {
  await causeway('init --name m1 --listen 10.0.0.1');
  const home = contexts.homes.get('0123456789abcdef');
  const kept = { name: { cluster: '0123456789abcdef', role: 'operator', id: 'admin' } } as unknown as NewMembership;
  await home?.keep(kept);
  await home?.keepManagers(['10.0.0.1:7443', '10.0.0.2:7443']);
  await causeway('init');
  expect(home?.managers).toEqual(['10.0.0.1:7443', '10.0.0.2:7443']);
});

test('the life of certificates is passed on', async () => {
  await causeway('init --certificate-life 168h');
  expect(host.done[0]).toContain('--certificate-life 168h');
});

test('a CA of one’s own is passed on', async () => {
  await causeway('init --ca-cert /ca.pem --ca-key /ca.key');
  expect(host.done[0]).toContain('--ca-cert /ca.pem --ca-key /ca.key');
});

test('a program that issues certificates is passed on, and is a setting of the manager', async () => {
  await causeway('init --ca-cert /ca.pem --ca-program /usr/local/bin/ca');
  expect(host.done[0]).toContain('--ca-cert /ca.pem --ca-program /usr/local/bin/ca');
  const settings = () => parseVariables(host.settings.get('manager') ?? '');
  expect(settings()).toMatchObject({ CAUSEWAY_CA_PROGRAM: '/usr/local/bin/ca' });
  await causeway('init');
  expect(settings()).toMatchObject({ CAUSEWAY_CA_PROGRAM: '/usr/local/bin/ca' });
});

test('with autolock, the unlock key is printed once the manager answers', async () => {
  const setAutolock: Managers['setAutolock'] = async ({ enabled }) => ({ unlockKey: enabled ? 'CWUK1-…' : '' });
  const { stdout } = await causeway('init --autolock', { createToken, setAutolock });
  expect(stdout).toMatch(/each needs it after its start.*CWUK1-….*To add a host/s);
  const json = await causeway('init --autolock -o json', { createToken, setAutolock });
  expect(JSON.parse(json.stdout)).toMatchObject({ unlockKey: 'CWUK1-…', tokens: { agent: 'CWAY1-agent-…' } });
  host.hasSystemd = false;
  const silent = await causeway('init --autolock', starting(Number.POSITIVE_INFINITY));
  expect(silent.stdout).toContain('run this command again: it turns autolock on');
});

describe('a failure', () => {
  test('of the founding: nothing is started', async () => {
    host.foundCluster = async () => {
      throw new CausewayError('invalid-argument', '--data-dir /var/lib/causeway/manager: it holds x');
    };
    const { stderr, code } = await causeway('init');
    expect(stderr).toContain('it holds x');
    expect(code).toBe(2);
    expect([host.settings.size, host.done]).toEqual([0, []]);
  });

  test('of a manager that was started and does not answer', async () => {
    const { stderr, code } = await causeway('init', starting(Number.POSITIVE_INFINITY));
    expect(stderr).toContain('ECONNREFUSED');
    expect(code).toBe(5);
  });

  test('of a user who may not change services', async () => {
    host.isWritable = false;
    expect((await causeway('init')).stderr).toContain('run it as root');
    expect(host.done).toEqual([]);
  });
});
