import { type NetnsPath, newNamespace, type Op, type State } from '@causeway/datapath';
import { Ip, Mac, type NetworkId } from '@causeway/model';
import { FakeClock, MemoryLog } from '@causeway/runtime/testing';
import { describe, expect, it } from 'vitest';
import { makePart } from './make-part.ts';
import type { DirtyPart, Part, Scope } from './scope.ts';

const netns = '/run/netns/cw-0000000001' as NetnsPath;
const [ip, other] = [Ip('10.0.0.2'), Ip('10.0.0.3')];
const [mac, wrong] = [Mac('02:42:0a:00:00:02'), Mac('02:42:0a:00:00:99')];

/** A bridge with neighbours; with an MTU of 0 no bridge. */
function stateOf(neighbours: ReadonlyMap<Ip, Mac>, mtu = 1450): State {
  const namespace = newNamespace();
  if (mtu > 0) namespace.links.set('br0', { kind: 'bridge', name: 'br0', mac, mtu, up: true });
  namespace.neighbours.set('br0', neighbours);
  return new Map([[netns, namespace]]);
}

const desired = stateOf(new Map([[ip, mac]]));
const without = stateOf(new Map());
const withAnother = stateOf(new Map([[other, wrong]]));
const otherMtu = stateOf(new Map([[ip, mac]]), 1400);
const everything = { kind: 'everything', desired } as const;

interface Pass extends Partial<Pick<Scope, 'disturbs' | 'answersFor'>> {
  /** What each read of the kernel finds; the last is found from then on. */
  readonly finds?: readonly State[];
  readonly part?: Part;
  readonly isDrift?: boolean;
}

/** Makes the part, and returns what happened. */
async function make({ finds = [desired], part = everything, isDrift = false, ...over }: Pass) {
  const applied: Op[][] = [];
  const found: State[] = [];
  let reads = 0;
  const scope: Scope = {
    id: '00000000000000aa' as NetworkId,
    name: 'blue',
    isConfirmed: true,
    desired,
    goal: () => ({ kind: 'follow' }),
    advance: async () => 'nothing',
    partOf: () => ({ kind: 'dirty', desired, scopes: new Map() }),
    read: async () => finds[Math.min(reads, finds.length) - 1] ?? desired,
    apply: async (ops) => {
      applied.push([...ops]);
      return [];
    },
    answersFor: () => true,
    found: (actual) => void found.push(actual),
    ...over,
  };
  const modules = { scope, clock: new FakeClock(), log: new MemoryLog(), onRead: () => void reads++ };
  const made = await makePart(modules, part, { isDrift, isConfirmed: true, refusedBefore: [] });
  return { made, reads, found, rounds: applied.length, ops: applied.map((ops) => ops.map(({ op }) => op)) };
}

describe('the kernel is read again after changes that may have made it drop entries', () => {
  const always = (): boolean => true;

  it.each<[string, Pass, number]>([
    ['once when nothing differs', { disturbs: always }, 1],
    ['once when the changes disturb nothing', { finds: [without, desired], disturbs: () => false }, 1],
    ['once when the scope knows no such changes', { finds: [without, desired] }, 1],
    ['twice when the second read finds nothing', { finds: [without, desired], disturbs: always }, 2],
    ['at most three times', { finds: [without], disturbs: always }, 3],
    [
      'again when one of several changes disturbs',
      { finds: [withAnother, desired], disturbs: ({ op }) => op === 'neighbour.delete' },
      2,
    ],
  ])('%s', async (_, pass, reads) => {
    expect(await make(pass)).toMatchObject({ reads, rounds: reads });
  });

  it('but not where the kernel is known', async () => {
    const part = { kind: 'changed', desired, known: without } as const;
    const { reads, ops } = await make({ part });
    expect({ reads, ops }).toEqual({ reads: 0, ops: [['neighbour.set']] });
  });
});

describe('what was found at first', () => {
  it('is shown to the scope once, and only when everything was read', async () => {
    const again = { finds: [without, withAnother], disturbs: () => true } as const;
    expect((await make(again)).found).toEqual([without]);
    const part: DirtyPart = { kind: 'dirty', desired, scopes: new Map() };
    expect((await make({ ...again, part })).found).toEqual([]);
  });

  it('is drift, later finds are not', async () => {
    const pass = { finds: [without, withAnother, desired], disturbs: () => true } as const;
    expect((await make({ ...pass, isDrift: true })).made.found).toMatchObject([
      { kind: 'neighbour', key: `br0 ${ip}` },
    ]);
    expect((await make(pass)).made.found).toEqual([]);
  });

  it('counts as drift only as far as the scope answers for it', async () => {
    const pass = {
      finds: [withAnother],
      isDrift: true,
      answersFor: ({ actual }: { actual: string }) => actual === wrong,
    };
    expect((await make(pass)).made.found).toMatchObject([{ actual: wrong }]);
  });
});

describe('of a part that is dirty', () => {
  const part: DirtyPart = { kind: 'dirty', desired, scopes: new Map() };

  it.each<[string, State, boolean]>([
    ['entries alone are repaired', without, false],
    ['a link that differs concerns more than the part', otherMtu, true],
    ['a link that is missing concerns more than the part', stateOf(new Map(), 0), true],
    ['a namespace that is missing concerns more than the part', new Map(), true],
  ])('%s', async (_, actual, isMore) => {
    const { made, rounds } = await make({ finds: [actual], part });
    expect({ isMore: made.isMore, rounds }).toEqual({ isMore, rounds: isMore ? 0 : 1 });
  });

  it('and of everything a link is changed', async () => {
    expect((await make({ finds: [otherMtu] })).ops).toEqual([['link.set']]);
  });
});
