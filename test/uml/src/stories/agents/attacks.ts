import { marker, pingContainer } from '../../guest/containers.ts';
import { dropped, echoes } from '../../guest/counters.ts';
import { deliver, type Readdressing, readdress, vxlanPayload } from '../../guest/frames.ts';
import { until } from '../../guest/until.ts';
import { onWire } from '../../guest/wire.ts';
import { encryptedPort, plainPort, type Scene, strangerOf } from './scene.ts';
import { type Frames, framesOf } from './traffic.ts';

export interface Attacks {
  /** Programs on h1 that send VXLAN packets to h2: of root, and of another user. */
  readonly hostUser: Frames & { readonly delivered: number };
  /** Plain VXLAN with the address of a peer, and of a stranger; `control`: the same in the network that is not encrypted. */
  readonly spoofed: { readonly delivered: number; readonly control: number; readonly drops: readonly number[] };
  readonly replayed: { readonly frames: number; readonly delivered: number; readonly drops: number };
}

/** Each by itself; what it breaks is whole again when it is over. */
export const attacks: { readonly [Name in keyof Attacks]: (scene: Scene) => Promise<Attacks[Name]> } = {
  hostUser,
  spoofed,
  replayed,
};

/** A frame of h1 in the network that is not encrypted, with an echo request for h2's container. */
async function plainFrame({ lab, plain }: Scene): Promise<Buffer> {
  const [from, to] = plain.containers;
  const filter = `udp port ${plainPort} and src ${lab.underlay('h1')}`;
  const { wire } = await onWire(lab, () => pingContainer(lab, from, to, '-c', '1'), filter);
  const frame = wire.frames.find((each) => each.includes(marker));
  if (frame === undefined) throw new Error('no frame with the marker was captured');
  return frame;
}

/** To the container of h2 in the encrypted network. */
function toVault({ vault }: Scene, src?: string): Readdressing {
  const { vni } = vault.network;
  return { port: encryptedPort, vni, to: vault.containers[1], ...(src !== undefined && { src }) };
}

/** ADDRESS PORT HEX. In a language whose interpreter every user may read. */
const sendUdp = `import socket, sys
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(bytes.fromhex(sys.argv[3]), (sys.argv[1], int(sys.argv[2])))`;
const nobody = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups', '--'];

async function hostUser(scene: Scene): Promise<Attacks['hostUser']> {
  const { lab, vault } = scene;
  const payload = vxlanPayload(readdress(await plainFrame(scene), toVault(scene)));
  const to = [lab.underlay('h2'), `${encryptedPort}`, payload.toString('hex')];
  const before = await echoes(lab, vault.containers[1]);
  const { wire } = await onWire(lab, async () => {
    // The kernel may refuse the packet; what matters is what leaves, and what arrives.
    for (const user of [[], nobody]) await lab.try('h1', ...user, 'python3', '-c', sendUdp, ...to);
  });
  return { delivered: (await echoes(lab, vault.containers[1])) - before, ...framesOf(wire) };
}

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
  const control = { port: plainPort, vni: plain.network.vni, to: plain.containers[1] };
  const forged = [toVault(scene), toVault(scene, strangerOf(scene)), control];
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
