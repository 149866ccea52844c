import {
  applyPlan,
  type Changes,
  type Difference,
  type Kernel,
  type Namespace,
  type NetnsPath,
  namedPart,
  newNamespace,
  type Op,
  readState,
  type State,
} from '@causeway/datapath';
import { FakeKernel } from '@causeway/datapath/testing';
import { Ip, Mac, type NetworkId } from '@causeway/model';
import { milliseconds, seconds } from '@causeway/runtime';
import { FakeClock, MemoryLog, SeededRandom } from '@causeway/runtime/testing';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { HostStats } from './host-stats.ts';
import type { Changed, DirtyPart, Goal, IntentChange, Part, Scope } from './scope.ts';
import { ScopeReconciler } from './scope-reconciler.ts';
import { SweepPace } from './sweep-pace.ts';

const netns = '/run/netns/cw-0000000001' as NetnsPath;
const dev = 'br0';
const [ip, other] = [Ip('10.0.0.2'), Ip('10.0.0.3')];
const [mac, wrong] = [Mac('02:42:0a:00:00:02'), Mac('02:42:0a:00:00:99')];
const own = (address: Ip): Op => ({ op: 'neighbour.set', netns, dev, ip: address, mac });
const stray = (address: Ip): Op => ({ op: 'neighbour.set', netns, dev, ip: address, mac: wrong });

/** A bridge with neighbours. */
function stateOf(neighbours: ReadonlyMap<Ip, Mac>): State {
  const bridge = { kind: 'bridge', name: dev, mac: Mac('02:45:00:00:00:01'), mtu: 1450, up: true } as const;
  const namespace = newNamespace();
  namespace.links.set(dev, bridge);
  namespace.neighbours.set(dev, neighbours);
  return new Map([[netns, namespace]]);
}

/** A scope whose intent the test sets. */
class TestScope implements Scope {
  readonly id = '00000000000000aa' as NetworkId;
  readonly name = 'blue';
  readonly watched = netns;
  isConfirmed = true;
  plan: Goal = { kind: 'follow' };
  intent: ReadonlyMap<Ip, Mac> = new Map([[ip, mac]]);
  desired: State = new Map();
  /** Whether the next change of the intent can be named. */
  isWhole = true;
  readonly #kernel: Kernel;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  goal(): Goal {
    return this.plan;
  }

  async advance(): Promise<IntentChange> {
    const known = this.desired;
    const now = stateOf(this.intent);
    const isSame = known.size > 0 && known.get(netns)?.neighbours.get(dev) === this.intent;
    if (isSame) return 'nothing';
    this.desired = now;
    const { isWhole } = this;
    this.isWhole = false;
    return isWhole ? 'everything' : { kind: 'changed', known, desired: now };
  }

  partOf(changes: Changes): DirtyPart {
    const whole = this.desired.get(netns) as Namespace;
    const named = namedPart(whole, changes);
    const scopes = new Map(named && [[netns, named.scope]]);
    return { kind: 'dirty', desired: new Map([[netns, named?.desired ?? whole]]), scopes };
  }

  disturbs({ op }: Op): boolean {
    return op === 'netns.add' || op.startsWith('link.');
  }

  read(part: Exclude<Part, Changed>): Promise<State> {
    return readState(this.#kernel, part.desired, part.kind === 'dirty' ? part.scopes : undefined);
  }

  apply(ops: readonly Op[]) {
    return applyPlan(this.#kernel, ops);
  }

  answersFor(): boolean {
    return true;
  }
}

let clock: FakeClock;
let kernel: FakeKernel;
let stats: HostStats;
let scope: TestScope;
let reconciler: ScopeReconciler;
let repaired: Difference[];
let log: MemoryLog;
beforeEach(() => {
  clock = new FakeClock();
  kernel = new FakeKernel({ clock }, { underlay: Ip('192.0.2.1') });
  stats = new HostStats();
  scope = new TestScope(kernel);
  repaired = [];
  log = new MemoryLog();
  const modules = { kernel, clock, random: new SeededRandom(1), log, stats, pace: new SweepPace() };
  const onRepaired = (_: string, found: readonly Difference[]): void => void repaired.push(...found);
  reconciler = new ScopeReconciler({ ...modules, onRepaired }, scope);
});

async function following(): Promise<void> {
  void reconciler.follow();
  await clock.advance(milliseconds(500));
}

const held = async (): Promise<ReadonlyMap<Ip, Mac> | undefined> =>
  (await clock.until(readState(kernel, stateOf(new Map())), seconds(1))).get(netns)?.neighbours.get(dev);

describe('a scope', () => {
  it('is unknown at first: everything is read, and what differs is no drift', async () => {
    await following();
    expect(await clock.until(reconciler.follow(), seconds(1))).toEqual({ kind: 'exact' });
    expect(await held()).toEqual(scope.intent);
    expect(repaired).toEqual([]);
  });

  it('follows a change of the intent without a read, since it knows what the kernel holds', async () => {
    await following();
    const read = vi.spyOn(kernel, 'read');
    scope.intent = new Map([[other, mac]]);
    await following();
    expect(read).not.toHaveBeenCalled();
    expect(await held()).toEqual(scope.intent);
  });

  it('is repaired where the kernel says that something changed, and only that is read', async () => {
    await following();
    const read = vi.spyOn(kernel, 'read');
    kernel.foreign(stray(ip), stray(other));
    await clock.advance(milliseconds(100));
    expect(read.mock.calls.map(([, what]) => what.entries?.neighbours?.get(dev))).toEqual([new Set([ip, other])]);
    expect(await held()).toEqual(scope.intent);
    expect(repaired).toHaveLength(2);
  });

  it('is repaired also while its intent changes without a pause', async () => {
    await following();
    kernel.foreign(stray(ip));
    for (let n = 0; n < 50 && repaired.length === 0; n++) {
      scope.intent = new Map([
        [ip, mac],
        [Ip(`10.0.1.${n}`), mac],
      ]);
      void reconciler.follow();
      await clock.advance(milliseconds(1));
    }
    expect(repaired).toMatchObject([{ kind: 'neighbour', actual: wrong, desired: mac }]);
  });

  it('is read whole after a lost event, and where a link differs', async () => {
    await following();
    kernel.overrun(netns, stray(ip));
    await clock.advance(seconds(1));
    kernel.foreign({ op: 'link.delete', netns, name: dev });
    await clock.advance(seconds(1));
    expect(await held()).toEqual(scope.intent);
    expect(repaired.map(({ kind }) => kind)).toEqual(['neighbour', 'link', 'neighbour']);
  });

  it('gets only what it is missing until its intent is confirmed', async () => {
    kernel.foreign({ op: 'netns.add', netns });
    const link = stateOf(new Map()).get(netns)?.links.get(dev);
    if (link?.kind === 'bridge') kernel.foreign({ op: 'link.add', netns, link });
    kernel.foreign({ op: 'link.set', netns, name: dev, change: { up: true } }, stray(other));
    scope.isConfirmed = false;
    await following();
    expect(await held()).toEqual(new Map([[other, wrong]]));
    scope.isConfirmed = true;
    await following();
    expect(await held()).toEqual(scope.intent);
    expect(repaired).toEqual([]);
  });

  it('stands as different while the kernel refuses, and is tried again', async () => {
    kernel.failNext('neighbour.set', 'ENOMEM', 2);
    void reconciler.follow();
    await clock.advance(milliseconds(20));
    expect(stats.drift).toBe(1);
    await clock.advance(seconds(2));
    expect(stats.drift).toBe(0);
    expect(await held()).toEqual(scope.intent);
    expect(stats.networkDrift).toEqual([]);
  });

  it('is tried again after it could not be read, and says so to callers that asked for differences', async () => {
    await following();
    vi.spyOn(kernel, 'read').mockRejectedValueOnce(new Error('no answer'));
    await expect(clock.until(reconciler.verify(), seconds(1))).rejects.toThrow('no answer');
    kernel.foreign(stray(ip));
    await clock.advance(seconds(1));
    expect(await clock.until(reconciler.verify(), seconds(1))).toEqual([]);
  });

  it('is verified as it stands, after its intent was followed and before it is repaired', async () => {
    await following();
    scope.intent = new Map([...scope.intent, [other, mac]]);
    kernel.foreign(stray(ip));
    expect(await clock.until(reconciler.verify(), seconds(1))).toMatchObject([{ actual: wrong, desired: mac }]);
  });

  it('stays as it is while nothing is known of its intent, or this version cannot build it', async () => {
    await following();
    const difference: Difference = { netns, kind: 'driver', key: 'x', actual: 'unknown', desired: 'present' };
    kernel.foreign(stray(ip));
    for (const plan of [{ kind: 'wait' }, refusal(difference)] as const) {
      scope.plan = plan;
      await following();
      expect(await held()).toEqual(new Map([[ip, wrong]]));
    }
    expect(await clock.until(reconciler.verify(), seconds(1))).toEqual([difference]);
    expect(stats.drift).toBe(1);
  });

  it('is named in the log when it cannot be read', async () => {
    kernel.read = () => Promise.reject(new Error('EMFILE'));
    await following();
    expect(log.lines[0]).toMatchObject({
      event: 'network.not-reconciled',
      fields: { networkId: scope.id, message: 'EMFILE' },
    });
  });

  it('of which nothing is desired is removed, and is tried again while the kernel refuses', async () => {
    await following();
    let refusals = 2;
    let removed = 0;
    Object.assign(scope, {
      remove: async () =>
        refusals-- > 0 ? [{ op: { op: 'netns.delete', netns } as const, errno: 'EBUSY', message: '' }] : [],
      removed: () => removed++,
    });
    scope.plan = { kind: 'remove' };
    const phase = reconciler.follow();
    await clock.advance(milliseconds(10));
    expect(await phase).toMatchObject({ kind: 'failing', refused: [{ errno: 'EBUSY' }] });
    expect([stats.drift, removed]).toEqual([1, 0]);
    await clock.advance(seconds(5));
    expect([removed, await clock.until(reconciler.follow(), seconds(1))]).toEqual([1, { kind: 'unknown' }]);
    expect(await reconciler.verify()).toEqual([]);
  });

  it('that this version cannot build is logged once, and again for another reason', async () => {
    const refuse = (why: string): Goal => {
      const difference = { netns, kind: 'driver', key: 'macvlan', actual: 'unknown', desired: 'present' } as const;
      return { kind: 'refuse', refusal: { event: 'network.driver-unknown', fields: {}, why, difference } };
    };
    for (const why of ['one', 'one', 'other']) {
      scope.plan = refuse(why);
      await following();
    }
    expect(log.lines.map(({ fields }) => fields['message'])).toEqual(['one', 'other']);
    expect(stats.drift).toBe(1);
  });

  it('is swept for changes that the kernel does not report', async () => {
    await following();
    vi.spyOn(kernel, 'watch').mockReturnValue(undefined);
    void reconciler.stop();
    const silent = new TestScope(kernel);
    const log = new MemoryLog();
    const modules = { kernel, clock, random: new SeededRandom(1), log, stats, pace: new SweepPace() };
    const again = new ScopeReconciler({ ...modules, onRepaired: () => undefined }, silent);
    void again.follow();
    await clock.advance(seconds(1));
    kernel.foreign(own(other));
    await clock.advance(seconds(31));
    expect(await held()).toEqual(silent.intent);
  });
});

function refusal(difference: Difference): Goal {
  return { kind: 'refuse', refusal: { event: 'network.driver-unknown', fields: {}, why: 'unknown', difference } };
}
