import type { Op, OpKind } from '../../op.ts';
import { addAddress, deleteAddress, deleteFdb, deleteRoute, setFdb, setNeighbour, setRoute } from './entries.ts';
import { type FakeHost, type FakeNamespace, Refusal } from './host.ts';
import { addLink, setLink } from './links.ts';

type NamespaceOp = 'netns.add' | 'netns.delete';
type Handlers = {
  readonly [Kind in Exclude<OpKind, NamespaceOp>]: (
    namespace: FakeNamespace,
    op: Extract<Op, { op: Kind }>,
    host: FakeHost,
  ) => void;
};

const handlers: Handlers = {
  'sysctl.set': (namespace, { key, value }) => setSysctl(namespace, key, value),
  'link.add': (namespace, { link }, host) => addLink(host, namespace, link),
  'link.set': (namespace, { name, change }, host) => setLink(host, namespace, name, change),
  'link.delete': (namespace, { name }, host) => host.removeLink(namespace, name),
  'address.add': (namespace, { dev, address }) => addAddress(namespace, dev, address),
  'address.delete': (namespace, { dev, address }) => deleteAddress(namespace, dev, address),
  'route.set': (namespace, { route }) => setRoute(namespace, route),
  'route.delete': (namespace, { route }) => deleteRoute(namespace, route),
  'neighbour.set': (namespace, { dev, ip, mac }) => setNeighbour(namespace, dev, ip, mac),
  'neighbour.delete': (namespace, { dev, ip }) => {
    namespace.links.get(dev)?.neighbours.delete(ip);
  },
  'fdb.set': (namespace, { dev, mac, target }) => setFdb(namespace, dev, mac, target),
  'fdb.delete': (namespace, { dev, mac, target }) => deleteFdb(namespace, dev, mac, target),
};

const deletes: ReadonlySet<OpKind> = new Set([
  'link.delete',
  'address.delete',
  'route.delete',
  'neighbour.delete',
  'fdb.delete',
]);

export function isDelete(op: OpKind): boolean {
  return deletes.has(op);
}

/** Carries out one op, or throws a Refusal and has changed nothing. */
export function execute(host: FakeHost, op: Op): void {
  if (op.op === 'netns.add') {
    host.addNamespace(op.netns);
  } else if (op.op === 'netns.delete') {
    host.removeNamespace(op.netns);
  } else if (!deletes.has(op.op) || host.namespaces.has(op.netns)) {
    const handle = handlers[op.op] as (namespace: FakeNamespace, op: Op, host: FakeHost) => void;
    handle(host.namespace(op.netns), op, host);
  }
}

function setSysctl(namespace: FakeNamespace, key: string, value: string): void {
  if (!namespace.sysctls.has(key)) throw new Refusal('ENOENT', `no sysctl ${key}`);
  namespace.sysctls.set(key, value);
}
