import { createHash } from 'node:crypto';
import { type Brand, CausewayError, fail, ok, type Result } from '@causeway/model';
import { type CheckedText, formatChecked, parseChecked } from './checked.ts';
import { concat, toHex, utf8 } from './text.ts';
import type { Pin } from './trust.ts';

/**
 * A join token: CWAY1-<pin of the CA>-<id>-<secret>. Each part has its own checksum. The pin says which CA the joiner may
 * talk to, the id which record the token belongs to; only the secret is secret.
 */
export interface JoinToken {
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
const secretForm: CheckedText = { kind: 'token secret', bytes: 16, checksum: 4 };

/** Number of random bytes from which a token is made. */
export const tokenBytes = idForm.bytes + secretForm.bytes;

/** `bytes`: secret, and different for each token. */
export function createToken(pin: Pin, bytes: Uint8Array): JoinToken {
  const id = formatChecked(idForm, bytes.subarray(0, idForm.bytes)) as TokenId;
  return { pin, id, secret: bytes.slice(idForm.bytes, tokenBytes) };
}

/** The result is secret. */
export function formatToken({ pin, id, secret }: JoinToken): string {
  return [prefix, formatChecked(pinForm, pin), id, formatChecked(secretForm, secret)].join('-');
}

/** Needs no network: a token that was cut or mistyped is recognised here. No error contains a part of the token. */
export function parseToken(text: string): Result<JoinToken, CausewayError> {
  const all = text.split('-');
  const [first, pinText = '', id = '', secretText = ''] = all;
  if (first !== prefix) return invalid(`begins with something other than ${prefix}-`, 'prefix');
  if (all.length !== 4)
    return invalid(`has ${all.length} parts; expected 4: ${prefix}, CA fingerprint, id and secret`, 'parts');
  const pin = parseChecked(pinForm, pinText);
  if (typeof pin === 'string') return wrongPart('CA fingerprint', pin);
  const idBytes = parseChecked(idForm, id);
  if (typeof idBytes === 'string') return wrongPart('id', idBytes);
  const secret = parseChecked(secretForm, secretText);
  return typeof secret === 'string' ? wrongPart('secret', secret) : ok({ pin, id: id as TokenId, secret });
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
