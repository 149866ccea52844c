// Inside a User-Mode Linux guest, whose kernel has netem: delays a host of a lab as `causeway lab slow --delay` does, and
// measures. Prints one line of JSON.
import { spawnSync } from 'node:child_process';
import { enterArguments, entrance, layOut, machineLabs, planLab } from '@causeway/ctl/lab';
import { milliseconds } from '@causeway/runtime';

const name = 'uml';
const plan = planLab({ name, hosts: 2, managers: 1, etcd: 'separate', mtu: 1500, subnet: '10.94.0.0/24' });
const lab = await layOut(plan, () => undefined);
const enter = enterArguments(await entrance(lab, 'h1'));

/** Round trip from h1 to h2, milliseconds, the least and the mean of a few. */
function roundTrip() {
  const ping = ['ping', '-n', '-q', '-c', '5', '-i', '0.2', '10.94.0.2'];
  const { stdout, stderr } = spawnSync('nsenter', [...enter, ...ping], { encoding: 'utf8' });
  const [, least, mean] = /= ([\d.]+)\/([\d.]+)\//.exec(stdout) ?? [];
  if (least === undefined) throw new Error(`ping said: ${stdout}${stderr}`);
  return { least: Number(least), mean: Number(mean) };
}

const slowOf = async () => (await machineLabs.status(name)).hosts.map(({ slow }) => slow ?? null);
const slow = (delay, loss) => machineLabs.slow(name, 'h2', { delay: milliseconds(delay), loss, dropAbove: 0 });

try {
  roundTrip();
  const before = roundTrip();
  await slow(50, 0);
  const delayed = roundTrip();
  const told = await slowOf();
  await slow(100, 0);
  const longer = roundTrip();
  await slow(0, 10);
  const lossy = await slowOf();
  await machineLabs.heal(name, undefined, undefined);
  const healed = roundTrip();
  console.log(`uml: result ${JSON.stringify({ before, delayed, told, longer, lossy, healed, after: await slowOf() })}`);
} finally {
  await machineLabs.down(name);
}
