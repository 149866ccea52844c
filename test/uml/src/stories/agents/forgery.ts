import { marker, pingContainer } from '../../guest/containers.ts';
import type { Readdressing } from '../../guest/frames.ts';
import { onWire } from '../../guest/wire.ts';
import { encryptedPort, plainPort, type Scene } from './scene.ts';

/** A frame of h1 in the network that is not encrypted, with an echo request for h2's container. */
export async function plainFrame({ lab, plain }: Scene): Promise<Buffer> {
  const [from, to] = plain.containers;
  const filter = `udp port ${plainPort} and src ${lab.underlay('h1')}`;
  const { wire } = await onWire(lab, () => pingContainer(lab, from, to, '-c', '1'), filter);
  const frame = wire.frames.find((each) => each.includes(marker));
  if (frame === undefined) throw new Error('no frame with the marker was captured');
  return frame;
}

/** To the container of h2 in the encrypted network. */
export function toVault({ vault }: Scene, src?: string): Readdressing {
  const { vni } = vault.network;
  return { port: encryptedPort, vni, to: vault.containers[1], ...(src !== undefined && { src }) };
}

/** To the container of h2 in the network that is not encrypted. */
export function toPlain({ plain }: Scene): Readdressing {
  return { port: plainPort, vni: plain.network.vni, to: plain.containers[1] };
}
