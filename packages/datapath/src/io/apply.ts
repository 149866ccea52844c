import { assertNever } from '@causeway/model';
import { createNetns, deleteNetns, Slice } from '@causeway/netlink/io';
import type { OpResult } from '../kernel.ts';
import type { Op } from '../op.ts';
import type { NetnsPath, Route } from '../state.ts';
import { addAddress, deleteAddress, deleteRoute, type RouteRecord, setRoute } from '../wire/index.ts';
import { applyEntries, type EntryOp, type EntryParts, isEntryOp } from './entries.ts';
import { addLink, changeLink, removeLink } from './links.ts';
import type { Namespaces } from './namespaces.ts';
import { failureOf, resultOf, succeeded } from './outcome.ts';
import { writeSysctl } from './sysctl.ts';

export interface ApplyParts extends EntryParts {
  /** Whoever else holds the namespace must let go: it is about to be deleted. */
  readonly onDelete: (netns: NetnsPath) => void;
}

type SingleOp = Exclude<Op, EntryOp>;

/** Runs the ops in order, entries in batches; see Kernel.apply. */
export async function applyOps(parts: ApplyParts, ops: readonly Op[]): Promise<OpResult[]> {
  const results: OpResult[] = [];
  const slice = new Slice();
  for (let op = ops[0]; op !== undefined; op = ops[results.length]) {
    if (isEntryOp(op)) {
      for (const result of await applyEntries(parts, entryRun(ops, results.length, op), slice)) results.push(result);
    } else results.push(await applyOne(parts, op));
    await slice.breathe();
  }
  return results;
}

/** The entry at `from` and those after it, as long as they are entries of the same namespace. */
function entryRun(ops: readonly Op[], from: number, first: EntryOp): readonly EntryOp[] {
  const run = [first];
  for (let next = ops[from + 1]; next !== undefined && isEntryOp(next); next = ops[from + run.length]) {
    if (next.netns !== first.netns) break;
    run.push(next);
  }
  return run;
}

async function applyOne(parts: ApplyParts, op: SingleOp): Promise<OpResult> {
  try {
    await perform(parts, op);
    return succeeded;
  } catch (error) {
    return resultOf(op.op, failureOf(error));
  }
}

async function perform({ namespaces, onDelete }: ApplyParts, op: SingleOp): Promise<void> {
  const { netns } = op;
  switch (op.op) {
    case 'netns.add':
      return createNetns(netns);
    case 'netns.delete':
      namespaces.forget(netns);
      onDelete(netns);
      return deleteNetns(netns);
    case 'sysctl.set':
      return writeSysctl(namespaces.get(netns).fd, op.key, op.value);
    case 'link.add':
      return addLink(namespaces, netns, op.link);
    case 'link.set':
      return changeLink(namespaces, netns, op.name, op.change);
    case 'link.delete':
      return removeLink(namespaces, netns, op.name);
    case 'address.add':
      return namespaces.get(netns).socket.request(addAddress(namespaces.linkIndex(netns, op.dev), op.address));
    case 'address.delete':
      return namespaces.get(netns).socket.request(deleteAddress(namespaces.linkIndex(netns, op.dev), op.address));
    case 'route.set':
      return namespaces.get(netns).socket.request(setRoute(toRecord(namespaces, netns, op.route)));
    case 'route.delete':
      return namespaces.get(netns).socket.request(deleteRoute(toRecord(namespaces, netns, op.route)));
    default:
      return assertNever(op);
  }
}

function toRecord(namespaces: Namespaces, netns: NetnsPath, { dev, ...route }: Route): RouteRecord {
  return { ...route, index: namespaces.linkIndex(netns, dev) };
}
