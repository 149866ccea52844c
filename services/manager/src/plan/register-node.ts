import {
  CausewayError,
  checkLabels,
  clip,
  family,
  minimumMtu,
  type Name,
  type Node,
  type NodeId,
  whyNoDataPath,
} from '@causeway/model';
import { nodeChanged, nodeJoined } from '../events/describe.ts';
import type { Keys } from '../store/keys.ts';
import { encodeText } from '../store/records/codec.ts';
import { records } from '../store/records/index.ts';
import type { Compare } from '../store/store.ts';
import type { View } from '../store/view.ts';
import { checkNotAnId } from './checks.ts';
import { type Intent, nothingToDo, type Planning, type Proposal } from './intent.ts';
import { checkNotRemoved } from './removed-node.ts';

/** RFC 791 §3.1: every host accepts packets of 576 bytes. Linux's loopback has an MTU of 65536. */
const leastUnderlay = 576;
const mostUnderlay = 65_536;
const longestVersion = 64;
const mostRoutes = 256;

/**
 * Registers a host, for the first time or with changes. Writes nothing if nothing has changed.
 * @throws from its plan: node-removed, name-taken, name-invalid, address-invalid, mtu-invalid, invalid-argument
 */
export function registerNode(node: Node): Intent<Node> {
  return { plan: (planning) => planRegisterNode(node, planning) };
}

function planRegisterNode(introduced: Node, { view, keys, clock }: Planning): Proposal<Node> {
  checkNode(introduced);
  checkNotRemoved(view, introduced.id);
  const known = view.nodes.get(introduced.id);
  if (known !== undefined && isSame(known.value, introduced)) return nothingToDo(known.value);
  const node = { ...introduced, ...recorded(known?.value ?? { createdAt: Math.trunc(clock.wall()) }) };
  const moves = known !== undefined && known.value.name !== node.name ? known.value.name : undefined;
  const named = known !== undefined && moves === undefined;
  if (!named) checkNameFree(view, node.name);
  const key = keys.node(node.id);
  const name = keys.nodeName(node.name);
  return {
    compares: [
      ...(known === undefined
        ? [{ kind: 'absent', key } as const, ...stillNotRemoved(introduced.id, view, keys)]
        : [{ kind: 'unchanged', key, modRevision: known.revision } as const]),
      ...(named ? [] : [{ kind: 'absent', key: name } as const]),
    ],
    writes: [
      { kind: 'put', key, value: records.node.codec.encode(node, known?.original) },
      ...(named ? [] : [{ kind: 'put', key: name, value: encodeText(node.id) } as const]),
      ...(moves === undefined ? [] : [{ kind: 'delete', key: keys.nodeName(moves) } as const]),
    ],
    takes: [],
    events: known === undefined ? [nodeJoined(node)] : nodeChanged(known.value, node),
    reply: node,
  };
}

/**
 * What the record of a host has and its agent does not know: whether the host is drained, and when it joined (absent from
 * records of older versions).
 */
function recorded({ drained, createdAt }: Pick<Node, 'drained' | 'createdAt'>): Pick<Node, 'drained' | 'createdAt'> {
  return { ...(drained !== undefined && { drained }), ...(createdAt !== undefined && { createdAt }) };
}

/** A host that has joined again under its id has a record of removal about its earlier certificates. */
function stillNotRemoved(id: NodeId, view: View, keys: Keys): readonly Compare[] {
  const has = view.records('removed').get({ role: 'agent', id }) !== undefined;
  return has ? [] : [{ kind: 'absent', key: keys.removed('agent', id) }];
}

function checkNode(node: Node): void {
  checkNotAnId(node.name, 'node.name');
  const wrong = whyNoDataPath(node.dataPath);
  if (wrong !== undefined) {
    const message = `node.data_path ${node.dataPath} is ${wrong}: use an address of this host that the others reach`;
    throw new CausewayError('address-invalid', message, { field: 'node.data_path', value: node.dataPath });
  }
  const least = family(node.dataPath) === 6 ? minimumMtu : leastUnderlay;
  const { underlayMtu } = node;
  if (!Number.isInteger(underlayMtu) || underlayMtu < least || underlayMtu > mostUnderlay) {
    const message = `node.underlay_mtu ${underlayMtu} is outside ${least} to ${mostUnderlay} bytes`;
    throw new CausewayError('mtu-invalid', message, { field: 'node.underlay_mtu', value: underlayMtu });
  }
  const { encapPort = 1 } = node;
  if (!Number.isInteger(encapPort) || encapPort < 1 || encapPort > 65_535) {
    const message = `node.encap_port ${encapPort} is outside 1 to 65535`;
    throw new CausewayError('invalid-argument', message, { field: 'node.encap_port', value: encapPort });
  }
  if (node.version.length > longestVersion || /\p{Cc}/u.test(node.version)) {
    const message = `node.version "${clip(node.version)}" is not valid: expected at most ${longestVersion} printable characters`;
    throw new CausewayError('invalid-argument', message, { field: 'node.version' });
  }
  const routes = node.hostRoutes?.length ?? 0;
  if (routes > mostRoutes) {
    const message = `node.host_routes: ${routes} routes are too many, the limit is ${mostRoutes}`;
    throw new CausewayError('invalid-argument', message, { field: 'node.host_routes' });
  }
  checkLabels(node.labels ?? {}, 'node.labels');
}

function checkNameFree(view: View, name: Name): void {
  const namesake = view.nodeNamed(name)?.value;
  if (namesake === undefined) return;
  const message = `node.name "${name}" belongs to another host (${namesake.id}, data path ${namesake.dataPath}): start this agent with another --name; or, if this host replaces that one, run causeway node remove ${name} --force`;
  throw new CausewayError('name-taken', message, { field: 'node.name', value: name, node: namesake.id });
}

function isSame(a: Node, b: Node): boolean {
  const same = a.name === b.name && a.dataPath === b.dataPath && a.underlayMtu === b.underlayMtu;
  const alike = same && a.encapPort === b.encapPort;
  return alike && a.version === b.version && a.hostRoutes?.join() === b.hostRoutes?.join() && sameLabels(a, b);
}

function sameLabels(a: Node, b: Node): boolean {
  const text = ({ labels = {} }: Node): string => JSON.stringify(Object.entries(labels).sort());
  return text(a) === text(b);
}
