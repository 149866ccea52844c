import { Ip } from '@causeway/model';
import { type Encode, KernelError, type MessageReader, NETLINK_XFRM } from '@causeway/netlink';
import { describe, expect, it } from 'vitest';
import { hostNetns, type NetnsPath } from '../state.ts';
import {
  policyDeletion,
  putBytes,
  received,
  saDeletion,
  saExpiry,
  saMessage,
  withMore,
} from '../testing/kernel-messages.ts';
import { type Answer, bytesOf, ScriptedSocket } from '../testing/scripted-socket.ts';
import { block, demand, ends, state } from '../testing/xfrm-fixtures.ts';
import { putAddress } from '../wire/xfrm-bytes.ts';
import * as k from '../wire/xfrm-constants.ts';
import { deletePolicy, dumpPolicies, getPolicy, setPolicy } from '../wire/xfrm-policy.ts';
import { addState, changePorts, deleteState, dumpStates, getState, replaceLarval } from '../wire/xfrm-state.ts';
import type { Kind, Reading, Writing } from './kind.ts';
import type { Op } from './table.ts';
import { policyKey, xfrmPolicy } from './xfrm-policy.ts';
import { stateKey, type XfrmState, xfrmState } from './xfrm-state.ts';

/* What the kinds of IPsec read of the kernel's answers, and which messages they send. */

type AnyXfrm = Kind<string, never, never, Op>;
const [states, policies] = [xfrmState, xfrmPolicy].map((kind) => kind as unknown as AnyXfrm) as [AnyXfrm, AnyXfrm];

const { here, there } = ends[4];
const receiving = state();
const sending = state({ direction: 'out', src: here, dst: there });
const foreign = state({ reqid: 7 });
const added = addState(receiving, 'directed');
const policy = demand('out', here, there, { spi: 7 });
const foreignPolicy = demand('out', here, there, { reqid: 7 });

/** The message about an SA that the kernel makes when a packet finds none. Such an SA has no key yet. */
const larval: Encode = (to) => {
  const message = received(added);
  to.begin(k.XFRM_MSG_NEWSA);
  to.buffer.set(message.slice(0, 224), to.struct(224));
  to.end();
};

const socketOf =
  (socket: ScriptedSocket) =>
  (protocol: number): ScriptedSocket => {
    expect(protocol).toBe(NETLINK_XFRM);
    return socket;
  };

/** The requests of ops of one name, and the errno with which each fails. */
function appliedRun(kind: AnyXfrm, ops: readonly object[], answers: readonly Answer[]) {
  if (kind.real.applyRun === undefined) throw new Error('ops of this kind are applied in runs');
  const socket = new ScriptedSocket(...answers);
  const to = { socket: (_: NetnsPath, protocol: number) => socketOf(socket)(protocol) } as unknown as Writing;
  const refused = kind.real.applyRun(
    to,
    ops.map((op) => ({ netns: hostNetns, ...op }) as Op),
  );
  return { requests: socket.requests, errnos: ops.map((_, at) => refused.get(at)?.errno ?? 'ok') };
}

/** The requests of an op, and the errno with which it fails. */
function applied(kind: AnyXfrm, op: object, ...answers: readonly Answer[]) {
  const { requests, errnos } = appliedRun(kind, [op], answers);
  return { requests, errno: errnos[0] };
}

describe('a run of ops', () => {
  const bytes = (...encoded: readonly Encode[]) => encoded.map((each) => bytesOf([each]));
  const others = [1, 2, 3].map((spi) => state({ ...sending, spi }));
  const [one, two, three] = others as [XfrmState, XfrmState, XfrmState];

  it('adds SAs at once, and tries those again that are refused in this form', () => {
    const ops = others.map((each) => ({ op: 'xfrmState.add', state: each }));
    expect(appliedRun(states, ops, [[], 'EINVAL', 'EPERM', []])).toEqual({
      requests: bytes(...others.map((each) => addState(each, 'directed')), addState(two, 'undirected')),
      errnos: ['ok', 'ok', 'EPERM'],
    });
  });

  it('deletes SAs after it has asked for all, and not the one of another program', () => {
    const ops = others.map((each) => ({ op: 'xfrmState.delete', state: each }));
    const answers: Answer[] = [[added], [addState(foreign, 'directed')], 'ESRCH', [], 'ESRCH'];
    expect(appliedRun(states, ops, answers)).toEqual({
      requests: bytes(...others.map(getState), deleteState(one), deleteState(three)),
      errnos: ['ok', 'ok', 'ESRCH'],
    });
  });

  it('sets policies at once, whatever is in their place', () => {
    const all = [policy, demand('in', there, here)];
    const ops = all.map((each) => ({ op: 'xfrmPolicy.set', policy: each }));
    expect(appliedRun(policies, ops, ['EPERM', []])).toEqual({
      requests: bytes(...all.map(setPolicy)),
      errnos: ['EPERM', 'ok'],
    });
  });

  it('deletes policies after it has asked for all, and not the one of another program', () => {
    const [ours, theirs] = [policy, demand('in', there, here)];
    const ops = [theirs, ours].map((each) => ({ op: 'xfrmPolicy.delete', policy: each }));
    expect(appliedRun(policies, ops, [[setPolicy(foreignPolicy)], [setPolicy(ours)], []])).toEqual({
      requests: bytes(getPolicy(theirs), getPolicy(ours), deletePolicy(ours)),
      errnos: ['ok', 'ok'],
    });
  });

  it('does not write what the kernel cannot be asked for', () => {
    const ops = [one, two].map((each) => ({ op: 'xfrmState.delete', state: each }));
    expect(appliedRun(states, ops, ['EPERM', [added], []])).toEqual({
      requests: bytes(getState(one), getState(two), deleteState(two)),
      errnos: ['EPERM', 'ok'],
    });
  });
});

describe('an SA that is added', () => {
  const add = { op: 'xfrmState.add', state: sending };
  const [directed, undirected] = [addState(sending, 'directed'), addState(sending, 'undirected')];
  const [update, olderUpdate] = [replaceLarval(sending, 'directed'), replaceLarval(sending, 'undirected')];
  const get = getState(sending);

  it.each<[string, readonly Answer[], readonly Encode[], string]>([
    ['is one message', [[]], [directed], 'ok'],
    ['on a kernel without directions, is asked for in the older form', ['EINVAL', []], [directed, undirected], 'ok'],
    ['that no form of it pleases', ['EINVAL', 'EINVAL'], [directed, undirected], 'EINVAL'],
    ['on a kernel without the cipher', ['ENOSYS'], [directed], 'ENOSYS'],
    ['replaces what the kernel made by itself', ['EEXIST', [larval], []], [directed, get, update], 'ok'],
    [
      'replaces what an older kernel made by itself',
      ['EINVAL', 'EEXIST', [larval], 'EINVAL', []],
      [directed, undirected, get, update, olderUpdate],
      'ok',
    ],
    ['does not replace one of ours', ['EEXIST', [added]], [directed, get], 'EEXIST'],
    ['does not replace a foreign one', ['EEXIST', [addState(foreign, 'directed')]], [directed, get], 'EEXIST'],
    ['does not replace one that is gone by now', ['EEXIST', 'ESRCH'], [directed, get], 'EEXIST'],
    ['is refused for another reason', ['EPERM'], [directed], 'EPERM'],
  ])('%s', async (_, answers, requests, errno) => {
    expect(applied(states, add, ...answers)).toEqual({
      requests: requests.map((each) => bytesOf([each])),
      errno,
    });
  });

  it('and receives has one form only: without a window, replays would pass', async () => {
    const { requests, errno } = applied(states, { ...add, state: receiving }, 'EINVAL');
    expect([requests, errno]).toEqual([[bytesOf([added])], 'EINVAL']);
  });
});

describe('an SA whose ports change', () => {
  const moved = { ...sending, encap: { sport: 4500, dport: 61_000 } };
  const ofSa = addState({ ...moved, encap: { sport: 4500, dport: 4500 } }, 'directed');
  const [get, update, older] = [getState(moved), changePorts(moved, 'directed'), changePorts(moved, 'undirected')];

  it.each<[string, readonly Answer[], readonly Encode[], string]>([
    ['is asked for first', [[ofSa], []], [get, update], 'ok'],
    ['on a kernel without directions', [[ofSa], 'EINVAL', []], [get, update, older], 'ok'],
    ['is gone', ['ESRCH'], [get], 'ESRCH'],
    ['is gone, and the kernel has made a larval one', [[larval]], [get], 'ESRCH'],
    ['is of another program', [[addState(foreign, 'directed')]], [get], 'EEXIST'],
  ])('%s', async (_, answers, requests, errno) => {
    expect(applied(states, { op: 'xfrmState.setPorts', state: moved }, ...answers)).toEqual({
      requests: requests.map((each) => bytesOf([each])),
      errno,
    });
  });

  it('is named without its key: a larval SA that takes its place must not count from 1 with the key', () => {
    const message = Buffer.from(bytesOf([update]));
    expect(message.includes(Buffer.from(moved.key.reveal()))).toBe(false);
    expect(message.includes(Buffer.from(moved.key.decoy().reveal()))).toBe(true);
  });
});

describe('an SA that is deleted', () => {
  const remove = { op: 'xfrmState.delete', state: receiving };
  const [get, del] = [getState(receiving), deleteState(receiving)];
  it.each<[string, Answer, readonly Encode[]]>([
    ['is asked for first', [added], [get, del]],
    ['may be one that the kernel made by itself', [larval], [get, del]],
    ['is not of another program', [addState(foreign, 'directed')], [get]],
  ])('%s', async (_, answer, requests) => {
    expect(applied(states, remove, answer)).toEqual({
      requests: requests.map((each) => bytesOf([each])),
      errno: 'ok',
    });
  });

  it('is absent already: the kernel says so, which the caller takes for success', async () => {
    const { errno } = applied(states, remove, 'ESRCH', 'ESRCH');
    expect(xfrmState.real.absent).toContain(errno);
  });
});

describe('a policy', () => {
  const [get, set, del] = [getPolicy(policy), setPolicy(policy), deletePolicy(policy)];
  const theirs: Answer = [setPolicy(foreignPolicy)];
  it.each<[string, 'set' | 'delete', readonly Answer[], readonly Encode[], string]>([
    ['is set in one message, whatever is in its place', 'set', [[]], [set], 'ok'],
    ['of ours is deleted', 'delete', [[set], []], [get, del], 'ok'],
    ['that is absent: the kernel says so', 'delete', ['ENOENT', 'ENOENT'], [get, del], 'ENOENT'],
    ['of another program is not deleted', 'delete', [theirs], [get], 'ok'],
    ['is refused', 'set', ['EPERM'], [set], 'EPERM'],
    ['that the kernel cannot be asked for is not deleted', 'delete', ['EPERM'], [get], 'EPERM'],
  ])('%s', async (_, what, answers, requests, errno) => {
    expect(applied(policies, { op: `xfrmPolicy.${what}`, policy }, ...answers)).toEqual({
      requests: requests.map((each) => bytesOf([each])),
      errno,
    });
  });
});

describe('what is read', () => {
  const read = async (kind: AnyXfrm, answer: Answer): Promise<{ keys: readonly unknown[]; requests: Uint8Array[] }> => {
    const socket = new ScriptedSocket(answer);
    const reading = { socket: socketOf(socket), arrivals: new Map() };
    const found = await kind.real.read?.(reading as unknown as Reading);
    return { keys: [...(found?.keys() ?? [])], requests: socket.requests };
  };

  it('is ours: the SAs', async () => {
    const all = [added, addState(foreign, 'directed'), addState(sending, 'directed'), larval];
    const { keys, requests } = await read(states, all);
    expect(keys).toEqual([stateKey(receiving), stateKey(sending)]);
    expect(requests).toEqual([bytesOf([dumpStates])]);
  });

  it('shows from which port packets come, if the SA has another', async () => {
    const inUdp = { ...receiving, encap: { sport: 4500, dport: 4500 } };
    for (const [port, expected] of [
      [61_000, 61_000],
      [4500, undefined],
    ] as const) {
      const arrivals = new Map([[stateKey(inUdp), port]]);
      const socket = new ScriptedSocket([addState(inUdp, 'directed')]);
      const found = await xfrmState.real.read?.({ socket: socketOf(socket), arrivals } as unknown as Reading);
      expect(found?.get(stateKey(inUdp))).toMatchObject({ encap: inUdp.encap });
      const state = found?.get(stateKey(inUdp)) as XfrmState | undefined;
      expect(state?.arrivesFrom).toBe(expected);
    }
  });

  it('is ours: the policies', async () => {
    const { keys, requests } = await read(policies, [
      setPolicy(foreignPolicy),
      setPolicy(policy),
      setPolicy(block('in')),
    ]);
    expect(keys).toEqual([policyKey(policy), policyKey(block('in'))]);
    expect(requests).toEqual([bytesOf([dumpPolicies])]);
  });

  it.each([
    ['states', states],
    ['policies', policies],
  ] as const)('of a kernel without IPsec: no %s', async (_, kind) => {
    expect((await read(kind, 'EPROTONOSUPPORT')).keys).toEqual([]);
    await expect(read(kind, 'EPERM')).rejects.toThrow(KernelError);
  });
});

describe('a notification', () => {
  const isNews = ({ real }: AnyXfrm, message: Encode): boolean | undefined => {
    const reader: MessageReader = received(message);
    return real.events?.get(reader.type)?.(reader);
  };
  const flush =
    (type: number): Encode =>
    (to) => {
      to.begin(type);
      to.struct(4);
      to.end();
    };
  const theirs = addState(foreign, 'directed');
  const inOurPlace = setPolicy(foreignPolicy);
  const { src, dst } = foreignPolicy.selector;
  const fromOurPort = setPolicy({ ...foreignPolicy, selector: { src, dst, sport: 4793 } });
  const elsewhere = setPolicy({ ...foreignPolicy, selector: { src, dst, sport: 1701, dport: 1701 } });

  it.each<[string, AnyXfrm, Encode, boolean]>([
    ['an SA of ours is added', states, added, true],
    ['an SA of ours is changed', states, saMessage(added, k.XFRM_MSG_UPDSA), true],
    ['an SA of ours is deleted', states, saDeletion(added), true],
    ['an SA of ours is at a limit', states, saExpiry(added), true],
    ['an SA that the kernel made by itself', states, larval, false],
    ['what the kernel made by itself is at its end', states, saExpiry(larval), true],
    ['all SAs are deleted', states, flush(k.XFRM_MSG_FLUSHSA), true],
    ['packets of an SA of ours come from another port', states, mappingOf(receiving), true],
    ['packets of a foreign SA do', states, mappingOf(foreign), false],
    ['packets come from another address, whose port is not followed', states, mappingOf(receiving, '192.0.2.9'), false],
    ['a foreign SA is added', states, theirs, false],
    ['a foreign SA is changed', states, saMessage(theirs, k.XFRM_MSG_UPDSA), false],
    ['a foreign SA is deleted', states, saDeletion(theirs), false],
    ['a foreign SA is at a limit', states, saExpiry(theirs), false],
    ['a policy of ours is added', policies, another(setPolicy(policy), k.XFRM_MSG_NEWPOLICY), true],
    ['a policy of ours is changed', policies, setPolicy(policy), true],
    ['a policy of ours is deleted', policies, policyDeletion(setPolicy(policy)), true],
    ['all policies are deleted', policies, flush(k.XFRM_MSG_FLUSHPOLICY), true],
    ['a policy is at a limit, which ours do not have', policies, flush(k.XFRM_MSG_POLEXPIRE), false],
    ['a foreign policy is added in the place of ours', policies, another(inOurPlace, k.XFRM_MSG_NEWPOLICY), true],
    ['a foreign policy replaces ours', policies, inOurPlace, true],
    ['a foreign policy of packets from our port is set', policies, fromOurPort, true],
    ['a foreign policy in the place of ours is deleted', policies, policyDeletion(inOurPlace), true],
    ['a foreign policy of other ports is added', policies, another(elsewhere, k.XFRM_MSG_NEWPOLICY), false],
    ['a foreign policy of other ports is changed', policies, elsewhere, false],
    ['a foreign policy of other ports is deleted', policies, policyDeletion(elsewhere), false],
    [
      'a policy for packets with a mark is changed',
      policies,
      withMore(setPolicy(policy), (to) => putBytes(to, k.XFRMA_MARK, 1, 0, 0, 0, 1, 0, 0, 0)),
      false,
    ],
  ])('%s', (_, kind, message, expected) => expect(isNews(kind, message)).toBe(expected));
});

/** The message that packets of an SA come from port 61000. */
function mappingOf({ src, dst, spi, reqid }: XfrmState, from: string = src): Encode {
  return (to) => {
    to.begin(k.XFRM_MSG_MAPPING);
    const at = to.struct(64);
    putAddress(to, at, dst);
    to.put32be(at + 16, spi);
    to.put16(at + 20, 2);
    to.put32(at + 24, reqid);
    putAddress(to, at + 28, src);
    putAddress(to, at + 44, Ip(from));
    to.put16be(at + 60, 4500);
    to.put16be(at + 62, 61_000);
    to.end();
  };
}

/** The message of an encoder, as one of another type. */
function another(encode: Encode, type: number): Encode {
  return (to) => {
    const start = to.bytes.length;
    encode(to);
    to.put16(start + 4, type);
  };
}
