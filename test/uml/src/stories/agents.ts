// Needs ESP. The product in a lab: one manager with its etcd, three agents, and containers in a network that is encrypted and in one
// that is not.
import { report } from '../guest/commands.ts';
import { type Outcomes, printLogs, Steps } from '../guest/steps.ts';
import { type Attacks, attacks } from './agents/attacks.ts';
import { type Changes, changes } from './agents/changes.ts';
import { type Faults, faults } from './agents/faults.ts';
import { type HostPrograms, hostPrograms } from './agents/host-programs.ts';
import { type Removal, removal } from './agents/removal.ts';
import { makeLab, populatePlain, populateVault, type Scene } from './agents/scene.ts';
import { type Secrets, searchKeys } from './agents/secrets.ts';
import { type Shown, shown } from './agents/status.ts';
import { bulk, measureMtu, pingEverywhere, printIpsec, type Traffic } from './agents/traffic.ts';

interface Findings extends Traffic, Faults, HostPrograms, Attacks, Shown, Changes, Removal {
  readonly secrets: Secrets;
}

export type Agents = Outcomes<Findings>;

const steps = new Steps<Findings>();
const lab = await makeLab();
const plain = await populatePlain(lab);
await steps.run('plain', () => pingEverywhere(lab, plain));

const scene: Scene = { lab, plain, vault: await populateVault(lab) };
await steps.run('golden', () => printIpsec(scene, 'h1'));
await steps.run('encrypted', () => pingEverywhere(lab, scene.vault));
await steps.run('bulk', () => bulk(scene));
await steps.run('mtu', () => measureMtu(scene));
await steps.runAll(faults, scene);
await steps.runAll(hostPrograms, scene);
await steps.runAll(attacks, scene);
await steps.runAll(shown, scene);
await steps.runAll(changes, scene);
await steps.run('secrets', () => searchKeys(lab));
await steps.runAll(removal, scene);

if (steps.hasFailed) await printLogs(lab);
report<Agents>(steps.outcomes);
await lab.down();
