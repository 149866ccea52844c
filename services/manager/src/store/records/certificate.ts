import { type PeerName, parseRole } from '@causeway/identity';
import { parseName, unwrap } from '@causeway/model';
import { type JsonObject, list, number, object, omit, recordCodec, text } from './codec.ts';
import { keyPart, type RecordKind, type Versioned, versioned } from './kind.ts';
import { PeerIndex } from './peer-index.ts';

/**
 * The present certificate of an agent, a manager or an operator. Earlier certificates of the same name stay valid until they
 * expire, unless there is a removal.
 */
export interface CertificateRecord extends Pick<PeerName, 'role' | 'id'> {
  /** What people call the member: of an agent the name of its host, otherwise the id. */
  readonly name: string;
  readonly serial: string;
  /** When this certificate or an earlier one of the member was issued, whichever is later, Unix ms. */
  readonly issued: number;
  /** Unix ms. */
  readonly expires: number;
  /** Generation of the CA that issued it. */
  readonly generation: number;
  /** DNS names and IP addresses in a manager's certificate; others have none. */
  readonly hosts: readonly string[];
  /** Earlier certificates of a manager that have not expired. If the manager is removed, etcd must refuse each of them. */
  readonly former?: readonly FormerCertificate[];
  /** The public key of a manager (SubjectPublicKeyInfo in DER, base 64), for which a sealing key may be sealed. */
  readonly publicKey?: string;
}

interface FormerCertificate {
  readonly serial: string;
  /** Unix ms. */
  readonly expires: number;
}

/** The parts of a key about a member of the cluster: its role, then its id. */
export const peerPath = [keyPart('role', parseRole), keyPart<'id', string>('id', parseName)] as const;

export const certificate = {
  kind: 'certificate',
  path: peerPath,
  codec: recordCodec<CertificateRecord>(
    ({ role, id, name, serial, issued, expires, generation, hosts, former, publicKey }, original) => ({
      ...omit(original, 'former', 'publicKey'),
      ...{ role, id, name, serial, issued, expires, generation, hosts },
      ...(former !== undefined && { former: former.map((each) => ({ serial: each.serial, expires: each.expires })) }),
      ...(publicKey !== undefined && { publicKey }),
    }),
    (json) => ({
      role: unwrap(parseRole(text(json, 'role'))),
      id: text(json, 'id'),
      name: text(json, 'name'),
      serial: text(json, 'serial'),
      issued: number(json, 'issued'),
      expires: number(json, 'expires'),
      generation: number(json, 'generation'),
      hosts: list(json, 'hosts').map(String),
      ...(json['publicKey'] !== undefined && { publicKey: text(json, 'publicKey') }),
      ...(json['former'] !== undefined && { former: list(json, 'former').map((each) => formerFromJson(object(each))) }),
    }),
  ),
  keep: versioned<CertificateRecord>,
  index: () => new PeerIndex<Versioned<CertificateRecord>>(),
  listeners: 'record',
} as const satisfies RecordKind;

function formerFromJson(json: JsonObject): FormerCertificate {
  return { serial: text(json, 'serial'), expires: number(json, 'expires') };
}
