import { admit, checkClock, formatPin, hashSecret, issuedAt, type JoinToken, pinOf } from '@causeway/identity';
import { CausewayError, type Name, type NodeId } from '@causeway/model';
import { certificateIssued } from '../events/describe.ts';
import { records } from '../store/records/index.ts';
import type { StoredToken } from '../store/records/token.ts';
import type { Versioned, View } from '../store/view.ts';
import { nothingToDo, type Planning, type Proposal, type Request } from './intent.ts';
import {
  checkLater,
  type Granted,
  grantedOf,
  grantedOutcome,
  type Issued,
  type Member,
  recordIssued,
  refuseEarlier,
} from './issued.ts';
import { removalOf } from './removed-node.ts';
import { laneOf, tokenOf } from './tokens.ts';

export interface Join {
  readonly token: Pick<JoinToken, 'id' | 'secret'>;
  /** Name of the host, the manager or the operator. */
  readonly name: Name;
  /** The id that a host proposes. */
  readonly proposed?: NodeId;
  /** The id that a new host gets if it proposes none. */
  readonly fresh: NodeId;
  /** SHA-256 of the certificate request: a retry has the same. */
  readonly request: string;
  /** The joiner's clock, Unix ms. */
  readonly time: number;
}

/** What a decision needs of the present, besides the records. */
export interface JoinFacts {
  /** Unix ms. */
  readonly now: number;
  /** Whether the agent of this node has a session. */
  readonly hasSession: (node: NodeId) => boolean;
  /** Whether the agent of this node may be about to come to this manager, which leads since a moment. */
  readonly isAwaited: (node: NodeId) => boolean;
}

interface Admission {
  readonly to: Member;
  /** The token, used once more. */
  readonly token: Versioned<StoredToken>;
}

/**
 * Decides whether a joiner is admitted, and as whom.
 * @throws CausewayError token-refused, token-expired, token-used, token-revoked, clock-wrong, node-removed, name-taken,
 * node-in-use, manager-exists
 */
export function admitJoiner(view: View, join: Join, facts: JoinFacts): Admission {
  const found = tokenOf(view, join.token.id);
  const admitted = admit(found?.value, join.token, facts.now);
  if (!admitted.ok || found === undefined)
    throw admitted.ok ? new TypeError('a token that is not there') : admitted.error;
  const token = { ...found, value: { ...found.value, ...admitted.value } };
  if (view.ca?.value.roots.every((root) => formatPin(pinOf(root)) !== token.value.pin))
    throw new CausewayError('token-revoked', 'the join token names a CA that was replaced; create a new token');
  const { name } = token.value;
  if (name !== undefined && name !== join.name) throw forAnother(name, join.name);
  const clock = checkClock(join.time, facts.now);
  if (!clock.ok) throw clock.error;
  switch (token.value.role) {
    case 'agent':
      return { token, to: { role: 'agent', id: nodeOf(view, join, { ...facts, isBound: name !== undefined }) } };
    case 'manager':
      checkManagerName(view, join.name);
      return { token, to: { role: 'manager', id: join.name } };
    case 'operator':
      checkOperatorName(view, join.name, facts.now);
      return { token, to: { role: 'operator', id: join.name } };
  }
}

/**
 * Writes the joiner's certificate and the use of the token in one transaction.
 * `issued`: made for the member that `admitJoiner` has named; undefined: the joiner is refused.
 * @throws from its plan: as `admitJoiner`; busy
 */
export function joinCluster(join: Join, issued: Issued | undefined, facts: JoinFacts): Request<Granted> {
  const { token, name, proposed, request } = join;
  return {
    kind: 'cluster.join',
    // Not the secret: what is kept of the call is in the store.
    content: JSON.stringify({ token: token.id, hash: hashSecret(token), name, proposed, request }),
    outcome: grantedOutcome,
    lane: laneOf(token.id),
    plan: (planning) => planJoin(join, issued, facts, planning),
  };
}

function planJoin(join: Join, made: Issued | undefined, facts: JoinFacts, planning: Planning): Proposal<Granted> {
  const { view, keys } = planning;
  const { to, token } = admitJoiner(view, join, facts);
  const { issued, compares, writes } = recordIssued(made, to, join.name, planning);
  const key = keys.token(token.value.id);
  const before = view.records('certificate').get(to)?.value;
  checkLater(issued, view, before?.issued);
  const isAgain = before !== undefined || view.records('removed').get(to)?.value.knownCa !== undefined;
  return {
    ...nothingToDo(grantedOf(issued)),
    compares: [...compares, { kind: 'unchanged', key, modRevision: token.revision }],
    writes: [
      ...writes,
      { kind: 'put', key, value: records.token.codec.encode(token.value, token.original) },
      ...(isAgain ? refuseEarlier(to, `joined again as ${join.name}`, issuedAt(issued.certificate), planning) : []),
    ],
    events: [certificateIssued(to, join.name, token.value.id, issued.certificate.notAfter)],
  };
}

function forAnother(name: string, own: Name): CausewayError {
  const message = `the join token is for the name "${name}", and this host joins as "${own}": join with --name ${name}, or create a token for ${own}`;
  return new CausewayError('token-refused', message, { field: 'name', value: own });
}

/**
 * A host keeps its id when it joins again under its name, also if it has lost its data. `isBound`: the token is for this name. A
 * token for any name makes new hosts only: otherwise its holder could become any host that is away, and get its endpoints.
 */
function nodeOf(
  view: View,
  { name, proposed, fresh }: Join,
  { hasSession, isAwaited, isBound }: JoinFacts & { readonly isBound: boolean },
): NodeId {
  const namesake = nodeNamed(view, name);
  if (namesake !== undefined && hasSession(namesake)) {
    const message = `the host "${name}" (${namesake}) is connected: join with another name, or remove that host first`;
    throw new CausewayError('name-taken', message, { field: 'name', value: name, node: namesake });
  }
  // Otherwise another host could take the place of a host that runs, just by being quicker.
  if (namesake !== undefined && view.nodes.has(namesake) && isAwaited(namesake)) {
    const message = `the managers have just elected a leader, and the host "${name}" may be connected: try again in a few seconds`;
    throw new CausewayError('busy', message);
  }
  if (namesake !== undefined && !isBound) {
    const message = `the cluster has a host "${name}" (${namesake}). If this is that host, join with a token for it: "causeway node token create --role agent --name ${name}"; otherwise join with another name`;
    throw new CausewayError('name-taken', message, { field: 'name', value: name, node: namesake });
  }
  if (proposed === undefined) return namesake ?? fresh;
  const holder = nameOfNode(view, proposed);
  if (holder === undefined) checkNotRemoved(view, proposed);
  else if (holder !== name) {
    const message = `the id ${proposed} belongs to the host "${holder}": this host has a copy of that host's data; reset this host with "causeway leave", then join`;
    throw new CausewayError('node-in-use', message, { field: 'node_id', value: proposed, node: proposed });
  }
  if (namesake !== undefined && namesake !== proposed) {
    const message = `the name "${name}" belongs to another host (${namesake}): join with another name, or remove that host first`;
    throw new CausewayError('name-taken', message, { field: 'name', value: name, node: namesake });
  }
  return proposed;
}

/** A host that joins under an id which another host removed would be that host again. */
function checkNotRemoved(view: View, proposed: NodeId): void {
  const removal = removalOf(view, { role: 'agent', id: proposed });
  if (removal === undefined) return;
  const message = `the host with the id ${proposed} was removed from the cluster (${removal.reason}); reset this host with "causeway leave", then join`;
  throw new CausewayError('node-removed', message, { field: 'node_id', value: proposed });
}

/** Also a host that has joined and not registered yet. */
function nodeNamed(view: View, name: Name): NodeId | undefined {
  const registered = view.nodeNamed(name)?.value.id;
  if (registered !== undefined) return registered;
  for (const { value } of view.records('certificate').all.values())
    if (value.role === 'agent' && value.name === name && !view.nodes.has(value.id as NodeId)) return value.id as NodeId;
  return undefined;
}

function nameOfNode(view: View, node: NodeId): string | undefined {
  return view.nodes.get(node)?.value.name ?? view.records('certificate').get({ role: 'agent', id: node })?.value.name;
}

function checkManagerName({ managers, leader }: View, name: Name): void {
  if (!managers.has(name) && leader?.name !== name) return;
  const message = `a manager "${name}" runs already: join with another name, or stop that manager first`;
  throw new CausewayError('manager-exists', message, { field: 'name', value: name });
}

function checkOperatorName(view: View, name: Name, now: number): void {
  const present = view.records('certificate').get({ role: 'operator', id: name })?.value;
  if (present === undefined || present.expires <= now) return;
  const message = `there is an operator "${name}" with a valid certificate: choose another name, or revoke that certificate first`;
  throw new CausewayError('name-taken', message, { field: 'name', value: name });
}
