import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Lab } from '@causeway/lab/io';
import type { Pings } from '../../guest/commands.ts';
import { pingContainer } from '../../guest/containers.ts';
import { type Answered, pingWhile } from '../../guest/ping-while.ts';
import { generationsOf, mostGenerations, type Sa, SaWatch } from '../../guest/sa-watch.ts';
import { until } from '../../guest/until.ts';
import { onWire } from '../../guest/wire.ts';
import { reachable, sasOf, type VaultScene } from './scene.ts';
import { type Frames, framesOf } from './traffic.ts';

export interface Rekeys {
  /** All hosts change their keys every five seconds for a minute; h3's agent is paused for a third of it. */
  readonly underLoad: Pick<Frames, 'readable' | 'vxlan'> & {
    /** Between hosts that live, and to the host whose agent is paused. */
    readonly toLive: Pings;
    readonly toPaused: Pings;
    /** New generations of h1 and h3 while h3's agent was paused, and of h1 in all. */
    readonly whilePaused: readonly [number, number];
    readonly rekeys: number;
    /** Generations of one host in the kernel of another at a time, at most. */
    readonly most: number;
  };
  /** h1's agent is killed in the middle of a change of its key, and started again: at each of these moments once. */
  readonly killed: {
    readonly pings: Answered;
    readonly kills: readonly Kill[];
    /** Later generations that h1 sends with after all of this. */
    readonly rekeys: number;
  };
}

/** What h1's kernel had when the agent was dead: SAs of the former generation of h1's key, and of the next. */
interface Kill {
  readonly at: Moment;
  readonly former: number;
  readonly next: number;
}

/** Each by itself; what it breaks is whole again when it is over. */
export const rekeys: { readonly [Name in keyof Rekeys]: (scene: VaultScene) => Promise<Rekeys[Name]> } = {
  underLoad,
  killed,
};

const period = 5_000;
const pausedFrom = 3;
const pausedUntil = 7;
const changes = 12;
/** 500 packets a second and their answers: the most at which ping(8) keeps its own pace. */
const load = ['-i', '0.002', '-c', `${(changes * period) / 2}`];

async function underLoad(scene: VaultScene): Promise<Rekeys['underLoad']> {
  const { lab, vault } = scene;
  const [a, b, c] = vault.containers;
  const first = await newest(scene, 'h1');
  const watches = await Promise.all(lab.hosts.map((host) => SaWatch.start(lab, host, () => sasOf(scene, host))));
  let paused: { readonly h1: number; readonly h3: number } | undefined;
  let whilePaused: readonly [number, number] = [0, 0];
  const { result, wire } = await onWire(
    lab,
    async () => {
      const slow = ['-i', '0.05', '-c', `${(changes * period) / 50}`];
      const pings = Promise.all([pingContainer(lab, a, b, ...load), pingContainer(lab, a, c, ...slow)]);
      for (let change = 0; change < changes; change++) {
        const next = sleep(period);
        if (change === pausedFrom) {
          // An agent that is paused in the middle of a change holds up two of three generations, until it goes on.
          await until('no change of keys is under way', async () => (await generations(scene)) === 1, restart);
          paused = { h1: await newest(scene, 'h1'), h3: await newest(scene, 'h3') };
          await lab.kill('h3', 'agent', 'STOP');
        }
        if (change === pausedUntil && paused !== undefined) {
          whilePaused = [since(paused.h1, await newest(scene, 'h1')), since(paused.h3, await newest(scene, 'h3'))];
          await lab.kill('h3', 'agent', 'CONT');
        }
        const before = await newest(scene, 'h1');
        await changeKeys(lab);
        // In a slow guest a change takes longer than a period.
        const hasChanged = async (): Promise<boolean> => since(before, await newest(scene, 'h1')) > 0;
        await Promise.all([next, until('h1 has changed its key', hasChanged, restart)]);
      }
      return pings;
    },
    'not esp and not tcp',
  );
  const [toLive, toPaused] = result;
  await reachable(scene);
  for (const [n, host] of lab.hosts.entries()) await watches[n]?.end(() => sasOf(scene, host));
  const most = Math.max(...watches.map((watch) => watch.most));
  const rekeys = since(first, await newest(scene, 'h1'));
  const { readable, vxlan } = framesOf(wire);
  return { toLive, toPaused, whilePaused, rekeys, most, readable, vxlan };
}

/** When h1 has made the next key: as soon as it receives with the key, sends with it, or h2 sends to it with the key. */
const moments = {
  receives: { host: 'h1', isIt: (sa, h1, next) => sa.dst === h1 && generationsOf(sa.spi).receiver === next },
  sends: { host: 'h1', isIt: (sa, h1, next) => sa.src === h1 && generationsOf(sa.spi).sender === next },
  isSentTo: { host: 'h2', isIt: (sa, h1, next) => sa.dst === h1 && generationsOf(sa.spi).receiver === next },
} as const satisfies Record<
  string,
  { readonly host: string; readonly isIt: (sa: Sa, h1: string, next: number) => boolean }
>;
type Moment = keyof typeof moments;

/** Time for an agent to start and to change its key, ms: much in a guest on a busy machine. */
const restart = 120_000;

async function killed(scene: VaultScene): Promise<Rekeys['killed']> {
  const { lab, vault } = scene;
  const [from, to] = vault.containers;
  const first = await newest(scene, 'h1');
  const { result, pings } = await pingWhile(lab, [[from, to]], async () => {
    const kills: Kill[] = [];
    for (const at of Object.keys(moments) as Moment[]) {
      kills.push(await killAt(scene, at));
      await lab.startProcess('h1', 'agent');
      await until('the change of keys is over', async () => (await generations(scene)) === 1, restart);
    }
    return kills;
  });
  const rekeys = since(first, await newest(scene, 'h1'));
  return { pings: pings[0] ?? { sent: 0, received: 0 }, kills: result, rekeys };
}

async function killAt(scene: VaultScene, at: Moment): Promise<Kill> {
  const { lab } = scene;
  const { host, isIt } = moments[at];
  const h1 = lab.underlay('h1');
  const former = await newest(scene, 'h1');
  const next = (former + 1) % 16;
  const watch = await SaWatch.start(lab, host, () => sasOf(scene, host));
  const isReached = watch.added((sa) => isIt(sa, h1, next), restart);
  const isOrdered = changeKeys(lab);
  await isReached;
  await lab.kill('h1', 'agent');
  await isOrdered;
  const sas = await sasOf(scene, 'h1');
  await watch.end(() => sasOf(scene, host));
  const count = (wanted: number): number =>
    sas.filter(({ src, spi }) => {
      const { sender, receiver } = generationsOf(spi);
      return (src === h1 ? sender : receiver) === wanted;
    }).length;
  return { at, former: count(former), next: count(next) };
}

/**
 * Orders new keys of all hosts. Resolves when the managers have the order: the command itself waits for all hosts, also for one
 * whose agent is paused.
 */
async function changeKeys(lab: Lab): Promise<void> {
  const { child, outcome } = await lab.start('h2', ['timeout', '60', 'causeway', 'crypto', 'rotate', '--now']);
  if (child.stdout === null) throw new Error('the command has no stdout');
  await Promise.race([once(child.stdout, 'data'), outcome]);
}

/** The generation with which a host sends, mod 16: the upper bits of an SPI. */
async function newest(scene: VaultScene, host: string): Promise<number> {
  const own = scene.lab.underlay(host);
  const sent = (await sasOf(scene, host)).filter(({ src }) => src === own);
  const generations = sent.map(({ spi }) => generationsOf(spi).sender);
  // The latest of a few in a row, in a circle of 16.
  const latest = generations.find((each) => generations.every((other) => since(other, each) < 8));
  if (latest === undefined) throw new Error(`${host} sends with nothing`);
  return latest;
}

function since(before: number, after: number): number {
  return (after - before + 16) % 16;
}

/** How many generations of one host's key a kernel has, at most. */
async function generations(scene: VaultScene): Promise<number> {
  const all = await Promise.all(scene.lab.hosts.map((host) => sasOf(scene, host)));
  return Math.max(...all.map(mostGenerations));
}
