import type { Labs } from '../labs.ts';
import { hostOf } from '../plan.ts';
import { existingLabs, labDown } from './down.ts';
import { labExec } from './exec.ts';
import { labCut, labHeal, labSlow } from './faults.ts';
import { checkRoot } from './requirements.ts';
import { killService, startService, wipeService } from './service.ts';
import { loadLab } from './state.ts';
import { labStatus } from './status.ts';
import { labUp } from './up.ts';

/** Made with `unshare`, `nsenter`, `ip` and `mount`, kept under /run/causeway-lab. */
export const machineLabs: Labs = {
  up: labUp,
  status: labStatus,
  exec: labExec,
  down: labDown,
  async kill(name, host, kind, signal) {
    checkRoot();
    const lab = await loadLab(name);
    await killService(lab, hostOf(lab.plan, host), kind, `SIG${signal}`);
  },
  async start(name, host, kind) {
    checkRoot();
    const lab = await loadLab(name);
    await startService(lab, hostOf(lab.plan, host), kind);
  },
  async wipe(name, host, kind) {
    checkRoot();
    const lab = await loadLab(name);
    await wipeService(lab, hostOf(lab.plan, host), kind);
  },
  cut: labCut,
  heal: labHeal,
  slow: labSlow,
  names: existingLabs,
};
