// Runs in a User-Mode Linux guest whose kernel has netem. Delays a host of a lab, like `causeway lab slow --delay`, and
// measures. Prints one line of JSON.
import { Lab } from '@causeway/lab/io';
import { milliseconds } from '@causeway/runtime';

const lab = await Lab.layOut({ name: 'uml', hosts: 2, subnet: '10.94.0.0/24' });

/** Round trip from h1 to h2, ms: minimum and mean of a few. */
async function roundTrip() {
  const { stdout, stderr } = await lab.try('h1', 'ping', '-n', '-q', '-c', '5', '-i', '0.2', '10.94.0.2');
  const [, least, mean] = /= ([\d.]+)\/([\d.]+)\//.exec(stdout) ?? [];
  if (least === undefined) throw new Error(`ping said: ${stdout}${stderr}`);
  return { least: Number(least), mean: Number(mean) };
}

const slowOf = async () => (await lab.status()).hosts.map(({ slow }) => slow ?? null);
const slow = (delay, loss) => lab.slow('h2', { delay: milliseconds(delay), loss, dropAbove: 0 });

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
  console.log(`uml: result ${JSON.stringify({ before, delayed, told, longer, lossy, healed, after: await slowOf() })}`);
} finally {
  await lab.down();
}
