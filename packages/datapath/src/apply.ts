import type { Kernel, Scope } from './kernel.ts';
import type { Namespace, Op } from './kinds/table.ts';
import { scopeOf } from './owner.ts';
import { plan } from './plan.ts';
import type { NetnsPath, State } from './state.ts';

export interface Failure {
  readonly op: Op;
  /** By name: "EEXIST". */
  readonly errno: string;
  readonly message: string;
}

/** What the kernel holds in the namespaces a desired state speaks of, as far as it is ours; or as far as `scopes` say. */
export async function readState(
  kernel: Pick<Kernel, 'read'>,
  desired: State,
  scopes: ReadonlyMap<NetnsPath, Scope> = new Map(),
): Promise<State> {
  const state = new Map<NetnsPath, Namespace>();
  for (const [netns, wanted] of desired) {
    const found = await kernel.read(netns, scopes.get(netns) ?? scopeOf(netns, wanted));
    if (found !== undefined) state.set(netns, found);
  }
  return state;
}

/** Runs a plan to its end and tells what failed. */
export async function applyPlan(kernel: Pick<Kernel, 'apply'>, ops: readonly Op[]): Promise<readonly Failure[]> {
  if (ops.length === 0) return [];
  const results = await kernel.apply(ops);
  return ops.flatMap((op, index) => {
    const result = results[index];
    return result === undefined || result.ok ? [] : [{ op, errno: result.errno, message: result.message }];
  });
}

/** Removes an overlay namespace, its links first; the containers' ends go with them. */
export async function teardown(kernel: Kernel, netns: NetnsPath): Promise<readonly Failure[]> {
  const found = await kernel.read(netns, { bare: true, sysctls: [] });
  return found === undefined ? [] : applyPlan(kernel, plan(new Map([[netns, found]]), new Map()));
}
