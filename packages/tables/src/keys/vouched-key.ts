import { type KeyObject, sign, verify } from 'node:crypto';
import { type Certificate, type Expected, readCertificate, verifyPeer } from '@causeway/identity';
import { CausewayError, type ClusterId, fail, ok, parseName, type Result } from '@causeway/model';
import { type Bytes, Reader, utf8, Writer } from '../wire/bytes.ts';
import { maxChain } from '../wire/limits.ts';
import { nameOf } from './hash.ts';
import { publicKeySize } from './signatures.ts';

/** With this key a manager signs batches. */
export interface TableKey {
  readonly manager: string;
  /** The only cluster epoch whose batches it may sign. */
  readonly epoch: bigint;
  /** Ed25519, 32 bytes. */
  readonly publicKey: Bytes;
  /** Unix ms. The manager makes the next key before. */
  readonly notAfter: number;
}

/** A table key, and the manager's word for it: signed with the key of its certificate. */
export interface VouchedKey extends TableKey {
  /** In DER, that of the manager first, then the issuers that it sends in a handshake. */
  readonly chain: readonly Bytes[];
  readonly signature: Bytes;
}

/** Names the use and the layout, so that the signature is worth nothing anywhere else. */
const label = 'causeway table key 1';

/** The name of a key in batches: 16 hex digits. */
export function keyIdOf({ publicKey }: Pick<TableKey, 'publicKey'>): string {
  return nameOf(publicKey);
}

export function vouch(
  tableKey: TableKey,
  cluster: ClusterId,
  { key, chain }: { readonly key: KeyObject; readonly chain: readonly Certificate[] },
): VouchedKey {
  const signature = new Uint8Array(sign('sha256', statement(tableKey, cluster), key));
  return { ...tableKey, chain: chain.map(({ der }) => der), signature };
}

/**
 * Whether a manager of the cluster vouches for the key: the certificate is a manager's, valid and not revoked, and its key has
 * signed. The key expires with the certificate, whatever the key itself says.
 */
export function verifyVouched(vouched: VouchedKey, expected: Omit<Expected, 'roles'>): Result<TableKey, CausewayError> {
  if (vouched.publicKey.length !== publicKeySize) return refuse(vouched, 'it has the wrong size');
  if (vouched.chain.length > maxChain) return refuse(vouched, 'its chain is too long');
  const chain: Certificate[] = [];
  for (const der of vouched.chain) {
    const read = readCertificate(der);
    if (!read.ok) return read;
    chain.push(read.value);
  }
  const peer = verifyPeer(chain, { ...expected, roles: ['manager'] });
  if (!peer.ok) return peer;
  const { name, certificate } = peer.value;
  if (name.id !== vouched.manager) return refuse(vouched, `the certificate is that of the manager ${name.id}`);
  const isSigned = verify('sha256', statement(vouched, expected.cluster), certificate.publicKey, vouched.signature);
  if (!isSigned) return refuse(vouched, 'the signature is not that of the manager');
  const { manager, epoch, publicKey } = vouched;
  const notAfter = Math.min(vouched.notAfter, certificate.notAfter);
  if (expected.now > notAfter) return refuse(vouched, 'it has expired');
  return ok({ manager, epoch, publicKey, notAfter });
}

function statement({ manager, epoch, publicKey, notAfter }: TableKey, cluster: ClusterId): Bytes {
  const hex = Array.from(publicKey, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return utf8([label, cluster, manager, epoch, hex, notAfter].join('\n'));
}

/** About 1 KB. */
export function encodeVouched({ manager, epoch, publicKey, notAfter, chain, signature }: VouchedKey): Bytes {
  const writer = new Writer().short(utf8(manager)).u64(epoch).short(publicKey).u64(BigInt(notAfter)).u8(chain.length);
  for (const der of chain) writer.u16(der.length).raw(der);
  return writer.short(signature).done();
}

/** Undefined: malformed. Says nothing of the signature. */
export function decodeVouched(bytes: Bytes): VouchedKey | undefined {
  const reader = new Reader(bytes);
  const manager = parseName(reader.text(reader.u8()));
  const epoch = reader.u64();
  const publicKey = reader.short().slice();
  const notAfter = Number(reader.u64());
  const chain: Bytes[] = [];
  const count = reader.u8();
  if (count > maxChain) return undefined;
  for (let i = 0; i < count && reader.isOk; i++) chain.push(reader.raw(reader.u16()).slice());
  const signature = reader.short().slice();
  if (!reader.isDone || !manager.ok || !Number.isSafeInteger(notAfter)) return undefined;
  return { manager: manager.value, epoch, publicKey, notAfter, chain, signature };
}

function refuse({ manager }: TableKey, why: string): Result<never, CausewayError> {
  return fail(new CausewayError('certificate-invalid', `the table key of the manager ${manager} is refused: ${why}`));
}
