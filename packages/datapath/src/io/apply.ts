import { createNetns, deleteNetns, Slice } from '@causeway/netlink/io';
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

/** Applies the ops in order, in batches where an op's kind has batches; see Kernel.apply. */
export async function applyOps(parts: ApplyParts, ops: readonly Op[]): Promise<OpResult[]> {
  const results: OpResult[] = [];
  const slice = new Slice();
  for (let op = ops[0]; op !== undefined; op = ops[results.length]) {
    if (batchOf(op) === undefined) results.push(await applyOne(parts, op));
    else for (const result of await applyBatches(parts, run(ops, results.length, op), slice)) results.push(result);
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
  if (real === undefined || real.batch !== undefined) return;
  await real.apply(namespaces, op);
  const written = real.written?.(op);
  if (written !== undefined) onLink(op.netns, written);
}
