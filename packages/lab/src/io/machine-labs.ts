import type { Labs } from '../labs.ts';
import { existingLabs, labDown } from './down.ts';
import { enrollMembers } from './enroll-members.ts';
import { Lab } from './lab.ts';

/** Labs made with `unshare`, `nsenter`, `ip` and `mount`, and kept below /run/causeway-lab. */
export const machineLabs: Labs = {
  up: (plan, progress, signal) => Lab.up(plan, progress, signal),
  open: (name) => Lab.open(name),
  down: labDown,
  names: existingLabs,
  enroll: enrollMembers,
};
