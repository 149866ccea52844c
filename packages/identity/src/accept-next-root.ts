import { CausewayError, fail, ok, type Result } from '@causeway/model';
import { checkExternalAuthority } from './authority.ts';
import { clockTolerance } from './lifetimes.ts';
import { toHex } from './text.ts';
import { isIssuedBy } from './trust.ts';
import { type Certificate, publicKeyOf, readCertificates } from './x509/certificate.ts';
import { encode } from './x509/der.ts';
import { subjectOf } from './x509/issue.ts';
import { oids } from './x509/oids.ts';
import { extensionsOf, pathLengthIn } from './x509/read-extensions.ts';

/** The root that replaces the present root, and the same, signed by the present root. */
export interface NextRoot {
  readonly root: Certificate;
  readonly crossSigned: Certificate;
}

/** Whether this text, in PEM, has the two certificates with which an external CA is replaced. */
export function acceptNextRoot(
  pem: string,
  { present, now }: { readonly present: Certificate; readonly now: number },
): Result<NextRoot, CausewayError> {
  const read = readCertificates(pem);
  if (!read.ok) return refuse(read.error.message);
  const made = read.value.filter(({ der }) => toHex(der) !== toHex(present.der));
  const root = made.find((each) => isIssuedBy(each, each));
  const [crossSigned, ...others] = made.filter((each) => each !== root);
  if (root === undefined || crossSigned === undefined || others.length > 0)
    return refuse('expected the next root, and the next root signed by the present root');
  const checked = checkExternalAuthority(root, now);
  if (!checked.ok) return refuse(checked.error.message);
  const wrong = wrongIn({ root, crossSigned }, present, now);
  return wrong === undefined ? ok({ root, crossSigned }) : refuse(wrong);
}

function wrongIn({ root, crossSigned }: NextRoot, present: Certificate, now: number): string | undefined {
  const [key, formerKey] = [root, present].map((each) => toHex(publicKeyOf(each)));
  if (key === formerKey) return 'its key is the key of the present root';
  const isCa = crossSigned.isAuthority && extensionsOf(crossSigned) !== undefined;
  if (!isCa || !isIssuedBy(crossSigned, present))
    return 'the second certificate is not a CA that the present root has signed';
  const [name, crossName] = [root, crossSigned].map((each) => toHex(encode(subjectOf(each))));
  if (toHex(publicKeyOf(crossSigned)) !== key || crossName !== name)
    return 'the certificate that the present root has signed has another name or key than the next root';
  const [keyId, crossKeyId] = [root, crossSigned].map(keyIdOf);
  if (keyId !== crossKeyId)
    return 'the certificate that the present root has signed has another subjectKeyIdentifier than the next root';
  const youngest = now - clockTolerance;
  if (root.notBefore > youngest || crossSigned.notBefore > youngest)
    return 'hosts whose clock is behind would refuse it: both certificates must begin five minutes ago or earlier';
  if (now > crossSigned.notAfter) return 'the certificate that the present root has signed has expired';
  // Otherwise OpenSSL would refuse every member that has renewed, until all have.
  const constraints = extensionsOf(present)?.find(({ id }) => id === oids.basicConstraints);
  const isLast = pathLengthIn(constraints?.value) === 0;
  return isLast ? 'the present root has pathlen:0, so no CA may stand below' : undefined;
}

/** By it, certificates name their issuer: OpenSSL takes no issuer with another. */
function keyIdOf(certificate: Certificate): string | undefined {
  const found = extensionsOf(certificate)?.find(({ id }) => id === oids.subjectKeyIdentifier);
  return found && toHex(found.value);
}

function refuse(why: string): Result<never, CausewayError> {
  return fail(new CausewayError('certificate-invalid', `the next CA cannot be used: ${why}`));
}
