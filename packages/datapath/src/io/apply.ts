import { chunkSize, createNetns, deleteNetns, Slice } from '@causeway/netlink/io';
import type { OpResult } from '../kernel.ts';
import { kindOf, type Op } from '../kinds/table.ts';
import type { NetnsPath } from '../state.ts';
import type { LinkWrite } from '../wire/own-links.ts';
import { applyBatches, type BatchParts, batchOf } from './batches.ts';
import { failureOf, resultOf, succeeded } from './outcome.ts';

export interface ApplyParts extends BatchParts {
  /** The namespace is about to be deleted: watches must close it. */
  readonly onDelete: (netns: NetnsPath) => void;
  /** Called right after a link was written, before the event loop turns. */
  readonly onLink: (netns: NetnsPath, write: LinkWrite) => void;
}

/** Applies the ops in order, in batches or runs where an op's kind has them; see Kernel.apply. */
export async function applyOps(parts: ApplyParts, ops: readonly Op[]): Promise<OpResult[]> {
  const results: OpResult[] = [];
  const slice = new Slice();
  for (let op = ops[0]; op !== undefined; op = ops[results.length]) {
    if (batchOf(op) !== undefined)
      for (const result of await applyBatches(parts, run(ops, results.length, op), slice)) results.push(result);
    else if (kindOf(op)?.real.applyRun !== undefined)
      results.push(...applyRun(parts, op, alike(ops, results.length, op)));
    else results.push(await applyOne(parts, op));
    await slice.maybeYield();
  }
  startPairs(parts, ops);
  return results;
}

/**
 * A new pair's end in the network's namespace is set up before the other end, without a carrier. When the carrier is
 * there, the kernel starts the end's queue and its bridge port in a worker (linkwatch), which may be late by a tenth of a
 * second on a busy machine; until then all frames are dropped. Reading the link does this work at once (linkwatch_sync_dev
 * in rtnl_getlink, since Linux 6.8).
 */
function startPairs({ namespaces }: ApplyParts, ops: readonly Op[]): void {
  for (const op of ops) {
    if (op.op !== 'link.add' || op.link.kind !== 'veth') continue;
    try {
      namespaces.link(op.netns, op.link.name);
    } catch (error) {
      // The op has failed, or the link is gone again.
      failureOf(error);
    }
  }
}

/** The op at `from`, and the following ops that can be sent with it to the same socket. */
function run(ops: readonly Op[], from: number, first: Op): readonly Op[] {
  const found = [first];
  const protocol = kindOf(first)?.real.protocol;
  for (let next = ops[from + 1]; next !== undefined && batchOf(next) !== undefined; next = ops[from + found.length]) {
    if (next.netns !== first.netns || kindOf(next)?.real.protocol !== protocol) break;
    found.push(next);
  }
  return found;
}

/** The op at `from`, and the following ops of the same name and namespace, at most as many as are sent at once. */
function alike(ops: readonly Op[], from: number, first: Op): readonly Op[] {
  const some = ops.slice(from, from + chunkSize);
  const end = some.findIndex(({ op, netns }) => op !== first.op || netns !== first.netns);
  return end < 0 ? some : some.slice(0, end);
}

/** If a whole run fails (no such namespace, say), each op fails. */
function applyRun({ namespaces }: ApplyParts, first: Op, ops: readonly Op[]): readonly OpResult[] {
  try {
    const refused = kindOf(first)?.real.applyRun?.(namespaces, ops);
    return ops.map((op, at) => {
      const failure = refused?.get(at);
      return failure === undefined ? succeeded : resultOf(op, failure);
    });
  } catch (error) {
    const failure = failureOf(error);
    return ops.map((op) => resultOf(op, failure));
  }
}

async function applyOne(parts: ApplyParts, op: Op): Promise<OpResult> {
  try {
    await perform(parts, op);
    return succeeded;
  } catch (error) {
    return resultOf(op, failureOf(error));
  }
}

async function perform({ namespaces, onDelete, onLink }: ApplyParts, op: Op): Promise<void> {
  if (op.op === 'netns.add') return createNetns(op.netns);
  if (op.op === 'netns.delete') {
    namespaces.forget(op.netns);
    onDelete(op.netns);
    return deleteNetns(op.netns);
  }
  const real = kindOf(op)?.real;
  if (real === undefined || real.batch !== undefined || real.applyRun !== undefined) return;
  await real.apply(namespaces, op);
  const written = real.written?.(op);
  if (written !== undefined) onLink(op.netns, written);
}
