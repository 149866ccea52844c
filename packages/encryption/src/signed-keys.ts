import { type KeyObject, sign, verify } from 'node:crypto';
import { type Certificate, type Expected, readCertificate, verifyPeer } from '@causeway/identity';
import {
  CausewayError,
  type ClusterId,
  fail,
  isKeyNumber,
  isNodeIndex,
  lastKeyNumber,
  type NodeKeys,
  ok,
  type Result,
} from '@causeway/model';
import { publicKeySize } from './node-key.ts';
import { areDistinct, mostGenerations } from './pair.ts';

/** Names the use and the layout, so that the signature is worth nothing anywhere else. */
const label = 'causeway node keys 1';

/** A chain has the certificate of the node and, while the CA rotates, one of a root that another root has signed; and roots. */
const longestChain = 6;

/** The keys of a node, before they are signed. */
export type Unsigned = Omit<NodeKeys, 'chain' | 'signature'>;

/** Signs with the key of the first certificate of the chain. */
export function signKeys(
  keys: Unsigned,
  cluster: ClusterId,
  { key, chain }: { readonly key: KeyObject; readonly chain: readonly Certificate[] },
): NodeKeys {
  const signature = new Uint8Array(sign('sha256', statement(keys, cluster), key));
  return { ...keys, chain: chain.map(({ der }) => der), signature };
}

/**
 * Whether these keys are the node's own: they have the form that a node gives them, the certificate is the node's, the cluster's
 * and valid, and its key has signed. Managers pass keys on, and cannot change them.
 */
export function verifyKeys(keys: NodeKeys, expected: Omit<Expected, 'roles'>): Result<Unsigned, CausewayError> {
  const wrong = wrongForm(keys);
  if (wrong !== undefined) return refuse(keys, wrong);
  const chain: Certificate[] = [];
  for (const der of keys.chain) {
    const read = readCertificate(der);
    if (!read.ok) return read;
    chain.push(read.value);
  }
  const peer = verifyPeer(chain, { ...expected, roles: ['agent'] });
  if (!peer.ok) return peer;
  const { name, certificate } = peer.value;
  if (name.id !== keys.node) return refuse(keys, `the certificate is that of the node ${name.id}`);
  const { node, index, version, generations } = keys;
  const unsigned = { node, index, version, generations };
  const isSigned = verify('sha256', statement(unsigned, expected.cluster), certificate.publicKey, keys.signature);
  return isSigned ? ok(unsigned) : refuse(keys, 'the signature is not that of the node');
}

/**
 * What a node signs. The form of each part is known, so that no two records have the same text. A version that does not know ports
 * refuses the record of a node that needs them, and none else: the port is a fourth word.
 */
function statement({ node, index, version, generations }: Unsigned, cluster: ClusterId): Uint8Array {
  const each = generations.map(({ generation, publicKey, createdAt, encapPort }) => {
    const hex = Array.from(publicKey, (byte) => byte.toString(16).padStart(2, '0')).join('');
    return [generation, hex, createdAt, ...(encapPort === undefined ? [] : [encapPort])].join(' ');
  });
  return new TextEncoder().encode([label, cluster, node, index, version, ...each].join('\n'));
}

function wrongForm({ index, version, generations, chain }: NodeKeys): string | undefined {
  if (!isNodeIndex(index)) return `the index ${index} is out of range`;
  if (!isKeyNumber(version)) return `the version is not a number from 1 to ${lastKeyNumber}`;
  if (chain.length > longestChain)
    return `the chain has ${chain.length} certificates; expected at most ${longestChain}`;
  const [oldest, newest] = [generations[0], generations.at(-1)];
  if (oldest === undefined || newest === undefined || generations.length > mostGenerations)
    return `it has ${generations.length} generations; expected 1 to ${mostGenerations}`;
  if (generations.some(({ publicKey }) => publicKey.length !== publicKeySize)) return 'a public key has the wrong size';
  if (generations.some(({ generation, createdAt }) => !isKeyNumber(generation) || !Number.isSafeInteger(createdAt)))
    return `a generation is not a number from 1 to ${lastKeyNumber}, or its time is not a time`;
  if (generations.some(({ encapPort }) => encapPort !== undefined && !isPort(encapPort)))
    return 'a port is outside 1 to 65535';
  const isRising = generations.every((each, i) => each.generation > (generations[i - 1]?.generation ?? 0));
  if (!isRising || !areDistinct(oldest.generation, newest.generation))
    return 'its generations do not rise, or are too far apart';
  return undefined;
}

function isPort(value: number): boolean {
  return Number.isInteger(value) && value > 0 && value <= 0xffff;
}

function refuse({ node, version }: NodeKeys, why: string): Result<never, CausewayError> {
  const message = `the keys of the node ${node} are refused: ${why}`;
  return fail(new CausewayError('certificate-invalid', message, { node, version }));
}
