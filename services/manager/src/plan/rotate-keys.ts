import type { Name, NodeId, NodeKeys } from '@causeway/model';
import { keysRotated, keysRotating } from '../events/describe.ts';
import { number } from '../store/records/codec.ts';
import { records } from '../store/records/index.ts';
import type { KeyRotation } from '../store/records/key-rotation.ts';
import type { View } from '../store/view.ts';
import { type Intent, nothingToDo, type Planning, type Proposal, type Request } from './intent.ts';

/*
 * Hosts make their keys themselves, and a rotation asks them to. What is known of a rotation is in its record, so the next leader
 * continues it. A host has rotated when it offers no former key any more: it withdraws a key when no peer uses that key
 * (docs/decisions/0029-rekey.md).
 *
 *   former ── asked for a new key ──▶ changing: offers both ── no peer uses the former ──▶ rotated
 */
export type RotationState = 'former' | 'changing' | 'rotated';

/** A host of a rotation. */
export interface RotatingHost {
  readonly node: NodeId;
  readonly name: Name;
  /** The newest generation of its key when the rotation began. */
  readonly former: number;
  readonly state: RotationState;
}

/** The hosts of a rotation that were not removed since. */
export function rotatingHosts({ former }: KeyRotation, view: Pick<View, 'nodes' | 'records'>): readonly RotatingHost[] {
  return [...former].flatMap(([node, generation]): RotatingHost[] => {
    const name = view.nodes.get(node)?.value.name;
    if (name === undefined) return [];
    const keys = view.records('nodeKeys').get({ id: node })?.value;
    return [{ node, name, former: generation, state: stateOf(keys, generation) }];
  });
}

/** A host without keys uses none of its former keys. */
function stateOf(keys: NodeKeys | undefined, former: number): RotationState {
  const offered = (keys?.generations ?? []).map(({ generation }) => generation);
  if (offered.every((generation) => generation > former)) return 'rotated';
  return offered.some((generation) => generation > former) ? 'changing' : 'former';
}

/** Begins a rotation of the keys of all hosts, in place of one that is under way. Replies with the number of hosts. */
export function beginKeyRotation(atOnce: boolean): Request<number> {
  return {
    kind: 'keys.rotate',
    content: JSON.stringify({ atOnce }),
    outcome: { toJson: (hosts) => ({ hosts }), fromJson: (json) => number(json, 'hosts') },
    lane: 'key-rotation',
    plan: (planning) => planBegin(atOnce, planning),
  };
}

function planBegin(atOnce: boolean, { view, keys }: Planning): Proposal<number> {
  const former = new Map<NodeId, number>();
  for (const [node, { value }] of view.records('nodeKeys').all) {
    const newest = value.generations.at(-1);
    if (newest !== undefined) former.set(node, newest.generation);
  }
  if (former.size === 0) return nothingToDo(0);
  const value = records.keyRotation.codec.encode({ atOnce, former });
  return {
    ...nothingToDo(former.size),
    writes: [{ kind: 'put', key: keys.keyRotation, value }],
    events: [keysRotating(former.size, atOnce)],
  };
}

/** Ends the rotation if all of its hosts have rotated. */
export function finishKeyRotation(): Intent<void> {
  return { lane: 'key-rotation', plan: planFinish };
}

function planFinish({ view, keys }: Planning): Proposal<void> {
  const rotation = view.records('keyRotation').get();
  if (rotation === undefined || !isOver(rotatingHosts(rotation.value, view))) return nothingToDo(undefined);
  return {
    ...nothingToDo(undefined),
    compares: [{ kind: 'unchanged', key: keys.keyRotation, modRevision: rotation.revision }],
    writes: [{ kind: 'delete', key: keys.keyRotation }],
    events: [keysRotated()],
  };
}

export function isOver(hosts: readonly RotatingHost[]): boolean {
  return hosts.every(({ state }) => state === 'rotated');
}
