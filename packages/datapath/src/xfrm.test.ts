import { inspect } from 'node:util';
import { type Ip, Prefix } from '@causeway/model';
import { FakeClock } from '@causeway/runtime/testing';
import { describe, expect, it } from 'vitest';
import { applyPlan, readState } from './apply.ts';
import { differences } from './difference.ts';
import { newNamespace } from './draft.ts';
import type { Op } from './kinds/table.ts';
import { policyKey, samePolicy, type XfrmPolicy } from './kinds/xfrm-policy.ts';
import { sameState, stateKey, type XfrmState } from './kinds/xfrm-state.ts';
import { additive, deviceOf, isStructural } from './op.ts';
import { ourPriority, ourReqid } from './owner.ts';
import { plan } from './plan.ts';
import { printOp, printState } from './print.ts';
import { hostNetns, type NetnsPath, type State } from './state.ts';
import { FakeKernel } from './testing/fake-kernel.ts';
import { vtep } from './testing/fixtures.ts';
import { policiesOf } from './testing/twins/xfrm-policy.ts';
import { block, demand, encryptedPort, ends, saKey, state } from './testing/xfrm-fixtures.ts';

const { here, there } = ends[4];
const demanded = { kind: 'esp', src: here, dst: there, reqid: ourReqid, spi: 7 } as const;
const sending = { direction: 'out', src: here, dst: there, spi: 0x1100_0001 } as const;

/** A host with these SAs and policies. */
function hostWith(states: readonly XfrmState[], policies: readonly XfrmPolicy[] = []): State {
  const namespace = newNamespace();
  for (const each of states) namespace.xfrmStates.set(stateKey(each), each);
  for (const each of policies) namespace.xfrmPolicies.set(policyKey(each), each);
  return new Map([[hostNetns, namespace]]);
}

const nothing = hostWith([]);

function wholeHosts(src: Ip, dst: Ip): Pick<XfrmPolicy['selector'], 'src' | 'dst'> {
  return { src: Prefix(`${src}/32`), dst: Prefix(`${dst}/32`) };
}

it.each<[string, Op]>([
  [
    "ip xfrm state add src 192.0.2.2 dst 192.0.2.1 proto esp spi 0x11000002 reqid 1668743169 mode transport replay-window 256 flag esn aead 'rfc4106(gcm(aes))' <secret> 128 sel src 192.0.2.2 dst 192.0.2.1 dir in",
    { op: 'xfrmState.add', netns: hostNetns, state: state() },
  ],
  [
    "ip xfrm state add src 192.0.2.1 dst 192.0.2.2 proto esp spi 0x11000001 reqid 1668743169 mode transport replay-window 0 flag esn aead 'rfc4106(gcm(aes))' <secret> 128 encap espinudp 4500 4501 0.0.0.0 limit byte-soft 5 limit packet-hard 6 limit time-hard 7 sel src 192.0.2.1 dst 192.0.2.2 dir out",
    {
      ...{ op: 'xfrmState.add', netns: hostNetns },
      state: state({
        ...sending,
        encap: { sport: 4500, dport: 4501 },
        limits: { soft: { bytes: 5 }, hard: { packets: 6, seconds: 7 } },
      }),
    },
  ],
  [
    'ip -n blue xfrm state delete src 192.0.2.2 dst 192.0.2.1 proto esp spi 0x11000002',
    { op: 'xfrmState.delete', netns: '/run/netns/blue' as NetnsPath, state: state() },
  ],
  [
    'ip xfrm policy update src ::/0 dst ::/0 proto udp dport 4793 dir in priority 25599 action block',
    { op: 'xfrmPolicy.set', netns: hostNetns, policy: block('in', 6) },
  ],
  [
    'ip xfrm policy update src 192.0.2.1/32 dst 192.0.2.2/32 proto udp dport 4793 dir out priority 25345 flag icmp tmpl src 192.0.2.1 dst 192.0.2.2 proto esp spi 0x11000001 reqid 1668743169 mode transport',
    { op: 'xfrmPolicy.set', netns: hostNetns, policy: demand('out', here, there, { spi: sending.spi }) },
  ],
  [
    "ip xfrm state add src 2001:db8::2 dst 2001:db8::1 proto esp spi 0x00000007 reqid 1668743169 mode transport replay-window 256 flag esn (weaker than ours) aead 'rfc4106(gcm(aes))' <secret> 128 encap espinudp 4500 4501 :: limit byte-soft 1 limit packet-soft 2 limit time-soft 3 limit byte-hard 4 limit packet-hard 5 limit time-hard 6 sel src 2001:db8::2 dst 2001:db8::1",
    {
      ...{ op: 'xfrmState.add', netns: hostNetns },
      state: state({
        ...{ direction: 'unknown', src: ends[6].there, dst: ends[6].here, spi: 7, isStrict: false },
        encap: { sport: 4500, dport: 4501 },
        limits: { soft: { bytes: 1, packets: 2, seconds: 3 }, hard: { bytes: 4, packets: 5, seconds: 6 } },
      }),
    },
  ],
  [
    'ip xfrm policy update src 192.0.2.1/32 dst 192.0.2.2/32 proto udp sport 4500 dir out priority 25345 flag icmp tmpl src 192.0.2.1 dst 192.0.2.2 proto esp reqid 1668743169 mode transport',
    {
      ...{ op: 'xfrmPolicy.set', netns: hostNetns },
      policy: { ...demand('out', here, there), selector: { ...wholeHosts(here, there), sport: 4500 } },
    },
  ],
  [
    'ip xfrm policy delete src 192.0.2.2/32 dst 192.0.2.1/32 proto udp dport 4793 dir in',
    { op: 'xfrmPolicy.delete', netns: hostNetns, policy: demand('in', there, here) },
  ],
])('%s', (command, op) => expect(printOp(op)).toBe(command));

describe('a key of an SA', () => {
  const mine = state({ key: saKey(0xc8) });
  const other = state({ key: saKey(0x55) });
  /** The bytes of a key as any text could show them. */
  const shown = /c8c9ca|200,\s*201|c8 c9 ca|555657|85,\s*86|yMnKy8/i;

  it('is in no plan, difference, state or failure, however it is made text', async () => {
    const kernel = new FakeKernel({ clock: new FakeClock() }, { underlay: vtep(1), hasEsp: false });
    const ops = plan(hostWith([other]), hostWith([mine]));
    const failures = await applyPlan(kernel, ops);
    expect(failures.map(({ errno }) => errno)).toEqual(['ENOSYS']);
    const found = differences(hostWith([other]), hostWith([mine]));
    const values = [ops, failures, found, hostWith([mine]), new Error('failed', { cause: ops })];
    const texts = [
      ...ops.map(printOp),
      printState(hostWith([mine])),
      ...values.flatMap((value) => [JSON.stringify(value), inspect(value, { depth: 12, showHidden: true })]),
    ];
    for (const text of texts) expect(text).not.toMatch(shown);
  });

  it('is compared: another key is a difference that the words name', () => {
    const [difference] = differences(hostWith([other]), hostWith([mine]));
    expect(difference).toMatchObject({ kind: 'xfrm state', key: '192.0.2.1 0x11000002' });
    expect(difference?.actual).toBe(`${difference?.desired} (another key)`);
    expect(plan(hostWith([other]), hostWith([mine])).map(({ op }) => op)).toEqual([
      'xfrmState.delete',
      'xfrmState.add',
    ]);
  });
});

describe('the order of a plan', () => {
  const names = (ops: readonly Op[]): readonly string[] =>
    ops.map((op) => {
      if (op.op === 'xfrmState.add' || op.op === 'xfrmState.delete') return `${op.op} ${op.state.direction}`;
      if (op.op === 'xfrmPolicy.set' || op.op === 'xfrmPolicy.delete') return `${op.op} ${op.policy.action.kind}`;
      return op.op;
    });
  const whole = hostWith([state(sending), state()], [demand('out', here, there, { spi: sending.spi }), block('out')]);
  const order = ['xfrmPolicy.set block', 'xfrmState.add in', 'xfrmState.add out', 'xfrmPolicy.set esp'];

  it('is block, receive, send, policy; and the reverse for removals', () => {
    expect(names(plan(nothing, whole))).toEqual(order);
    const removals = order.map((name) => name.replace(/\.(add|set)/, '.delete'));
    expect(names(plan(whole, nothing))).toEqual(removals.reverse());
  });

  it('of a rekey is: the new SA, the policy that names it, and then the end of the old SA', () => {
    const spi = 0x1200_0001;
    const next = hostWith([state({ ...sending, spi }), state()], [demand('out', here, there, { spi }), block('out')]);
    expect(names(plan(whole, next))).toEqual(['xfrmState.add out', 'xfrmPolicy.set esp', 'xfrmState.delete out']);
  });
});

describe('as long as no manager has confirmed the tables', () => {
  const policy = demand('out', here, there);
  it.each<[string, Op, State, boolean]>([
    ['an SA that is missing is added', { op: 'xfrmState.add', netns: hostNetns, state: state() }, nothing, true],
    [
      'an SA is not put in the place of another',
      { op: 'xfrmState.add', netns: hostNetns, state: state() },
      hostWith([state()]),
      false,
    ],
    ['no SA is deleted', { op: 'xfrmState.delete', netns: hostNetns, state: state() }, hostWith([state()]), false],
    ['a policy that is missing is set', { op: 'xfrmPolicy.set', netns: hostNetns, policy }, nothing, true],
    ['a policy is not changed', { op: 'xfrmPolicy.set', netns: hostNetns, policy }, hostWith([], [policy]), false],
    ['no policy is deleted', { op: 'xfrmPolicy.delete', netns: hostNetns, policy }, hostWith([], [policy]), false],
  ])('%s', (_, op, found, isDone) => expect(additive(op, found) === op).toBe(isDone));
});

it.each<[string, Partial<XfrmState>]>([
  ['its direction', { direction: 'out' }],
  ['its reqid', { reqid: 0x6377_0002 }],
  ['its limits', { limits: { hard: { bytes: 5 } } }],
  ['its encapsulation', { encap: { sport: 4500, dport: 4500 } }],
  ['its key', { key: saKey(1) }],
  ['its strength', { isStrict: false }],
  ['the address that sends', { src: ends[6].there }],
])('an SA that differs in %s is made anew', (_, over) => {
  expect(plan(hostWith([state(over)]), hostWith([state()])).map(({ op }) => op)).toEqual([
    'xfrmState.delete',
    'xfrmState.add',
  ]);
  expect(differences(hostWith([state(over)]), hostWith([state()]))).toHaveLength(1);
});

it.each<[string, Partial<XfrmPolicy>]>([
  ['its priority', { priority: ourPriority.block }],
  ['its action', { action: { kind: 'block' } }],
  ['the SPI that it demands', demand('out', here, there, { spi: 8 })],
  ['the reqid that it demands', demand('out', here, there, { spi: 7, reqid: ourReqid + 1 })],
  ['the address that sends', { action: { ...demanded, src: vtep(8) } }],
  ['the address that receives', { action: { ...demanded, dst: vtep(8) } }],
])('a policy that differs in %s is set anew', (_, over) => {
  const policy = demand('out', here, there, { spi: 7 });
  const found = hostWith([], [{ ...policy, ...over }]);
  expect(plan(found, hostWith([], [policy])).map(({ op }) => op)).toEqual(['xfrmPolicy.set']);
  expect(plan(hostWith([], [policy]), hostWith([], [policy]))).toEqual([]);
});

it.each<[string, XfrmPolicy]>([
  ['direction', demand('in', here, there)],
  ['sources', { ...demand('out', here, there), selector: { ...wholeHosts(vtep(8), there), dport: encryptedPort } }],
  ['destinations', { ...demand('out', here, there), selector: { ...wholeHosts(here, vtep(8)), dport: encryptedPort } }],
  ['port', { ...demand('out', here, there), selector: { ...wholeHosts(here, there), dport: 4789 } }],
  [
    'port, the source',
    { ...demand('out', here, there), selector: { ...wholeHosts(here, there), sport: encryptedPort } },
  ],
])('a policy of another %s is another policy, and stays no longer than it is desired', (_, other) => {
  const policy = demand('out', here, there);
  expect(samePolicy(policy, other)).toBe(false);
  expect(plan(hostWith([], [other]), hostWith([], [policy])).map(({ op }) => op)).toEqual([
    'xfrmPolicy.set',
    'xfrmPolicy.delete',
  ]);
});

it.each<[string, Op]>([
  ['an SA', { op: 'xfrmState.add', netns: hostNetns, state: state() }],
  ['a policy', { op: 'xfrmPolicy.set', netns: hostNetns, policy: block('in') }],
])('%s belongs to no link', (_, op) => expect([deviceOf(op), isStructural(op)]).toEqual([undefined, false]));

it.each<[string, Partial<XfrmState>, Partial<XfrmState>, boolean]>([
  ['no port and a port', {}, { encap: { sport: 1, dport: 2 } }, false],
  ['the same ports', { encap: { sport: 1, dport: 2 } }, { encap: { sport: 1, dport: 2 } }, true],
  ['another source port', { encap: { sport: 1, dport: 2 } }, { encap: { sport: 3, dport: 2 } }, false],
  ['another destination port', { encap: { sport: 1, dport: 2 } }, { encap: { sport: 1, dport: 3 } }, false],
  ['another destination', {}, { dst: vtep(8) }, false],
  ['another SPI', {}, { spi: 8 }, false],
  ['a direction that the kernel does not record', {}, { direction: 'unknown' }, true],
])('whether two SAs are the same: %s', (_, one, other, isSame) => {
  expect([sameState(state(one), state(other)), sameState(state(other), state(one))]).toEqual([isSame, isSame]);
});

it('a kernel that does not record directions has no difference', () => {
  expect(plan(hostWith([state({ direction: 'unknown' })]), hostWith([state()]))).toEqual([]);
});

it('a policy that lets packets pass in the clear is found and changed in one step', () => {
  const policy = demand('out', here, there);
  const loose: XfrmPolicy = { ...policy, action: { kind: 'other' } };
  expect(plan(hostWith([], [loose]), hostWith([], [policy])).map(({ op }) => op)).toEqual(['xfrmPolicy.set']);
  const [difference] = differences(hostWith([], [loose]), hostWith([], [policy]));
  expect(difference?.key).toBe(`out src 192.0.2.1/32 dst 192.0.2.2/32 proto udp dport ${encryptedPort}`);
  expect(difference?.actual).toBe('priority 25345 (not as we make it)');
});

it('objects of other programs stay, but for a policy that is in the place of ours', async () => {
  const kernel = new FakeKernel({ clock: new FakeClock() }, { underlay: vtep(1) });
  const foreign = { netns: hostNetns, state: state({ reqid: 7 }) };
  const [inPlace, elsewhere] = [
    demand('out', here, there, { priority: 0 }),
    demand('in', here, there, { priority: 0 }),
  ];
  kernel.foreign({ op: 'xfrmState.add', ...foreign });
  for (const policy of [inPlace, elsewhere]) kernel.foreign({ op: 'xfrmPolicy.set', netns: hostNetns, policy });
  expect(plan(await readState(kernel, nothing), nothing)).toEqual([]);
  const desired = hostWith([state()], [demand('out', here, there)]);
  const failures = await applyPlan(kernel, plan(await readState(kernel, desired), desired));
  expect(failures.map(({ op, errno }) => `${op.op} ${errno}`)).toEqual(['xfrmState.add EEXIST']);
  await applyPlan(kernel, [{ op: 'xfrmPolicy.delete', netns: hostNetns, policy: elsewhere }]);
  const host = kernel.namespaces.get(hostNetns);
  expect(host && [...policiesOf(host).values()]).toEqual([demand('out', here, there), elsewhere]);
});
