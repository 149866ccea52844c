// Needs ESP. The product in a lab: one manager with its etcd, three agents, and containers in a network that is encrypted and in one
// that is not.
import { Lab } from '@causeway/lab/io';
import { report } from '../guest/commands.ts';
import { attachEverywhere, type Network } from '../guest/containers.ts';
import { type Outcomes, printLogs, Steps } from '../guest/steps.ts';
import { type Attacks, attacks } from './agents/attacks.ts';
import { type Faults, faults, reachable } from './agents/faults.ts';
import { type Rekeys, rekeys } from './agents/rekeys.ts';
import type { Population, Scene } from './agents/scene.ts';
import { type Secrets, searchKeys } from './agents/secrets.ts';
import { bulk, measureMtu, pingEverywhere, printIpsec, type Traffic } from './agents/traffic.ts';

interface Findings extends Traffic, Faults, Attacks, Rekeys {
  readonly secrets: Secrets;
}

export type Agents = Outcomes<Findings>;

const steps = new Steps<Findings>();
const lab = await Lab.replace(
  { name: 'uml', hosts: 3, etcd: 'embedded', subnet: '10.95.0.0/24' },
  { progress: (what) => console.log(`uml: ${what}`) },
);
const plain = await populate('plain', '10.71.0.0/24');
await steps.run('plain', () => pingEverywhere(lab, plain));

const vault = await populate('vault', '10.72.0.0/24', '--encrypt');
const scene: Scene = { lab, plain, vault };
await reachable(scene);
await steps.run('golden', () => printIpsec(scene, 'h1'));
await steps.run('encrypted', () => pingEverywhere(lab, vault));
await steps.run('bulk', () => bulk(scene));
await steps.run('mtu', () => measureMtu(scene));
await steps.runAll(faults, scene);
await steps.runAll(attacks, scene);
await steps.runAll(rekeys, scene);
await steps.run('secrets', () => searchKeys(lab));

if (steps.hasFailed) await printLogs(lab);
report<Agents>(steps.outcomes);
await lab.down();

async function populate(name: string, subnet: string, ...options: readonly string[]): Promise<Population> {
  const network = await lab.json<Network>('h1', 'network', 'create', name, '--subnet', subnet, ...options);
  const [a, b, c] = await attachEverywhere(lab, network);
  if (a === undefined || b === undefined || c === undefined) throw new TypeError('a lab with three hosts');
  return { network, containers: [a, b, c] };
}
