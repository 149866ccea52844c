import { CausewayError } from '@causeway/model';
import { ListEndpointsRequest } from '@causeway/proto/gen/causeway/v1/endpoint_service.js';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { runLine, transcript, type World } from '../testing/run-line.ts';
import { applied, db, h2, web } from '../testing/samples.ts';
import { transcripts } from '../testing/transcripts.ts';
import {
  attach,
  certificates,
  clean,
  endpoints,
  found,
  happened,
  networks,
  nodes,
  ofAnotherHost,
  slow,
  timedOut,
  tokens,
} from '../testing/worlds.ts';

// The variable is set when the tests run inside a lab.
beforeAll(() => void vi.stubEnv('CAUSEWAY_MANAGERS', undefined));
afterAll(() => void vi.unstubAllEnvs());

describe('what a person sees', () => {
  test.each(Object.entries(transcripts))('%s', async (name, lines) => {
    const parts: string[] = [];
    for (const [line, world] of lines) parts.push(transcript(line, await runLine(line, world)));
    await expect(parts.join('\n')).toMatchFileSnapshot(`../golden/${name}.txt`);
  });

  test('at a terminal, with colours', async () => {
    const outcome = await runLine('endpoint list', { ...endpoints, tty: true });
    expect(outcome.stdout).toContain('\u001b[1mNAME\u001b[0m');
    expect(outcome.stdout).toContain('\u001b[32m3/3\u001b[0m');
    expect(outcome.stdout).toContain('\u001b[31m1/2\u001b[0m');
  });
});

describe('what a server is asked', () => {
  const requestId = expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  const cases: [line: string, world: World, calls: { method: string; request?: unknown }[]][] = [
    [
      'network create red --subnet 10.66.0.0/24 --subnet 10.67.0.0/24 --subnet FD66::/64 --gateway fd66::fe --gateway 10.66.0.254 --gateway none --ip-range 10.67.0.64/26 --aux-address dns=10.67.0.9 --aux-address dns=fd66::9 --internal --dry-run --vni 9 --mtu 1400 --label a=b --label c=d=e --address-space lab',
      networks,
      [
        {
          method: 'managers.createNetwork',
          request: {
            requestId,
            name: 'red',
            subnets: [
              { prefix: '10.66.0.0/24', gateway: '10.66.0.254', ranges: [], auxAddresses: {} },
              { prefix: '10.67.0.0/24', gateway: '', ranges: ['10.67.0.64/26'], auxAddresses: { dns: '10.67.0.9' } },
              { prefix: 'fd66::/64', gateway: 'fd66::fe', ranges: [], auxAddresses: { dns: 'fd66::9' } },
            ],
            addressSpace: 'lab',
            vni: 9,
            mtu: 1400,
            labels: { a: 'b', c: 'd=e' },
            driver: 'overlay',
            internal: true,
            ipv4: false,
            ipv6: false,
            noGateway: true,
            dryRun: true,
            force: false,
            encrypt: false,
          },
        },
      ],
    ],
    [
      'network create vault --encrypt',
      networks,
      [{ method: 'managers.createNetwork', request: expect.objectContaining({ name: 'vault', encrypt: true }) }],
    ],
    [
      'network create plain --subnet 10.66.0.0/24',
      networks,
      [
        {
          method: 'managers.createNetwork',
          request: {
            requestId,
            name: 'plain',
            subnets: [{ prefix: '10.66.0.0/24', gateway: '', ranges: [], auxAddresses: {} }],
            addressSpace: 'default',
            vni: 0,
            mtu: 0,
            labels: {},
            driver: 'overlay',
            internal: false,
            ipv4: false,
            ipv6: false,
            noGateway: false,
            dryRun: false,
            force: false,
            encrypt: false,
          },
        },
      ],
    ],
    [
      'network delete blue',
      networks,
      [
        {
          method: 'managers.deleteNetwork',
          request: { requestId, network: 'blue', ifRevision: 0n, force: false, dryRun: false },
        },
      ],
    ],
    [
      'network delete blue --force --if-revision 7 --dry-run',
      networks,
      [
        {
          method: 'managers.deleteNetwork',
          request: { requestId, network: 'blue', ifRevision: 7n, force: true, dryRun: true },
        },
      ],
    ],
    [
      'network update blue --rename green --label a=b --remove-label c --add-subnet 10.67.0.0/24 --remove-subnet 10.66.0.0/16 --add-range 10.68.0.0/25 --mtu auto --if-revision 7 --dry-run',
      networks,
      [
        { method: 'managers.getNetwork', request: { network: 'blue', atLeast: 0n } },
        {
          method: 'managers.updateNetwork',
          request: {
            requestId,
            network: 'blue',
            ifRevision: 7n,
            name: 'green',
            setLabels: { a: 'b' },
            removeLabels: ['c'],
            addSubnets: [{ prefix: '10.67.0.0/24', gateway: '', ranges: [], auxAddresses: {} }],
            removeSubnets: ['10.66.0.0/16'],
            addRanges: ['10.68.0.0/25'],
            mtu: 0,
            mtuAutomatic: true,
            dryRun: true,
            force: false,
            noGateway: false,
            encrypt: false,
            noEncrypt: false,
          },
        },
      ],
    ],
    [
      'network update blue --add-subnet 10.68.0.0/24 --gateway none --gateway 10.68.0.254 --add-range 10.68.0.128/25 --add-range 10.66.1.0/24 --aux-address dns=10.68.0.9',
      networks,
      [
        {
          method: 'managers.updateNetwork',
          request: {
            requestId,
            network: 'blue',
            ifRevision: 0n,
            name: '',
            setLabels: {},
            removeLabels: [],
            addSubnets: [
              {
                prefix: '10.68.0.0/24',
                gateway: '10.68.0.254',
                ranges: ['10.68.0.128/25'],
                auxAddresses: { dns: '10.68.0.9' },
              },
            ],
            removeSubnets: [],
            addRanges: ['10.66.1.0/24'],
            mtu: 0,
            mtuAutomatic: false,
            dryRun: false,
            force: false,
            noGateway: true,
            encrypt: false,
            noEncrypt: false,
          },
        },
      ],
    ],
    [
      `${attach} --ip 10.66.0.9 --ip FD66::9 --ifname net0 --label tier=web --label app=a=b --wait applied`,
      endpoints,
      [
        {
          method: 'agent.attach',
          request: {
            requestId,
            network: 'blue',
            name: 'web',
            netns: '/run/netns/web',
            ifname: 'net0',
            addresses: ['10.66.0.9', 'fd66::9'],
            labels: { tier: 'web', app: 'a=b' },
            gatewayPriority: 0,
          },
        },
        { method: 'managers.waitEndpoint', request: { endpoint: web.id, atLeast: 12n } },
      ],
    ],
    [
      attach,
      endpoints,
      [
        {
          method: 'agent.attach',
          request: {
            requestId,
            network: 'blue',
            name: 'web',
            netns: '/run/netns/web',
            ifname: 'eth0',
            addresses: [],
            labels: {},
            gatewayPriority: 0,
          },
        },
      ],
    ],
    [
      `${attach} --managers h1`,
      endpoints,
      [
        { method: 'agent.attach', request: expect.anything() },
        { method: 'managers.getEndpoint', request: { endpoint: web.id, atLeast: 12n } },
      ],
    ],
    [
      'endpoint detach blue/web',
      endpoints,
      [{ method: 'agent.detach', request: { requestId, endpoint: 'blue/web', force: false } }],
    ],
    [
      'endpoint detach blue/web --managers h1',
      ofAnotherHost,
      [
        { method: 'agent.detach', request: { requestId, endpoint: 'blue/web', force: false } },
        { method: 'managers.detachEndpoint', request: { requestId, endpoint: 'blue/web', force: false } },
      ],
    ],
    [
      'network list -l tier=web --field vni!=77 --page-size 50',
      networks,
      [
        {
          method: 'managers.listNetworks',
          request: { atLeast: 0n, labelSelector: 'tier=web', fieldSelector: 'vni!=77', pageSize: 50, pageToken: '' },
        },
      ],
    ],
    [
      'endpoint list blue --host h1 -l tier --field name!=x --from-revision 41 --limit 1',
      endpoints,
      [
        {
          method: 'managers.watchEndpoints',
          request: {
            network: 'blue',
            host: 'h1',
            labelSelector: 'tier',
            fieldSelector: 'name!=x',
            fromRevision: 41n,
            epoch: 0n,
          },
        },
      ],
    ],
    [
      'node list --field ready=false --limit 3',
      nodes,
      [
        {
          method: 'managers.listNodes',
          request: { atLeast: 0n, labelSelector: '', fieldSelector: 'ready=false', pageSize: 3, pageToken: '' },
        },
      ],
    ],
    [
      'endpoint list blue --host h1',
      endpoints,
      [{ method: 'managers.listEndpoints', request: ListEndpointsRequest.create({ network: 'blue', host: 'h1' }) }],
    ],
    [
      'network create jumbo --subnet 10.66.0.0/24 --mtu 9000 --force',
      networks,
      [{ method: 'managers.createNetwork', request: expect.objectContaining({ mtu: 9000, force: true }) }],
    ],
    [
      'network update red --mtu 9000 --force',
      networks,
      [{ method: 'managers.updateNetwork', request: expect.objectContaining({ mtu: 9000, force: true }) }],
    ],
    [
      'events --tail 20 --since 2h --network blue',
      { managers: { watchEvents: happened } },
      [
        {
          method: 'managers.watchEvents',
          request: expect.objectContaining({
            tail: 20,
            fromSequence: 0n,
            network: 'blue',
            sinceMs: expect.any(BigInt),
          }),
        },
      ],
    ],
    [
      'endpoint wait db',
      slow,
      [
        { method: 'managers.getEndpoint', request: { endpoint: 'db', atLeast: 0n } },
        { method: 'managers.waitEndpoint', request: { endpoint: db.id, atLeast: 13n } },
        { method: 'managers.getEndpoint', request: { endpoint: db.id, atLeast: 13n } },
      ],
    ],
    [
      'verify --repair --host h1 --host h2',
      { managers: { verify: async () => found } },
      [
        { method: 'managers.verify', request: { repair: true, hosts: ['h1', 'h2'] } },
        { method: 'managers.verify', request: { repair: false, hosts: ['h1', 'h2'] } },
      ],
    ],
    [
      'verify --repair',
      { managers: { verify: async () => clean } },
      [{ method: 'managers.verify', request: { repair: true, hosts: [] } }],
    ],
    [
      'node drain h2',
      { managers: { drainNode: async () => ({ node: h2 }) } },
      [{ method: 'managers.drainNode', request: { requestId, node: 'h2' } }],
    ],
    [
      'node undrain h2',
      { managers: { undrainNode: async () => ({ node: h2 }) } },
      [{ method: 'managers.undrainNode', request: { requestId, node: 'h2' } }],
    ],
    [
      'ca unlock --key CWKEY1-x --managers 10.0.0.1,10.0.0.2',
      certificates,
      [
        { method: 'managers.unlock', request: { unlockKey: 'CWKEY1-x' } },
        { method: 'managers.unlock', request: { unlockKey: 'CWKEY1-x' } },
      ],
    ],
    [
      'node token create --role agent --uses 3 --ttl 10m',
      tokens,
      [
        { method: 'managers.createToken', request: { requestId, role: 'agent', uses: 3, ttlMs: 600_000n, name: '' } },
        { method: 'managers.listManagers', request: {} },
      ],
    ],
    [
      'node token revoke 4m2z9qk0t7xw3c1v',
      tokens,
      [{ method: 'managers.revokeToken', request: { requestId, tokenId: '4m2z9qk0t7xw3c1v' } }],
    ],
    [
      'node remove h2',
      { managers: { removeNode: async () => ({ revision: 5n, released: 0, interfacesRemoved: true }) } },
      [{ method: 'managers.removeNode', request: { requestId, node: 'h2', force: false } }],
    ],
    [
      'manager remove h2 --force',
      { managers: { removeManager: async () => ({}) } },
      [{ method: 'managers.removeManager', request: { requestId, name: 'h2', force: true } }],
    ],
    [
      'events --watch --from 2 --kind node.lost --kind node.ready --host h3',
      { managers: { watchEvents: happened, getNode: async () => ({ node: h2 }) } },
      [
        { method: 'managers.getNode', request: { node: 'h3' } },
        {
          method: 'managers.watchEvents',
          request: {
            fromSequence: 2n,
            follow: true,
            sinceMs: 0n,
            kinds: ['node.lost', 'node.ready'],
            network: '',
            host: 'h3',
            tail: 0,
          },
        },
      ],
    ],
  ];
  test.each(cases)('%s', async (line, world, calls) => {
    const outcome = await runLine(line, world);
    expect(outcome.calls).toEqual(calls);
    expect(outcome.connection.open).toBe(0);
  });
});

test('an endpoint is asked for again once the wait took all the time, so what is printed is the newest', async () => {
  const states = [applied(0, 3, { waiting: ['h1', 'h2', 'h3'] }), applied(2, 3, { waiting: ['h3'] })];
  const outcome = await runLine('endpoint wait web -o json', {
    managers: {
      getEndpoint: async () => ({ endpoint: { ...web, applied: states.shift() as never } }),
      waitEndpoint: timedOut,
    },
  });
  expect(JSON.parse(outcome.stdout).applied).toMatchObject({ have: 2, waiting: ['h3'] });
  expect(outcome.stderr).toContain('2/3, waiting: h3');
  expect(outcome.code).toBe(5);
});

test.each(['', ' --wait applied'])(
  'an endpoint that is detached while "attach%s" looks at it is said to be',
  async (wait) => {
    const gone = () => Promise.reject(new CausewayError('endpoint-unknown', `there is no endpoint "${web.id}"`));
    const agent = { attach: async () => ({ endpoint: web, alreadyAttached: false }) };
    const world = { agent, managers: { getEndpoint: gone, waitEndpoint: gone } };
    const { stderr, code } = await runLine(`${attach} --managers h1${wait}`, world);
    expect(stderr).toContain('endpoint web was detached meanwhile');
    expect(code).toBe(3);
  },
);

test('ca unlock asks all managers, and says which were unlocked when one does not answer', async () => {
  let asked = 0;
  const unlock = async () => {
    if (++asked === 1) throw new CausewayError('manager-unavailable', '10.0.0.1:7443 does not answer');
    return {};
  };
  const { stderr, code } = await runLine('ca unlock --key CWKEY1-x --managers 10.0.0.1,10.0.0.2', {
    managers: { unlock },
  });
  expect(stderr).toContain('10.0.0.1:7443 does not answer; 10.0.0.2:7443 is unlocked');
  expect([asked, code]).toEqual([2, 5]);
});
