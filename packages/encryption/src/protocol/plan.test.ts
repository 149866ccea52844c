import type { NodeId } from '@causeway/model';
import { describe, expect, it } from 'vitest';
import type { Pair } from '../pair.ts';
import { mostMade } from './peer-plan.ts';
import { planRekey, type RekeyPlan } from './plan.ts';
import {
  emptyKeyring,
  type Keyring,
  type NodeView,
  type OwnGeneration,
  type PeerView,
  type RekeyReason,
} from './view.ts';

const peer = 'b2b2b2b2b2b2b2b2' as NodeId;
const now = 1_000_000;
const own = (generation: number, more: Partial<OwnGeneration> = {}): OwnGeneration => {
  return { generation, createdAt: 0, offeredIn: generation, ...more };
};
const pair = (text: string): Pair => {
  const [sender = 0, receiver = 0] = text.split('>').map(Number);
  return { sender, receiver };
};
const pairs = (text: string): readonly Pair[] => (text === '' ? [] : text.split(' ').map(pair));

function keyring(version: number, generations: readonly OwnGeneration[], received = '', sent = ''): Keyring {
  const made = new Map([[peer, { received: pairs(received), sent: pairs(sent) }]]);
  return { version, generations, made, confirmed: new Map() };
}

/** Since when the peer could have changed to each of these generations. */
const sinceNow = (...generations: readonly number[]) => new Map(generations.map((each) => [each, now]));

/** A peer with the generation 1, to which this node sends with 1>1, and all SAs of which are there. */
function peerView(
  receipt: Partial<{ version: number; receives: string; sends: string }> = {},
  received = '1>1',
): PeerView {
  const { version = 9, receives = '1>1', sends = '1>1' } = receipt;
  return {
    version: 1,
    generations: [1],
    receipt: { version, receives: pairs(receives), ...(sends !== '' && { sends: pair(sends) }) },
    kernel: { received: pairs(received), sent: pairs('1>1') },
    sendsWith: pair('1>1'),
  };
}

function planned(view: Partial<NodeView>, wanted?: RekeyReason): RekeyPlan {
  const whole: NodeView = {
    keyring: keyring(1, [own(1)]),
    published: { version: 1, newest: 1 },
    peers: new Map(),
    ...view,
  };
  return planRekey(whole, wanted, now);
}

/** "1 2-" is: 1 is offered, 2 is withdrawn. */
function print({ keyring: { version, generations } }: RekeyPlan): string {
  const each = generations.map(({ generation, withdrawnIn }) => `${generation}${withdrawnIn === undefined ? '' : '-'}`);
  return `version ${version}: ${each.join(' ')}`;
}

describe('a new generation', () => {
  it.each<[string, Partial<NodeView>, RekeyReason | undefined, RekeyPlan['create']]>([
    [
      'is the first',
      { keyring: emptyKeyring, published: undefined },
      undefined,
      { reason: 'first', generation: 1, version: 1 },
    ],
    [
      'waits for the first answer of the managers',
      { keyring: emptyKeyring, published: 'unknown' },
      undefined,
      undefined,
    ],
    [
      'counts on when the keyring is lost',
      { keyring: emptyKeyring, published: { version: 7, newest: 5 } },
      undefined,
      { reason: 'first', generation: 6, version: 8 },
    ],
    ['is made when it is wanted', {}, 'due', { reason: 'due', generation: 2, version: 2 }],
    ['is not made without a reason', {}, undefined, undefined],
    ['waits until the managers have the present record', { published: { version: 0, newest: 0 } }, 'due', undefined],
    [
      'is made when an SA that receives with the newest is lost',
      { keyring: keyring(1, [own(1)], '1>1', '1>1'), peers: new Map([[peer, peerView({}, '')]]) },
      undefined,
      { reason: 'lost', generation: 2, version: 2 },
    ],
    [
      'is not made for a loss if the newest is new',
      {
        keyring: keyring(1, [own(1, { createdAt: now - 9_999 })], '1>1', '1>1'),
        peers: new Map([[peer, peerView({}, '')]]),
      },
      undefined,
      undefined,
    ],
  ])('%s', (_, view, wanted, expected) => {
    expect(planned(view, wanted).create).toEqual(expected);
  });

  it('must wait while three are there, and says for whom and since when', () => {
    const view = {
      keyring: keyring(3, [own(1), own(2), own(3)]),
      published: { version: 3, newest: 3 },
      peers: new Map([[peer, peerView({}, '1>1 1>2 1>3')]]),
    };
    const first = planned(view, 'due');
    expect([print(first), first.create, first.delay]).toEqual([
      'version 3: 1 2 3',
      undefined,
      { reason: 'due', since: now, waitsFor: [peer], informed: new Map([[peer, sinceNow(1, 2, 3)]]) },
    ]);
    const delay = { reason: 'due', since: 5, waitsFor: [peer], informed: new Map() } as const;
    expect(planned({ ...view, delay }, 'due').delay?.since).toBe(5);
    expect(planned({ ...view, delay }, 'requested').delay?.since).toBe(now);
  });

  it('says that it waits for a peer which has not confirmed that the oldest is withdrawn', () => {
    const view = {
      keyring: keyring(4, [own(1, { withdrawnIn: 4 }), own(2), own(3)]),
      published: { version: 4, newest: 3 },
      // Its agent is paused: it sends with the second, by the record before.
      peers: new Map([[peer, { ...peerView({ version: 3, sends: '1>2' }, '1>1 1>2'), sendsWith: pair('2>1') }]]),
    };
    expect(planned(view, 'requested').delay?.waitsFor).toEqual([peer]);
  });

  it('waits for a loss even if it is wanted for another reason, so that the wait ends', () => {
    const view = {
      keyring: keyring(3, [own(1), own(2), own(3)], '1>3', '3>1'),
      published: { version: 3, newest: 3 },
      peers: new Map([[peer, peerView({}, '1>1 1>2')]]),
    };
    const { delay } = planned(view, 'due');
    expect(delay).toEqual({
      reason: 'lost',
      since: now,
      waitsFor: [peer],
      informed: new Map([[peer, sinceNow(1, 2)]]),
    });
    const later = { reason: 'lost', since: now + 5, waitsFor: [], informed: new Map() } as const;
    expect(planned({ ...view, delay: later }, 'due').delay?.since).toBe(now);
    const waited = { ...later, since: now - 30_000, waitsFor: [peer] };
    expect(print(planned({ ...view, delay: waited }, 'due'))).toBe('version 4: 1- 2- 3');
  });

  it('must wait while one is there that has the same SPI', () => {
    const view = { published: { version: 17, newest: 17 }, peers: new Map([[peer, peerView()]]) };
    const generations = [own(1), own(16)];
    expect(
      planned({ ...view, keyring: keyring(17, generations), published: { version: 17, newest: 16 } }, 'due').delay,
    ).toEqual({
      reason: 'due',
      since: now,
      waitsFor: [peer],
      informed: new Map([[peer, sinceNow(1)]]),
    });
  });
});

describe('an older generation', () => {
  const two = { keyring: keyring(2, [own(1), own(2)]), published: { version: 2, newest: 2 } };
  const withPeer = (view: PeerView) => ({ ...two, peers: new Map([[peer, view]]) });
  const elsewhere = { ...peerView({ sends: '1>2' }, '1>1 1>2'), sendsWith: pair('2>1') };

  it.each<[string, Partial<NodeView>, string]>([
    ['is withdrawn when no peer uses it', withPeer(elsewhere), 'version 3: 1- 2'],
    [
      'stays while the managers lack the present record',
      { ...withPeer(elsewhere), published: { version: 1, newest: 1 } },
      'version 2: 1 2',
    ],
    ['stays while this node sends with it', withPeer({ ...elsewhere, sendsWith: pair('1>1') }), 'version 2: 1 2'],
    [
      'stays while a peer that sends nothing may choose it',
      withPeer({ ...peerView({ sends: '' }, '1>1 1>2'), sendsWith: pair('2>1') }),
      'version 2: 1 2',
    ],
    [
      'stays while the peer sends with it',
      withPeer({ ...peerView({}, '1>1 1>2'), sendsWith: pair('2>1') }),
      'version 2: 1 2',
    ],
    [
      'is withdrawn if the SA with which the peer sends is lost',
      withPeer({ ...peerView({}, '1>2'), sendsWith: pair('2>1') }),
      'version 3: 1- 2',
    ],
  ])('%s', (_, view, expected) => {
    expect(print(planned(view))).toBe(expected);
  });

  it('stays while the peer sends with an earlier one, and may have changed to this one since', () => {
    const keys = keyring(3, [own(1), own(2), own(3)]);
    const withReceipt = (version: number) => {
      const view = { ...peerView({ version }, '1>1 1>2 1>3'), sendsWith: pair('3>1') };
      return print(planned({ keyring: keys, published: { version: 3, newest: 3 }, peers: new Map([[peer, view]]) }));
    };
    expect(withReceipt(3)).toBe('version 3: 1 2 3');
    // The peer has not said that it knows the second record, so it was not shown the second generation.
    expect(withReceipt(1)).toBe('version 4: 1 2- 3');
  });

  it('stays while nothing is heard of a peer that once knew it, and not for a peer that never said anything', () => {
    const { receipt: _, ...silent } = elsewhere;
    const once = { ...two, keyring: { ...two.keyring, confirmed: new Map([[peer, 1]]) } };
    expect(print(planned({ ...once, peers: new Map([[peer, silent]]) }))).toBe('version 2: 1 2');
    const gone = { ...silent, kernel: { received: [], sent: [] } };
    expect(print(planned({ ...once, peers: new Map([[peer, gone]]) }))).toBe('version 3: 1- 2');
    expect(print(planned(withPeer(silent)))).toBe('version 3: 1- 2');
  });

  it('stays for a peer that once knew it, and says now that it knows nothing', () => {
    const once = { ...two, keyring: { ...two.keyring, confirmed: new Map([[peer, 2]]) } };
    const forgetful = { ...peerView({ version: 0 }, '1>1 1>2'), sendsWith: pair('2>1') };
    expect(print(planned({ ...once, peers: new Map([[peer, forgetful]]) }))).toBe('version 2: 1 2');
  });

  it('is withdrawn though it is in use, when a lost newest has waited for too long', () => {
    const delayed = (reason: RekeyReason, since: number) => {
      return { ...withPeer(peerView({}, '1>1 1>2')), delay: { reason, since, waitsFor: [peer], informed: new Map() } };
    };
    expect(print(planned(delayed('lost', now - 29_999)))).toBe('version 2: 1 2');
    expect(print(planned(delayed('lost', now - 30_000)))).toBe('version 3: 1- 2');
    expect(print(planned(delayed('due', 0)))).toBe('version 2: 1 2');
  });

  const all = '1>1 1>2 1>3';
  /** The peer could have changed to the generations for so long, and a new one must wait. */
  const waiting = (idle: number, ...generations: readonly number[]) => {
    const informed = new Map([[peer, new Map(generations.map((each) => [each, now - idle]))]]);
    return { reason: 'due', since: 0, waitsFor: [peer], informed } as const;
  };

  it.each<[string, Partial<PeerView>, number, string]>([
    ['stays for a while for a peer that knows later ones and does not change', {}, 29_999, 'version 3: 1 2 3'],
    ['is then withdrawn', {}, 30_000, 'version 4: 1- 2- 3'],
    ['is withdrawn, and one that the peer may use stays', peerView({ version: 2 }, all), 99_999, 'version 4: 1- 2 3'],
    [
      'stays for a peer that has not said that it knows a later one',
      peerView({ version: 1 }, all),
      99_999,
      'version 4: 1 2- 3',
    ],
    ['stays for a peer that is not shown later ones', { isUntold: true }, 99_999, 'version 3: 1 2 3'],
    [
      'stays when there is no SA of a later one',
      { kernel: { received: pairs('1>1'), sent: pairs('1>1') } },
      99_999,
      'version 4: 1 2- 3',
    ],
  ])('in use %s', (_, over, idle, expected) => {
    const view = { ...peerView({}, all), ...over };
    const keys = keyring(3, [own(1), own(2), own(3)]);
    const peers = new Map([[peer, view]]);
    const delay = waiting(idle, 1, 2, 3);
    expect(print(planned({ keyring: keys, published: { version: 3, newest: 3 }, peers, delay }, 'due'))).toBe(expected);
  });

  it('is not given up because of a later one that the peer has known for a moment', () => {
    const informed = new Map([[peer, new Map([[2, now - 59_999]])]]);
    const delay = { ...waiting(0), informed };
    const peers = new Map([[peer, peerView({ sends: '1>2' }, all)]]);
    const keys = keyring(3, [own(1, { withdrawnIn: 3 }), own(2), own(3)]);
    const plan = planned({ keyring: keys, published: { version: 3, newest: 3 }, peers, delay }, 'due');
    expect(print(plan)).toBe('version 3: 1- 2 3');
    expect(plan.delay?.informed.get(peer)).toEqual(
      new Map([
        [2, now - 59_999],
        [3, now],
      ]),
    );
  });

  it('that is withdrawn is erased though the peer says to send with it, after a second wait', () => {
    const generations = [own(1, { withdrawnIn: 4 }), own(2, { withdrawnIn: 4 }), own(3)];
    const published = { version: 4, newest: 3 };
    const waited = (idle: number, version: number) => {
      const delay = waiting(idle, 3);
      const peers = new Map([[peer, peerView({ version }, all)]]);
      return planned({ keyring: keyring(4, generations), published, peers, delay }, 'due');
    };
    expect([print(waited(59_999, 4)), print(waited(60_000, 4))]).toEqual(['version 4: 1- 3', 'version 4: 3']);
    // It knows the newest, and says for ever that it does not know that the others are withdrawn.
    expect([print(waited(59_999, 3)), waited(59_999, 3).create]).toEqual(['version 4: 1- 2- 3', undefined]);
    expect([print(waited(60_000, 3)), waited(60_000, 3).create?.generation]).toEqual(['version 4: 3', 4]);
    // Its agent may be down since before the newest.
    expect(print(waited(60_000, 2))).toBe('version 4: 1- 2- 3');
  });

  const withdrawn = {
    keyring: keyring(3, [own(1, { withdrawnIn: 3 }), own(2)]),
    published: { version: 3, newest: 2 },
  };
  it.each<[string, Partial<NodeView>, string]>([
    [
      'is gone when the peer has confirmed it',
      { peers: new Map([[peer, { ...elsewhere, receipt: { version: 3, receives: [], sends: pair('1>2') } }]]) },
      'version 3: 2',
    ],
    [
      'stays until the peer has confirmed it',
      { peers: new Map([[peer, { ...elsewhere, receipt: { version: 2, receives: [], sends: pair('1>2') } }]]) },
      'version 3: 1- 2',
    ],
    [
      'stays while the peer still sends with it',
      { peers: new Map([[peer, { ...elsewhere, receipt: { version: 3, receives: [], sends: pair('1>1') } }]]) },
      'version 3: 1- 2',
    ],
    ['stays until the managers have withdrawn it', { published: { version: 2, newest: 2 } }, 'version 3: 1- 2'],
    ['is gone when no peer is left', {}, 'version 3: 2'],
  ])('that is withdrawn %s', (_, view, expected) => {
    expect(print(planned({ ...withdrawn, ...view }))).toBe(expected);
  });

  it('that is withdrawn does not wait for a peer that never knew it', () => {
    const keys = keyring(5, [own(1), own(3, { offeredIn: 4, withdrawnIn: 5 }), own(4, { offeredIn: 5 })]);
    const silent = peerView({ version: 3 }, '1>1 1>3 1>4');
    const plan = planned({ keyring: keys, published: { version: 5, newest: 4 }, peers: new Map([[peer, silent]]) });
    expect(print(plan)).toBe('version 5: 1 4');
  });
});

describe('the record', () => {
  it('is published while the managers have an older one', () => {
    expect(planned({ published: { version: 0, newest: 0 } }).publish?.version).toBe(1);
    expect(planned({}).publish).toBeUndefined();
    expect(planned({ published: 'unknown' }).publish).toBeUndefined();
  });

  it('is written above a later one that the managers have', () => {
    const plan = planned({ published: { version: 8, newest: 3 } });
    expect(plan.publish?.generations).toEqual([own(1, { offeredIn: 9 })]);
    expect(print(plan)).toBe('version 9: 1');
  });
});

describe('SAs', () => {
  it('that were made and are not there are not made again', () => {
    const view = { keyring: keyring(1, [own(1, { createdAt: now })], '1>1', '1>1') };
    const bare = { ...peerView({}, ''), kernel: { received: [], sent: [] } };
    const plan = planned({ ...view, peers: new Map([[peer, bare]]) }).peers.get(peer);
    expect([plan?.receives, plan?.sends, plan?.sendsWith]).toEqual([[], [], undefined]);
  });

  it('are remembered before they are made, also of a node that is no peer any more', () => {
    const fresh = { ...peerView({}, ''), kernel: { received: [], sent: [] } };
    const plan = planned({ keyring: keyring(1, [own(1)]), peers: new Map([[peer, fresh]]) });
    expect(plan.keyring.made.get(peer)).toEqual({ received: [pair('1>1')], sent: [pair('1>1')] });
    expect(planned({ keyring: plan.keyring }).keyring.made).toEqual(plan.keyring.made);
  });

  it('and what a peer has confirmed are remembered as long as there are SAs', () => {
    const view = { keyring: { ...keyring(3, [own(1)], '1>1'), confirmed: new Map([[peer, 3]]) } };
    const confirmed = (over: Partial<NodeView>) => planned({ ...view, ...over }).keyring.confirmed;
    expect(confirmed({})).toEqual(new Map([[peer, 3]]));
    expect(confirmed({ peers: new Map([[peer, peerView({ version: 2 })]]) })).toEqual(new Map([[peer, 3]]));
    expect(confirmed({ peers: new Map([[peer, peerView({ version: 4 })]]) })).toEqual(new Map([[peer, 4]]));
    expect(confirmed({ keyring: { ...view.keyring, made: new Map() } })).toEqual(new Map());
  });

  it('are not made without end for a peer that changes its key again and again', () => {
    const made = Array.from({ length: mostMade }, (_, n) => `${n + 2}>1`).join(' ');
    const view = { keyring: keyring(1, [own(1)], `1>1 ${made}`, '1>1'), published: { version: 1, newest: 1 } };
    const changed = { ...peerView(), generations: [1, 2_000] };
    const plan = planned({ ...view, peers: new Map([[peer, changed]]) });
    expect(plan.peers.get(peer)?.receives).toEqual([pair('1>1')]);
    expect(plan.keyring.made.get(peer)?.received).toHaveLength(mostMade + 1);
    // That the pair of the newest is not there is no loss: the peer shall not make this node change its keys.
    expect([plan.create, plan.delay]).toEqual([undefined, undefined]);
  });

  it('are forgotten with the generation of this node', () => {
    const view = {
      keyring: keyring(3, [own(1, { withdrawnIn: 3 }), own(2)], '1>1 1>2', '1>1 2>1'),
      published: { version: 3, newest: 2 },
    };
    expect(planned(view).keyring.made.get(peer)).toEqual({ received: [pair('1>2')], sent: [pair('2>1')] });
  });
});
