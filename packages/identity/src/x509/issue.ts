import { createPublicKey, type KeyObject } from 'node:crypto';
import { type ClusterId, unwrap } from '@causeway/model';
import type { Duration, Random } from '@causeway/runtime';
import { backdating, nodeLife, rootLife } from '../lifetimes.ts';
import { formatPeerName, managerDnsName, type PeerName } from '../name.ts';
import { toHex } from '../text.ts';
import { type Certificate, readCertificate } from './certificate.ts';
import {
  content,
  context,
  decode,
  encode,
  integer,
  type Node,
  oid,
  parts,
  sequence,
  set,
  tag,
  time,
  utf8String,
} from './der.ts';
import * as extensions from './extensions.ts';
import { oids } from './oids.ts';
import { extensionsOf } from './read-extensions.ts';
import { signatureAlgorithm, signed, spkiNode } from './signed.ts';

/** A CA that can sign: its certificate and its private key. */
export interface Authority {
  readonly certificate: Certificate;
  readonly key: KeyObject;
}

/** When a certificate is issued, and where the random bits of its serial number come from. */
export interface Issuing {
  /** Unix ms. */
  readonly now: number;
  /** Must be unpredictable. */
  readonly random: Random;
  readonly life?: Duration;
}

/** What the issuer decides about a node's certificate. The key comes from a checked request. */
export interface Holder {
  readonly name: PeerName;
  readonly key: KeyObject;
  /** DNS names and IP addresses at which etcd reaches a manager. */
  readonly hosts?: readonly string[];
}

/** A new root CA of a cluster. Its name contains the id of its key, because a cluster has two roots while the CA rotates. */
export function issueRoot(cluster: ClusterId, key: KeyObject, issuing: Issuing): Certificate {
  const id = extensions.keyId(createPublicKey(key));
  const name = distinguishedName(
    [oids.organization, cluster],
    [oids.commonName, `Causeway CA ${toHex(id).slice(0, 8)}`],
  );
  return certificate(key, {
    serial: serial(issuing.random),
    issuer: name,
    validity: validity(issuing, rootLife),
    subject: name,
    key: createPublicKey(key),
    // One CA may stand below: the next root, as this root signs it for the rotation.
    extensions: [extensions.authority(1), extensions.signsCertificates(), extensions.subjectKey(id)],
  });
}

/**
 * The next root, signed by the present root. A peer that trusts only the present root accepts certificates of the next root
 * if this certificate is sent with them.
 */
export function crossSign(present: Authority, next: Certificate, issuing: Issuing): Certificate {
  const { subject, key, keyIdentifier } = authorityParts(next);
  const whole = validity(issuing, rootLife);
  return certificate(present.key, {
    serial: serial(issuing.random),
    issuer: authorityParts(present.certificate).subject,
    validity: { ...whole, notAfter: Math.min(present.certificate.notAfter, next.notAfter) },
    subject,
    key,
    extensions: [
      extensions.authority(0),
      extensions.signsCertificates(),
      ...(keyIdentifier ? [extensions.subjectKey(keyIdentifier)] : []),
      ...authorityKey(present.certificate),
    ],
  });
}

/** The certificate of an operator, a manager or an agent. It ends with its issuer's at the latest. */
export function issueNode(issuer: Authority, { name, key, hosts = [] }: Holder, issuing: Issuing): Certificate {
  const { notBefore, notAfter } = validity(issuing, nodeLife);
  const names = name.role === 'manager' ? [managerDnsName(name.cluster), ...hosts] : [];
  return certificate(issuer.key, {
    serial: serial(issuing.random),
    issuer: authorityParts(issuer.certificate).subject,
    validity: { notBefore, notAfter: Math.min(notAfter, issuer.certificate.notAfter) },
    subject: distinguishedName(
      [oids.organization, name.cluster],
      [oids.organizationalUnit, name.role],
      [oids.commonName, name.id],
    ),
    key,
    extensions: [
      extensions.notAuthority(),
      extensions.signsHandshakes(),
      name.role === 'operator' ? extensions.mayBe('clientAuth') : extensions.mayBe('clientAuth', 'serverAuth'),
      extensions.subjectKey(extensions.keyId(key)),
      ...authorityKey(issuer.certificate),
      extensions.alternativeNames(formatPeerName(name), names),
    ],
  });
}

interface Fields {
  readonly serial: Node;
  readonly issuer: Node;
  readonly validity: { readonly notBefore: number; readonly notAfter: number };
  readonly subject: Node;
  readonly key: KeyObject;
  readonly extensions: readonly Node[];
}

function certificate(signer: KeyObject, fields: Fields): Certificate {
  const { notBefore, notAfter } = fields.validity;
  const version3 = context(0, integer(Uint8Array.of(2)));
  const structure = sequence(
    version3,
    fields.serial,
    signatureAlgorithm(),
    fields.issuer,
    sequence(time(notBefore), time(notAfter)),
    fields.subject,
    spkiNode(fields.key),
    context(3, sequence(...fields.extensions)),
  );
  return unwrap(readCertificate(encode(signed(structure, signer))));
}

function validity({ now, life }: Issuing, otherwise: Duration): { notBefore: number; notAfter: number } {
  return { notBefore: now - backdating, notAfter: now + (life ?? otherwise) };
}

/** 128 random bits: no two certificates share a serial number, also of different issuers, and none can be foreseen. */
function serial(random: Random): Node {
  return integer(random.bytes(16));
}

function distinguishedName(...attributes: readonly (readonly [type: string, value: string])[]): Node {
  return sequence(...attributes.map(([type, value]) => set(sequence(oid(type), utf8String(value)))));
}

/** The name of the holder, exactly as it is written in the certificate. */
export function subjectOf({ der }: Certificate): Node {
  const [structure] = parts(decode(der)) ?? [];
  const [, , , , , subject] = parts(structure) ?? [];
  if (subject === undefined) throw new TypeError('a certificate that was read before is not in DER');
  return subject;
}

/** The parts of a CA's certificate that stand in certificates which it issues, exactly as they are written there. */
function authorityParts(certificate: Certificate): {
  subject: Node;
  key: KeyObject;
  keyIdentifier?: Uint8Array;
} {
  const found = extensionsOf(certificate)?.find(({ id }) => id === oids.subjectKeyIdentifier);
  const keyIdentifier = found && content(decode(found.value), tag.octetString);
  return {
    subject: subjectOf(certificate),
    key: certificate.publicKey,
    ...(keyIdentifier && { keyIdentifier }),
  };
}

function authorityKey(issuer: Certificate): readonly Node[] {
  const { keyIdentifier } = authorityParts(issuer);
  return keyIdentifier === undefined ? [] : [extensions.authorityKey(keyIdentifier)];
}
