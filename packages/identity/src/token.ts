import { createHash } from 'node:crypto';
import { type Brand, CausewayError, fail, ok, type Result } from '@causeway/model';
import { type CheckedText, formatChecked, parseChecked } from './checked.ts';
import { parseRole, type Role } from './name.ts';
import { concat, toHex, utf8 } from './text.ts';
import type { Pin } from './trust.ts';

/**
 * A join token: CWAY1-<role>-<pin of the CA>-<id>-<secret>. Each part has its own checksum; that of the secret is over the role,
 * too. The role says what the joiner becomes, so that the joiner can prepare for it; the cluster decides by its own record. The
 * pin says which CA the joiner may talk to, the id which record the token belongs to; only the secret is secret.
 */
export interface JoinToken {
  readonly role: Role;
  readonly pin: Pin;
  readonly id: TokenId;
  /** 128 random bits. */
  readonly secret: Uint8Array;
}

/** As in the token, with its checksum. Operators see it in `node token list`. */
export type TokenId = Brand<string, 'TokenId'>;

const prefix = 'CWAY1';
const pinForm: CheckedText = { kind: 'token CA', bytes: 32, checksum: 3 };
const idForm: CheckedText = { kind: 'token id', bytes: 7, checksum: 3 };
const secretForm = (role: Role): CheckedText => ({ kind: `token secret of ${role}`, bytes: secretBytes, checksum: 4 });
const secretBytes = 16;

/** Number of random bytes from which a token is made. */
export const tokenBytes = idForm.bytes + secretBytes;

/** `bytes`: secret, and different for each token. */
export function createToken({ role, pin }: Pick<JoinToken, 'role' | 'pin'>, bytes: Uint8Array): JoinToken {
  const id = formatChecked(idForm, bytes.subarray(0, idForm.bytes)) as TokenId;
  return { role, pin, id, secret: bytes.slice(idForm.bytes, tokenBytes) };
}

/** The result is secret. */
export function formatToken({ role, pin, id, secret }: JoinToken): string {
  return [prefix, role, formatChecked(pinForm, pin), id, formatChecked(secretForm(role), secret)].join('-');
}

/** Needs no network: a token that was cut or mistyped is recognised here. No error contains a part of the token. */
export function parseToken(text: string): Result<JoinToken, CausewayError> {
  const all = text.split('-');
  const [first, roleText = '', pinText = '', id = '', secretText = ''] = all;
  if (first !== prefix) return invalid(`begins with something other than ${prefix}-`, 'prefix');
  if (all.length !== 5)
    return invalid(`has ${all.length} parts; expected 5: ${prefix}, role, CA fingerprint, id and secret`, 'parts');
  const role = parseRole(roleText);
  if (!role.ok) return wrongPart('role', 'is mistyped');
  const pin = parseChecked(pinForm, pinText);
  if (typeof pin === 'string') return wrongPart('CA fingerprint', pin);
  const idBytes = parseChecked(idForm, id);
  if (typeof idBytes === 'string') return wrongPart('id', idBytes);
  const secret = parseChecked(secretForm(role.value), secretText);
  if (typeof secret === 'string') return wrongPart('secret', secret);
  return ok({ role: role.value, pin, id: id as TokenId, secret });
}

export function parseTokenId(text: string): Result<TokenId, CausewayError> {
  const bytes = parseChecked(idForm, text);
  return typeof bytes === 'string' ? wrongPart('id', bytes) : ok(text as TokenId);
}

/**
 * What a manager stores instead of the secret, as hex digits. A hash that is slow on purpose would add nothing: 2^128 secrets cannot
 * be tried.
 */
export function hashSecret({ id, secret }: Pick<JoinToken, 'id' | 'secret'>): string {
  return toHex(
    createHash('sha256')
      .update(concat(utf8(`causeway join ${id}\0`), secret))
      .digest(),
  );
}

function wrongPart(part: string, why: string): Result<never, CausewayError> {
  return invalid(`is damaged: its ${part} ${why}`, part);
}

function invalid(why: string, part: string): Result<never, CausewayError> {
  const message = `the join token ${why}; copy the whole token as "causeway node token create" printed it`;
  return fail(new CausewayError('token-invalid', message, { part }));
}
