import type { Kernel, ReadScope } from './kernel.ts';
import type { Namespace, Op } from './kinds/table.ts';
import { plan } from './plan.ts';
import { scopeOf } from './scope.ts';
import type { NetnsPath, State } from './state.ts';

export interface Failure {
  readonly op: Op;
  /** Name of the errno: "EEXIST". */
  readonly errno: string;
  readonly message: string;
}

/** Reads the namespaces of a desired state, as far as they are ours. `scopes` sets another scope for a namespace. */
export async function readState(
  kernel: Pick<Kernel, 'read'>,
  desired: State,
  scopes: ReadonlyMap<NetnsPath, ReadScope> = new Map(),
): Promise<State> {
  const state = new Map<NetnsPath, Namespace>();
  for (const [netns, namespace] of desired) {
    const found = await kernel.read(netns, scopes.get(netns) ?? scopeOf(netns, namespace));
    if (found !== undefined) state.set(netns, found);
  }
  return state;
}

/** Carries out a plan to its end. Returns what failed. */
export async function applyPlan(kernel: Pick<Kernel, 'apply'>, ops: readonly Op[]): Promise<readonly Failure[]> {
  if (ops.length === 0) return [];
  const results = await kernel.apply(ops);
  return ops.flatMap((op, index) => {
    const result = results[index];
    return result === undefined || result.ok ? [] : [{ op, errno: result.errno, message: result.message }];
  });
}

/** Deletes an overlay namespace, its links first. The containers' ends of veth pairs are removed with them. */
export async function teardown(kernel: Kernel, netns: NetnsPath): Promise<readonly Failure[]> {
  const found = await kernel.read(netns, { of: [], sysctls: [] });
  return found === undefined ? [] : applyPlan(kernel, plan(new Map([[netns, found]]), new Map()));
}
