import { CausewayError, Prefix } from '@causeway/model';
import { milliseconds } from '@causeway/runtime';
import { describe, expect, test } from 'vitest';
import { commandOf, environmentOf, hostsFile, initCommandOf } from './commands.ts';
import { hostBatch, switchBatch } from './links.ts';
import { hostOf, type LabSettings, planLab, processKinds } from './plan.ts';

const subnet = Prefix('10.90.0.0/16');
const usual: LabSettings = { name: 't', hosts: 3, managers: 2, etcd: 'separate', mtu: 1500, subnet };

describe('a lab refuses', () => {
  const cases: readonly [string, Partial<LabSettings>, string, RegExp][] = [
    ['a name that is no folder', { name: '../x' }, 'name-invalid', /lab name/],
    ['a name too long for a socket path', { name: 'a'.repeat(33) }, 'name-invalid', /1 to 32/],
    ['no host', { hosts: 0 }, 'invalid-argument', /--hosts must be a number from 1 to 250/],
    ['more managers than hosts', { managers: 4 }, 'invalid-argument', /--managers must be a number from 1 to 3/],
    ['an MTU below what VXLAN over IPv6 needs', { mtu: 1000 }, 'mtu-invalid', /1330 to 65535/],
    [
      'a subnet too small',
      { subnet: Prefix('10.90.0.0/30') },
      'invalid-argument',
      /3 hosts need 3 addresses, it has 2/,
    ],
    ['a subnet of one address', { subnet: Prefix('10.90.0.0/32') }, 'invalid-argument', /it has 0/],
  ];
  test.each(cases)('%s', (_, change, code, message) => {
    const refusal = catchError(() => planLab({ ...usual, ...change }));
    expect(refusal.code).toBe(code);
    expect(refusal.message).toMatch(message);
  });
});

test('managers and etcd run on the first hosts, an agent on each', () => {
  expect(planLab(usual).hosts).toEqual([
    { name: 'h1', underlay: '10.90.0.1', kinds: processKinds },
    { name: 'h2', underlay: '10.90.0.2', kinds: processKinds },
    { name: 'h3', underlay: '10.90.0.3', kinds: ['agent'] },
  ]);
});

test('a /30 just holds two hosts', () => {
  expect(planLab({ ...usual, hosts: 2, subnet: Prefix('10.9.0.4/30') }).hosts.map((host) => host.underlay)).toEqual([
    '10.9.0.5',
    '10.9.0.6',
  ]);
});

test('a host that is not there is named with those that are', () => {
  const refusal = catchError(() => hostOf(planLab(usual), 'h4'));
  expect(refusal.code).toBe('lab-host-unknown');
  expect(refusal.message).toBe('lab t has no host "h4": it has h1 to h3');
});

test.each<[string, Partial<LabSettings>]>([
  ['ipv4', {}],
  ['ipv6', { subnet: Prefix('fd90::/64') }],
  ['embedded', { etcd: 'embedded' }],
])('all a lab runs: %s', async (name, change) => {
  const plan = planLab({ ...usual, ...change });
  const pids = new Map(plan.hosts.map((host, i) => [host, 100 + i]));
  const text = [
    '# switch',
    ...switchBatch(plan, (host) => pids.get(host) ?? 0),
    ...plan.hosts.flatMap((host) => [
      `# ${host.name}`,
      ...hostBatch(plan, host),
      ...(host === plan.hosts[0] ? [initCommandOf(host).join(' ')] : []),
      ...host.kinds.map((kind) => commandOf(plan, host, kind).join(' ')),
    ]),
    '# environment',
    ...Object.entries(environmentOf(plan)).map(([name, value]) => `${name}=${value}`),
    '# /etc/hosts',
    hostsFile(plan),
  ];
  await expect(text.join('\n')).toMatchFileSnapshot(`golden/${name}.txt`);
});

function catchError(work: () => unknown): CausewayError {
  try {
    work();
  } catch (error) {
    if (error instanceof CausewayError) return error;
  }
  throw new Error('nothing was refused');
}

test('managers get the cooldown of the lab as an option, agents do not', () => {
  const plan = planLab({ ...usual, cooldown: milliseconds(5_000) });
  const [host] = plan.hosts;
  if (host === undefined) throw new Error('no host');
  expect(commandOf(plan, host, 'manager').join(' ')).toContain('--cooldown 5000ms');
  expect(commandOf(plan, host, 'agent').join(' ')).not.toContain('--cooldown');
});
