import type { Node } from '@causeway/model';
import { nodeDrained, nodeUndrained } from '../events/describe.ts';
import { records } from '../store/records/index.ts';
import type { Versioned } from '../store/view.ts';
import { nothingToDo, type Planning, type Proposal, type Request } from './intent.ts';

interface DrainNode {
  /** Name or id. */
  readonly node: string;
  /** False: the host gets new endpoints again. */
  readonly drained: boolean;
}

/**
 * Sets whether a host gets new endpoints. Its endpoints stay. Each claim compares the host's record, so no claim that was
 * planned before can be written after this. Writes nothing if the host is as desired.
 * @throws from its plan: node-unknown
 */
export function drainNode(request: DrainNode): Request<Node> {
  return {
    kind: 'node.drain',
    content: JSON.stringify(request),
    outcome: records.node.codec,
    plan: (planning) => planDrain(planning.view.findNode(request.node), request.drained, planning),
  };
}

export function planDrain(
  { value: before, revision, original }: Versioned<Node>,
  drained: boolean,
  { keys }: Planning,
): Proposal<Node> {
  if ((before.drained ?? false) === drained) return nothingToDo(before, revision);
  const { drained: _, ...rest } = before;
  const node: Node = drained ? { ...rest, drained } : rest;
  const key = keys.node(node.id);
  return {
    compares: [{ kind: 'unchanged', key, modRevision: revision }],
    writes: [{ kind: 'put', key, value: records.node.codec.encode(node, original) }],
    takes: [],
    events: [drained ? nodeDrained(node) : nodeUndrained(node)],
    reply: node,
  };
}
