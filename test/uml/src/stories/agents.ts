// Needs ESP. The product in a lab: one manager with its etcd, three agents, containers.
import { Lab } from '@causeway/lab/io';
import { type Pings, report } from '../guest/commands.ts';
import { attachEverywhere, type Container, marker, type Network, pingContainer } from '../guest/containers.ts';
import { type Outcomes, printLogs, Steps } from '../guest/steps.ts';
import { onWire } from '../guest/wire.ts';

interface Findings {
  /** Pings in a network that is not encrypted; frames on the underlay, and those that show what the pings carry. */
  readonly plain: { readonly pings: readonly Pings[]; readonly readable: number; readonly vxlan: number };
}

export type Agents = Outcomes<Findings>;

const steps = new Steps<Findings>();
const lab = await Lab.replace(
  { name: 'uml', hosts: 3, etcd: 'embedded', subnet: '10.95.0.0/24' },
  { progress: (what) => console.log(`uml: ${what}`) },
);

await steps.run('plain', async () => {
  const network = await lab.json<Network>('h1', 'network', 'create', 'plain', '--subnet', '10.71.0.0/24');
  const containers = await attachEverywhere(lab, network);
  const { result: pings, wire } = await onWire(lab, () => pingAll(containers, '-c', '2', '-i', '0.05'));
  return { pings, readable: wire.containing(marker), vxlan: await wire.count('udp port 4789') };
});

if (steps.hasFailed) await printLogs(lab);
report<Agents>(steps.outcomes);
await lab.down();

/** From each to each other. */
async function pingAll(containers: readonly Container[], ...options: readonly string[]): Promise<readonly Pings[]> {
  const pairs = containers.flatMap((from) => containers.filter((to) => to !== from).map((to) => ({ from, to })));
  return Promise.all(pairs.map(({ from, to }) => pingContainer(lab, from, to, ...options)));
}
