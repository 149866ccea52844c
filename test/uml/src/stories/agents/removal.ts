import { type Container, pingContainer } from '../../guest/containers.ts';
import { echoes } from '../../guest/counters.ts';
import { until } from '../../guest/until.ts';
import { onWire } from '../../guest/wire.ts';
import { type Scene, sasOf } from './scene.ts';
import { type Frames, framesOf } from './traffic.ts';

/** What the removed host has sent to the containers of the others, and how many echo requests have reached them. */
interface Sent extends Frames {
  readonly delivered: number;
}

export interface Removal {
  /** h3 is removed while its kernel goes on as it was. */
  readonly removed: {
    /** Milliseconds until no other host had an SA from or to it. */
    readonly goneWithin: number;
    /** SAs that it still has. */
    readonly kept: number;
    /** Echo requests that reached the others before. */
    readonly before: number;
    /** With its SAs, and then in the clear, because it has deleted its policies. */
    readonly inEsp: Sent;
    readonly inTheClear: Sent;
    /** What another host sends to its container. */
    readonly toRemoved: Frames;
  };
}

export const removal: { readonly [Name in keyof Removal]: (scene: Scene) => Promise<Removal[Name]> } = { removed };

const few = ['-c', '3', '-i', '0.1'];

async function removed(scene: Scene): Promise<Removal['removed']> {
  const { lab, vault } = scene;
  const [first, second, own] = vault.containers;
  const others = [first, second];
  const address = lab.underlay('h3');
  const before = await sendTo(scene, own, others);
  // Its agent removes nothing, and its kernel sends and receives as it did.
  await lab.kill('h3', 'agent', 'STOP');
  await lab.run('h1', 'causeway', 'node', 'remove', 'h3', '--force');
  const goneWithin = await until('the other hosts have no SAs from and to the removed host', async () => {
    const sas = (await Promise.all(['h1', 'h2'].map((host) => sasOf(scene, host)))).flat();
    return sas.every(({ src, dst }) => src !== address && dst !== address);
  });
  const kept = (await sasOf(scene, 'h3')).length;
  const inEsp = await sendTo(scene, own, others);
  await lab.run('h3', 'ip', 'xfrm', 'policy', 'flush');
  const inTheClear = await sendTo(scene, own, others);
  const { wire } = await onWire(lab, () => pingContainer(lab, first, own, ...few), `src ${lab.underlay('h1')}`);
  return { goneWithin, kept, before: before.delivered, inEsp, inTheClear, toRemoved: framesOf(wire) };
}

async function sendTo({ lab }: Scene, from: Container, to: readonly Container[]): Promise<Sent> {
  const arrived = async (): Promise<number> => {
    const counts = await Promise.all(to.map((each) => echoes(lab, each)));
    return counts.reduce((sum, count) => sum + count, 0);
  };
  const before = await arrived();
  const { wire } = await onWire(
    lab,
    () => Promise.all(to.map((each) => pingContainer(lab, from, each, ...few))),
    `src ${lab.underlay(from.host)}`,
  );
  return { delivered: (await arrived()) - before, ...framesOf(wire) };
}
