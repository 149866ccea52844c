import { CausewayError, type ErrorCode, errorKinds } from '@causeway/model';
import { describe, expect, test } from 'vitest';
import { exitCodeOfKind } from './exit-codes.ts';
import { runLine, transcript, type World } from './testing/run-line.ts';

const failing = (error: unknown): World => ({ managers: { listNetworks: () => Promise.reject(error) } });

describe('a server refuses', () => {
  test.each(Object.keys(errorKinds) as ErrorCode[])('%s', async (code) => {
    const outcome = await runLine('network list -o json', failing(new CausewayError(code, 'because', { field: 'x' })));
    expect(outcome.code).toBe(exitCodeOfKind[errorKinds[code]]);
    expect(outcome.stdout).toBe('');
    const lines = outcome.stderr.trimEnd().split('\n');
    expect(lines[0]).toBe('causeway: because');
    expect(JSON.parse(lines.at(-1) ?? '')).toEqual({ error: { code, message: 'because', data: { field: 'x' } } });
  });

  test('a manager that cannot reach the leader is not asked for again: status says what is down', async () => {
    const error = new CausewayError('manager-unavailable', 'the leader cannot be reached', {
      address: '10.0.0.1:7443',
    });
    const { stderr } = await runLine('network create blue', {
      managers: { createNetwork: () => Promise.reject(error) },
    });
    expect(stderr).toContain('causeway status shows which managers and etcd members are down');
    expect(stderr).not.toContain('does causeway-manager run there?');
  });

  test('an error that is not ours is our defect', async () => {
    const outcome = await runLine('network list', failing(new TypeError('undefined is\nnot a function')));
    expect(outcome).toMatchObject({ code: 1, stderr: 'causeway: undefined is not a function\n' });
  });

  test('a server that leaves out what it must send', async () => {
    const outcome = await runLine('network show x', { managers: { getNetwork: async () => ({}) } });
    expect(outcome).toMatchObject({ code: 1, stderr: 'causeway: the server answered without the network\n' });
  });
});

/** None of these lines reaches a server: a call would fail the test. */
const wrongLines = [
  'network',
  'network lst',
  'netwrk list',
  'get network blue',
  'network lss',
  'help netwrk',
  'help network lst',
  'endpoint attach blue --name web --netns /run/netns/web --address 10.66.0.9',
  'events -f',
  'network list --json',
  'endpoint list blue -n red',
  'network list -q -o json',
  'network list --watch --sort-by name',
  'network list --bogus',
  'network list extra',
  'network list -l =',
  'network list --field vni',
  'network list --page-size 2000',
  'network list --limit 0',
  'network list --watch --page-size 9',
  'network list --from-revision 0',
  'network show',
  'network create -bad --subnet 10.66.0.0/16',
  'network update blue',
  'network update blue --mtu big',
  'network update blue --add-subnet 10.66.0.1/16',
  'network update blue --label x=1 --if-revision now',
  'network delete blue --if-revision 0',
  'network create blue --subnet 10.66.0.0/16 --ip-range 10.67.0.0/24',
  'network create blue --ip-range 10.67.0.0/24',
  'network create blue --subnet 10.66.0.0/16 --aux-address dns',
  'network create blue --subnet 10.66.0.0/16 --aux-address dns=10.67.0.1',
  'network create blue --subnet 10.66.0.0/16 --aux-address dns=10.66.0.1 --aux-address dns=10.66.0.2',
  'network create blue --subnet 10.66.0.1/16',
  'network create blue --subnet 10.66.0.0/16 --subnet ten -o json',
  'network create blue --subnet 10.66.0.0/16 --gateway 10.67.0.1',
  'network create blue --subnet 10.66.0.0/16 --gateway 10.66.0.1 --gateway 10.66.0.2',
  'network create blue --subnet 10.66.0.0/16 --gateway nope',
  'network create blue --subnet 10.66.0.0/16 --vni 0',
  'network create blue --subnet 10.66.0.0/16 --vni 16777216',
  'network create blue --subnet 10.66.0.0/16 --vni many',
  'network create blue --subnet 10.66.0.0/16 --mtu 1.5',
  'network create blue --subnet 10.66.0.0/16 --label nokey',
  'network create blue --subnet 10.66.0.0/16 --address-space a/b',
  'endpoint attach blue --netns /run/netns/web',
  'endpoint attach blue --name web',
  'endpoint attach blue --name web --netns web',
  'endpoint attach blue --name web --netns /run/netns/web --ip 10.66.0.9/16',
  'endpoint attach blue --name web --netns /run/netns/web --wait ready',
  'endpoint wait web --for ever',
  'events --since yesterday',
  'events --from -1',
  'events --from 1 --since 2h',
  'events --tail 0',
  'events --tail 20000',
  'events --tail 3 --from 7',
  'network list -o xml',
  'network list --timeout 5',
  'network list --timeout 0s',
  'network list --managers 10.0.0.1:99999',
  'network list --managers',
  'completion tcsh',
];

test('wrong lines: exit 2, and what would be right', async () => {
  const parts: string[] = [];
  for (const line of wrongLines) {
    const outcome = await runLine(line);
    expect(outcome, line).toMatchObject({ code: 2, stdout: '', calls: [] });
    parts.push(transcript(line, outcome));
  }
  await expect(parts.join('\n')).toMatchFileSnapshot('golden/wrong.txt');
});

test.each(['--help', 'network --help', 'network create --help', '--version'])('%s is data', async (line) => {
  expect(await runLine(line)).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/\S/) });
});

describe('after a signal', () => {
  const interrupted: World['signal'] = AbortSignal.abort({ exitCode: 130 });

  test('a failure that follows is not worth words', async () => {
    const world = { ...failing(new CausewayError('timed-out', 'cancelled')), signal: interrupted };
    expect(await runLine('network list', world)).toMatchObject({ code: 130, stderr: '' });
  });

  test('a command that succeeds still reports its success', async () => {
    const world: World = {
      managers: { listNetworks: async () => ({ networks: [], revision: 1n, nextPageToken: '' }) },
      signal: interrupted,
    };
    expect((await runLine('network list', world)).code).toBe(130);
  });
});
