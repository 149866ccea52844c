// Needs netem. Delays a host of a lab, like `causeway lab slow --delay`, and measures.
import { Lab } from '@causeway/lab/io';
import { milliseconds } from '@causeway/runtime';
import { report } from '../guest/commands.ts';

/** Milliseconds. */
interface RoundTrip {
  readonly least: number;
  readonly mean: number;
}

export interface Netem {
  /** From h1 to h2. */
  readonly before: RoundTrip;
  readonly delayed: RoundTrip;
  readonly longer: RoundTrip;
  readonly healed: RoundTrip;
  /** What `lab status` printed for each host. */
  readonly told: unknown;
  readonly lossy: unknown;
  readonly after: unknown;
}

const lab = await Lab.layOut({ name: 'uml', hosts: 2, subnet: '10.94.0.0/24' });

/** Minimum and mean of a few. */
async function roundTrip(): Promise<RoundTrip> {
  const { stdout, stderr } = await lab.try('h1', 'ping', '-n', '-q', '-c', '5', '-i', '0.2', '10.94.0.2');
  const [, least, mean] = /= ([\d.]+)\/([\d.]+)\//.exec(stdout) ?? [];
  if (least === undefined) throw new Error(`ping said: ${stdout}${stderr}`);
  return { least: Number(least), mean: Number(mean) };
}

const slowOf = async (): Promise<unknown> => (await lab.status()).hosts.map(({ slow }) => slow ?? null);
const slow = (delay: number, loss: number): Promise<void> =>
  lab.slow('h2', { delay: milliseconds(delay), loss, dropAbove: 0 });

try {
  await roundTrip();
  const before = await roundTrip();
  await slow(50, 0);
  const delayed = await roundTrip();
  const told = await slowOf();
  await slow(100, 0);
  const longer = await roundTrip();
  await slow(0, 10);
  const lossy = await slowOf();
  await lab.heal();
  const healed = await roundTrip();
  report<Netem>({ before, delayed, longer, healed, told, lossy, after: await slowOf() });
} finally {
  await lab.down();
}
