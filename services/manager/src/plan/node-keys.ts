import { CausewayError, isKeyNumber, lastNodeIndex, type NodeId, type NodeKeys } from '@causeway/model';
import { encodeText } from '../store/records/codec.ts';
import { records } from '../store/records/index.ts';
import type { Write } from '../store/store.ts';
import { type Intent, nothingToDo, type Planning, type Proposal } from './intent.ts';

/** Certificates have some 700 bytes each, and a signature 72: everything beyond is no keys of a host. */
const mostBytes = 16 * 1024;
const mostGenerations = 3;
const mostCertificates = 6;
const publicKeySize = 32;

/** Gives a host its number in SPIs, which it keeps. The reply is what the store has of the host. */
export function reserveKeyIndex(node: NodeId): Intent<NodeKeys> {
  return { lane: 'node-index', plan: (planning) => planIndex(node, planning) };
}

/**
 * Stores the keys that a host has signed. Hosts verify them; managers only see that they have the form of keys, and that they
 * follow what the store has. A version that the store has already is no change: the host repeats it when it gets no answer.
 * @throws from its plan: invalid-argument, revision-conflict
 */
export function publishKeys(keys: NodeKeys): Intent<NodeKeys> {
  return { plan: (planning) => planKeys(keys, planning) };
}

function planIndex(node: NodeId, { view, keys }: Planning): Proposal<NodeKeys> {
  const index = view.records('nodeKeys');
  const known = index.get({ id: node });
  if (known !== undefined) return nothingToDo(known.value);
  const host = view.nodes.get(node);
  if (host === undefined) throw new CausewayError('node-unknown', `there is no host with the id ${node}`, { node });
  const next = index.nextIndex;
  if (next > lastNodeIndex) throw new CausewayError('address-exhausted', 'no number for the SPIs of this host is left');
  const value: NodeKeys = { node, index: next, version: 0, generations: [], chain: [], signature: new Uint8Array(0) };
  const [key, claim] = [keys.nodeKeys(node), keys.nodeIndex(next)];
  return {
    compares: [
      // A host that is being removed gets none.
      { kind: 'unchanged', key: keys.node(node), modRevision: host.revision },
      { kind: 'absent', key },
      { kind: 'absent', key: claim },
    ],
    writes: [
      { kind: 'put', key, value: records.nodeKeys.codec.encode(value) },
      { kind: 'put', key: claim, value: encodeText(node) },
    ],
    takes: [],
    events: [],
    reply: value,
  };
}

/** What goes with the host's record: its keys, and its number. */
export function forgetKeys(node: NodeId, { view, keys }: Pick<Planning, 'view' | 'keys'>): readonly Write[] {
  const known = view.records('nodeKeys').get({ id: node });
  if (known === undefined) return [];
  return [keys.nodeKeys(node), keys.nodeIndex(known.value.index)].map((key) => ({ kind: 'delete', key }));
}

function planKeys(published: NodeKeys, { view, keys }: Planning): Proposal<NodeKeys> {
  checkForm(published);
  const known = view.records('nodeKeys').get({ id: published.node });
  if (known === undefined || known.value.index !== published.index)
    throw new CausewayError('invalid-argument', `the keys have the index ${published.index}, which is not the host's`, {
      field: 'keys.index',
    });
  const { value: before, revision, original } = known;
  if (before.version === published.version && isSame(before, published)) return nothingToDo(before, revision);
  if (before.version >= published.version) {
    const message = `the store has version ${before.version} of the host's keys; version ${published.version} does not follow it`;
    throw new CausewayError('revision-conflict', message, { field: 'keys.version', version: before.version });
  }
  const key = keys.nodeKeys(published.node);
  return {
    compares: [{ kind: 'unchanged', key, modRevision: revision }],
    writes: [{ kind: 'put', key, value: records.nodeKeys.codec.encode(published, original) }],
    takes: [],
    events: [],
    reply: published,
  };
}

function checkForm({ version, generations, chain, signature }: NodeKeys): void {
  const bytes = chain.reduce((sum, { length }) => sum + length, signature.length);
  const isRight =
    isKeyNumber(version) &&
    generations.length > 0 &&
    generations.length <= mostGenerations &&
    generations.every(({ generation, publicKey, createdAt, encapPort = 1 }) => {
      const isNamed = isKeyNumber(generation) && Number.isSafeInteger(createdAt);
      return (
        isNamed &&
        publicKey.length === publicKeySize &&
        Number.isInteger(encapPort) &&
        encapPort > 0 &&
        encapPort <= 0xffff
      );
    }) &&
    chain.length <= mostCertificates &&
    bytes <= mostBytes;
  if (!isRight) throw new CausewayError('invalid-argument', 'these are not the keys of a host', { field: 'keys' });
}

function isSame(one: NodeKeys, other: NodeKeys): boolean {
  return one.signature.join() === other.signature.join();
}
