import fc from 'fast-check';
import { expect } from 'vitest';
import { applyPlan, readState } from '../apply.ts';
import { differences } from '../difference.ts';
import { buildNetwork } from '../drivers/build.ts';
import type { NetworkOnHost } from '../drivers/driver.ts';
import type { Kernel } from '../kernel.ts';
import { plan } from '../plan.ts';
import { printOp } from '../print.ts';
import { drift, networkOnHost } from './arbitraries.ts';

/** What a host had, what other programs did to its kernel, and what it should have. */
export const driftedHost = [networkOnHost, fc.array(drift, { maxLength: 12 }), networkOnHost] as const;

/** Plans and applies once. Expects that this leads to the desired state, and that nothing is left to do. */
export async function reach(kernel: Kernel, input: NetworkOnHost): Promise<void> {
  const desired = buildNetwork(input);
  const failures = await applyPlan(kernel, plan(await readState(kernel, desired), desired));
  expect(failures.map(({ op, errno }) => `${printOp(op)}: ${errno}`)).toEqual([]);
  const actual = await readState(kernel, desired);
  expect(plan(actual, desired).map(printOp)).toEqual([]);
  expect(differences(actual, desired)).toEqual([]);
}
