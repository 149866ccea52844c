import { CausewayError, listNames, type Name, type Node, type NodeId } from '@causeway/model';
import { type Duration, minutes } from '@causeway/runtime';
import { nodeRemoved } from '../events/describe.ts';
import type { CertificateRecord } from '../store/records/certificate.ts';
import { number } from '../store/records/codec.ts';
import type { Versioned, View } from '../store/view.ts';
import { planDrain } from './drain-node.ts';
import { expel } from './expel.ts';
import { type Intent, nothingToDo, type Planning, type Proposal, type Request } from './intent.ts';
import { forgetKeys } from './node-keys.ts';

export interface RemoveNode {
  /** Name or id. */
  readonly node: string;
  /** Also a host that is connected or has endpoints. */
  readonly force: boolean;
}

export interface RemovalFacts {
  /** Whether the agent of this host has a session. */
  readonly isConnected: (node: NodeId) => boolean;
  /** Who removes the host, for people. */
  readonly by: string;
  /** What was done before with the host's endpoints. */
  readonly emptied: Emptied;
}

export interface Emptied {
  /** Number of endpoints that were released. */
  readonly released: number;
  /** The host has removed the interfaces of these endpoints. */
  readonly interfacesRemoved: boolean;
}

/** The longest life of certificates. A host that comes back within this time is told that it was removed. */
const removalKept: Duration = minutes(90 * 24 * 60);

/**
 * Removes a host: its record, its name and its certificate go, and its id is refused from then on. The host must be drained
 * and empty. A drain is a change of the host's record, and each claim compares that record. So the host gets no endpoint
 * between the moment when it was found empty and its removal.
 * @throws from its plan: node-unknown, node-in-use; busy: the host is not drained and empty yet
 */
export function removeNode(request: RemoveNode, facts: RemovalFacts): Request<Emptied> {
  return {
    kind: 'node.remove',
    content: JSON.stringify(request),
    outcome: {
      toJson: ({ released, interfacesRemoved }) => ({ released, interfacesRemoved }),
      fromJson: (json) => ({
        released: number(json, 'released'),
        interfacesRemoved: json['interfacesRemoved'] === true,
      }),
    },
    plan: (planning) => {
      const unseen = unseenMember(request.node, planning.view);
      if (unseen !== undefined) return planRemoveUnseen(unseen, facts, planning);
      return planRemove(planning.view.findNode(request.node), request, facts, planning);
    },
  };
}

/**
 * Drains a host that is to be removed. Replies with the host; undefined: there is no such host.
 * @throws from its plan: node-in-use
 */
export function beginRemoval(
  request: RemoveNode,
  { isConnected }: Pick<RemovalFacts, 'isConnected'>,
): Intent<Node | undefined> {
  return {
    plan: (planning) => {
      const { view } = planning;
      const found = view.nodes.get(request.node as NodeId) ?? view.nodeNamed(request.node as Name);
      if (found === undefined) return nothingToDo(undefined);
      checkUnused(found.value, request, isConnected, view);
      return planDrain(found, true, planning);
    },
  };
}

function planRemove(
  { value: node, revision }: Versioned<Node>,
  request: RemoveNode,
  { isConnected, by, emptied }: RemovalFacts,
  planning: Planning,
): Proposal<Emptied> {
  const { view, keys } = planning;
  checkUnused(node, request, isConnected, view);
  const { id, name } = node;
  if (node.drained !== true || view.endpointsOn(id).size > 0)
    throw new CausewayError('busy', `host ${name} is not drained and empty yet: try again`, { host: name });
  const key = keys.node(id);
  const out = expel({ role: 'agent', id }, `host ${name}, by ${by}`, planning, removalKept);
  return {
    compares: [{ kind: 'unchanged', key, modRevision: revision }, ...out.compares],
    writes: [
      { kind: 'delete', key },
      { kind: 'delete', key: keys.nodeName(name) },
      ...forgetKeys(id, planning),
      ...out.writes,
    ],
    takes: [],
    events: [nodeRemoved(node, emptied.released)],
    reply: emptied,
  };
}

/** A host that has joined and never had a session: all that the cluster has of it is its certificate. */
function unseenMember(reference: string, view: View): CertificateRecord | undefined {
  if (view.nodes.has(reference as NodeId) || view.nodeNamed(reference as Name) !== undefined) return undefined;
  return [...view.records('certificate').all.values()]
    .map(({ value }) => value)
    .find(
      ({ role, id, name }) =>
        role === 'agent' && (id === reference || name === reference) && !view.nodes.has(id as NodeId),
    );
}

function planRemoveUnseen(
  { id, name }: CertificateRecord,
  { by, emptied }: RemovalFacts,
  planning: Planning,
): Proposal<Emptied> {
  const node = { id: id as NodeId, name: name as Name };
  const out = expel({ role: 'agent', id }, `host ${name}, by ${by}`, planning, removalKept);
  return {
    ...nothingToDo(emptied),
    compares: [{ kind: 'absent', key: planning.keys.node(node.id) }, ...out.compares],
    writes: out.writes,
    events: [nodeRemoved(node, 0)],
  };
}

function checkUnused(
  { id, name }: Node,
  { force }: RemoveNode,
  isConnected: (node: NodeId) => boolean,
  view: View,
): void {
  if (force) return;
  const connected = isConnected(id);
  const endpoints = [...view.endpointsOn(id)].flatMap((endpoint) => view.endpoint(endpoint)?.value ?? []);
  if (!connected && endpoints.length === 0) return;
  const has = `has ${endpoints.length === 1 ? 'the endpoint' : `${endpoints.length} endpoints:`} ${listNames(endpoints)}`;
  const why = [...(connected ? ['is connected'] : []), ...(endpoints.length > 0 ? [has] : [])].join(' and ');
  const remedy = [
    ...(endpoints.length > 0 ? ['detach its endpoints'] : []),
    ...(connected ? ['stop its agent'] : []),
  ].join(' and ');
  const message = `host ${name} ${why}: ${remedy} first, or remove it with --force`;
  throw new CausewayError('node-in-use', message, {
    field: 'node',
    host: name,
    connected,
    endpoints: endpoints.length,
  });
}
