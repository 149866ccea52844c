import { pingContainer } from '../../guest/containers.ts';
import { dropped, echoes } from '../../guest/counters.ts';
import { deliver, readdress } from '../../guest/frames.ts';
import { until } from '../../guest/until.ts';
import { onWire } from '../../guest/wire.ts';
import { plainFrame, toPlain, toVault } from './forgery.ts';
import { type Scene, strangerOf } from './scene.ts';

export interface Attacks {
  /** Plain VXLAN with the address of a peer, and of a stranger; `control`: the same in the network that is not encrypted. */
  readonly spoofed: { readonly delivered: number; readonly control: number; readonly drops: readonly number[] };
  readonly replayed: { readonly frames: number; readonly delivered: number; readonly drops: number };
}

/** Each by itself; what it breaks is whole again when it is over. */
export const attacks: { readonly [Name in keyof Attacks]: (scene: Scene) => Promise<Attacks[Name]> } = {
  spoofed,
  replayed,
};

async function spoofed(scene: Scene): Promise<Attacks['spoofed']> {
  const { lab, plain, vault } = scene;
  const frame = await plainFrame(scene);
  const counts = (): Promise<readonly number[]> =>
    Promise.all([
      ...[plain, vault].map(({ containers }) => echoes(lab, containers[1])),
      ...['XfrmInTmplMismatch', 'XfrmInPolBlock'].map((reason) => dropped(lab, 'h2', reason)),
    ]);
  const before = await counts();
  // The frame that arrives comes last.
  const forged = [toVault(scene), toVault(scene, strangerOf(scene)), toPlain(scene)];
  await deliver(
    lab,
    'h2',
    forged.map((each) => readdress(frame, each)),
  );
  await until('the frame of the network that is not encrypted arrived', async () => {
    return (await echoes(lab, plain.containers[1])) !== before[0];
  });
  const [arrived = 0, delivered = 0, ...drops] = (await counts()).map((count, i) => count - (before[i] ?? 0));
  return { control: arrived, delivered, drops };
}

async function replayed(scene: Scene): Promise<Attacks['replayed']> {
  const { lab, vault } = scene;
  const [from, to] = vault.containers;
  const filter = `esp and src ${lab.underlay('h1')} and dst ${lab.underlay('h2')}`;
  const { wire } = await onWire(lab, () => pingContainer(lab, from, to, '-c', '20', '-i', '0.02'), filter);
  const counts = (): Promise<readonly [number, number]> =>
    Promise.all([echoes(lab, to), dropped(lab, 'h2', 'XfrmInStateSeqError')]);
  const before = await counts();
  await deliver(lab, 'h2', wire.frames);
  await until('the frames arrived', async () => (await counts())[1] - before[1] >= wire.frames.length);
  const [delivered = 0, drops = 0] = (await counts()).map((count, i) => count - (before[i] ?? 0));
  return { frames: wire.frames.length, delivered, drops };
}
