// Needs ESP. The same lab as of the story "agents", while its hosts change their keys, and ask for ESP in UDP.
import { report } from '../guest/commands.ts';
import { type Outcomes, printLogs, Steps } from '../guest/steps.ts';
import { type InUdp, inUdp } from './agents/in-udp.ts';
import { type Rekeys, rekeys } from './agents/rekeys.ts';
import { makeLab, populateVault, type VaultScene } from './agents/scene.ts';
import { type Secrets, searchKeys } from './agents/secrets.ts';

interface Findings extends Rekeys, InUdp {
  readonly secrets: Secrets;
}

export type Keys = Outcomes<Findings>;

const steps = new Steps<Findings>();
const lab = await makeLab();
const scene: VaultScene = { lab, vault: await populateVault(lab) };
await steps.runAll(rekeys, scene);
await steps.runAll(inUdp, scene);
await steps.run('secrets', () => searchKeys(lab));

if (steps.hasFailed) await printLogs(lab);
report<Keys>(steps.outcomes);
await lab.down();
