import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CausewayError } from '@causeway/model';
import { afterAll, describe, expect, test } from 'vitest';
import { runLine, type World } from '../testing/run-line.ts';
import { blue, db, h1, h2, red, status, web } from '../testing/samples.ts';
import { certificates } from '../testing/worlds.ts';
import { scripts, shells } from './scripts.ts';

const subnet = {
  subnet: '10.66.0.0/16',
  ranges: [],
  ...{ used: '0', reserved: '1', cooling: '0', free: '9', automatic: '9' },
  usedByHost: {},
  reservations: [{ address: '10.66.0.7', purpose: 'printer', revision: 9n }],
};

const joinToken = {
  id: '4m2z9qk0t7xw3c1v',
  role: 'agent',
  uses: 1,
  used: 0,
  expiresMs: 2n,
  revokedMs: 0n,
  createdMs: 1n,
  by: 'operator/admin',
  name: '',
};

const world: World = {
  managers: {
    listNetworks: async () => ({ networks: [blue, red], revision: 1n, nextPageToken: '' }),
    listEndpoints: async () => ({ endpoints: [web, db, { ...db, network: 'red' }], revision: 1n, nextPageToken: '' }),
    listNodes: async () => ({ nodes: [h1, h2], revision: 1n, nextPageToken: '' }),
    listManagers: async () => ({ managers: status.managers }),
    getNetwork: async () => ({ network: blue }),
    listTokens: async () => ({ tokens: [joinToken, { ...joinToken, id: '0b8d3n5r6s9t1w2y', revokedMs: 1n }] }),
    ...certificates.managers,
    showSubnets: async () => ({ subnets: [subnet] }),
  },
};

describe('what may stand at the cursor', () => {
  const cases: [words: string, candidates: string[]][] = [
    ['n', ['network', 'node']],
    ['o', ['operator']],
    ['network ', ['create', 'list', 'show', 'update', 'delete']],
    ['network s', ['show']],
    ['network show ', ['blue', 'red']],
    ['network show b', ['blue']],
    ['network show blue ', []],
    ['network create ', []],
    ['endpoint detach ', ['web', 'blue/db', 'red/db']],
    ['endpoint show blue/', ['blue/db']],
    ['endpoint list --host ', ['h1', 'h2']],
    ['endpoint list --host h1 ', ['blue', 'red']],
    ['endpoint attach blue --wait ', ['applied']],
    ['endpoint attach blue --netns ', [':files']],
    ['endpoint attach blue --name ', []],
    ['node show ', ['h1', 'h2']],
    ['node token ', ['create', 'list', 'revoke']],
    ['node token create --role ', ['agent', 'manager']],
    ['operator revoke ', ['admin', 'eve']],
    ['ca ', ['show', 'rotate', 'set', 'autolock', 'unlock']],
    ['ca autolock ', ['on', 'off']],
    ['node token revoke ', ['4m2z9qk0t7xw3c1v']],
    ['verify --host ', ['h1', 'h2']],
    ['network list -o ', ['table', 'wide', 'json', 'yaml', 'name']],
    ['-o j', ['json']],
    ['--managers 10.0.0.1:7443 network show ', ['blue', 'red']],
    ['completion ', [...shells]],
    ['endpoint wait --f', ['--for']],
    ['version --', ['--output', '--quiet', '--no-headers', '--debug', '--help']],
    ['networks inspect ', ['blue', 'red']],
    [
      'help ',
      [
        'network',
        'endpoint',
        'ipam',
        'node',
        'operator',
        'ca',
        'crypto',
        'manager',
        'status',
        'doctor',
        'verify',
        'events',
        'version',
        'completion',
        'help',
      ],
    ],
    ['help network ', ['create', 'list', 'show', 'update', 'delete']],
    ['network list --field v', ['vni=', 'vni!=']],
    ['network list --sort-by ', ['name', 'vni', 'mtu', 'createdAt', 'revision']],
    ['network create blue --driver ', ['overlay']],
    ['network create blue --address-space ', ['default', 'lab']],
    ['network update blue --mtu ', ['auto']],
    ['network update blue --remove-subnet ', ['10.66.0.0/16', 'fd66::/64']],
    ['network update blue --remove-label ', ['team', 'tier']],
    ['ipam release blue ', ['10.66.0.7']],
    ['events --kind network.', ['network.created', 'network.changed', 'network.deleted']],
    ['events --network ', ['blue', 'red']],
    ['manager remove ', ['h1', 'h2', 'h3']],
    ['verify ', ['h1', 'h2']],
    ['verify h1 ', ['h1', 'h2']],
    ['endpoint list -n ', ['blue', 'red']],
    [
      'bogus ',
      [
        'network',
        'endpoint',
        'ipam',
        'node',
        'operator',
        'ca',
        'crypto',
        'manager',
        'status',
        'doctor',
        'verify',
        'events',
        'version',
        'completion',
        'help',
      ],
    ],
    ['network show -- ', [':files']],
  ];
  test.each(cases)('causeway %s', async (words, candidates) => {
    const outcome = await runLine(['__complete', '--', ...words.split(' ')], world);
    expect(
      outcome.stdout
        .split('\n')
        .slice(0, -1)
        .map((line) => line.split('\t')[0]),
    ).toEqual(candidates);
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
  });

  test('a cluster that does not answer has no names, and no error either', async () => {
    const outcome = await runLine(['__complete', '--', 'network', 'show', ''], {
      managers: { listNetworks: () => Promise.reject(new CausewayError('manager-unavailable', 'no')) },
    });
    expect(outcome).toMatchObject({ code: 0, stdout: '', stderr: '' });
    expect(outcome.connection).toMatchObject({ open: 0, settings: { timeout: 1_000 } });
  });
});

test.each(shells)('the script of %s goes to stdout as it is', async (shell) => {
  expect((await runLine(`completion ${shell}`)).stdout).toBe(scripts[shell]);
});

/** A fake `causeway` that records its arguments and prints the given lines. */
const folder = mkdtempSync(join(tmpdir(), 'causeway-completion-'));
writeFileSync(join(folder, 'causeway'), '#!/bin/sh\nprintf "%s\\n" "$@" >"$ASKED"\nprintf "$ANSWER"\n');
chmodSync(join(folder, 'causeway'), 0o755);
afterAll(() => rmSync(folder, { recursive: true }));

describe('in a real bash', () => {
  const cases: [line: string, answer: string, asked: string[], reply: string[]][] = [
    ['causeway net', 'network\\tnetworks\\n', ['net'], ['network']],
    ['causeway network show ', 'blue\\ta b\\nred\\t\\n', ['network', 'show', ''], ['blue', 'red']],
    ['causeway --managers 10.0.0.1:7443 no', 'node\\t\\n', ['--managers', '10.0.0.1:7443', 'no'], ['node']],
    ['causeway endpoint attach b --netns /r', ':files\\n', ['endpoint', 'attach', 'b', '--netns', '/r'], []],
  ];
  test.each(cases)('%s', (line, answer, asked, reply) => {
    const words = line.split(' ');
    const script = `${scripts.bash}
      COMP_LINE='${line}' COMP_POINT=${line.length} COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}) COMP_CWORD=${words.length - 1}
      _causeway
      ((\${#COMPREPLY[@]} == 0)) || printf '%s\\n' "\${COMPREPLY[@]}"`;
    const note = join(folder, 'asked');
    const env = { PATH: `${folder}:${process.env['PATH']}`, ASKED: note, ANSWER: answer };
    const result = spawnSync('bash', ['--norc', '-c', script], { env, encoding: 'utf8' });
    expect(result.stderr).toBe('');
    expect(result.stdout.split('\n').slice(0, -1)).toEqual(reply);
    expect(readFileSync(note, 'utf8').split('\n').slice(0, -1)).toEqual(['__complete', '--', ...asked]);
  });
});
