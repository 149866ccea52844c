import { fileURLToPath } from 'node:url';
import type { LabStatus } from '@causeway/lab';
import { type Outcome, start, succeed } from '@causeway/lab/io';

/** The program that `npx causeway` starts. */
export const cli = fileURLToPath(new URL('../services/ctl/bin/causeway.js', import.meta.url));

/** Runs `causeway …` on this machine, like a user. */
export function causeway(...args: readonly string[]): Promise<Outcome> {
  return start(process.execPath, [cli, ...args]).outcome;
}

/** `causeway lab status -o json`. */
export async function labStatus(name: string): Promise<LabStatus> {
  return JSON.parse(await succeed('lab status', causeway('lab', 'status', '--name', name, '-o', 'json'))) as LabStatus;
}
