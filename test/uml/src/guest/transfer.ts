import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Lab } from '@causeway/lab/io';
import { type Container, inside, marker } from './containers.ts';

const program = fileURLToPath(new URL('../tools/bulk.js', import.meta.url));
const port = 5001;

/** A TCP transfer of the marker, again and again. Resolves to what the receiver got, and to the time from the first byte to the last. */
export async function transfer(
  lab: Lab,
  from: Pick<Container, 'host' | 'netns'>,
  to: Pick<Container, 'host' | 'netns' | 'address'>,
  mebibytes: number,
): Promise<{ readonly bytes: number; readonly ms: number }> {
  const receiver = await lab.start(to.host, inside(to, process.execPath, program, 'receive', `${port}`));
  if (receiver.child.stdout === null) throw new Error('the receiver has no stdout');
  await once(receiver.child.stdout, 'data'); // "listening"
  const words = ['send', to.address, `${port}`, `${mebibytes}`, marker];
  await lab.run(from.host, ...inside(from, process.execPath, program, ...words));
  const [, bytes, ms] = /^(\d+) ([\d.]+)$/m.exec((await receiver.outcome).stdout) ?? [];
  return { bytes: Number(bytes), ms: Number(ms) };
}
