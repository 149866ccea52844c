import { createPublicKey, diffieHellman, hkdfSync, type KeyObject } from 'node:crypto';
import { CausewayError, fail, type Result } from '@causeway/model';
import type { Random } from '@causeway/runtime';
import type { PrivateKey } from './credential.ts';
import { type SealContext, seal, unseal } from './seal.ts';
import { concat, fromBase64, utf8 } from './text.ts';
import { readSpki, spkiOf } from './x509/signed.ts';

export type PublicKey = KeyObject;

/** A public key as records have it: SubjectPublicKeyInfo in DER, base 64. Undefined: it is none of ours. */
export function readPublicKey(text: string): PublicKey | undefined {
  const bytes = fromBase64(text);
  return bytes && readSpki(bytes);
}

/** A public key on P-256 as `spkiOf` writes it. */
const spkiBytes = 91;

interface Sealing {
  /** A new key, for this secret only. */
  readonly ephemeral: PrivateKey;
  readonly random: Random;
}

/** A secret that only the holder of a private key can open (ECIES): the ephemeral public key, then `seal` by the shared secret. */
export function sealFor(
  holder: KeyObject,
  secret: Uint8Array,
  context: SealContext,
  { ephemeral, random }: Sealing,
): Uint8Array {
  const from = spkiOf(createPublicKey(ephemeral));
  const shared = diffieHellman({ privateKey: ephemeral, publicKey: holder });
  return concat(from, seal(keyFrom(shared, from, spkiOf(holder)), secret, context, random));
}

/** By another key than the holder's: `unlock-key-wrong`. */
export function openFor(own: PrivateKey, sealed: Uint8Array, context: SealContext): Result<Uint8Array, CausewayError> {
  const from = sealed.subarray(0, spkiBytes);
  const ephemeral = readSpki(from);
  if (ephemeral === undefined)
    return fail(new CausewayError('data-damaged', `the sealed ${context.purpose} is damaged, or of a later version`));
  const shared = diffieHellman({ privateKey: own, publicKey: ephemeral });
  return unseal(keyFrom(shared, from, spkiOf(createPublicKey(own))), sealed.subarray(spkiBytes), context);
}

/** Bound to both public keys (RFC 5869). */
function keyFrom(shared: Uint8Array, from: Uint8Array, to: Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', shared, utf8('causeway sealed for'), concat(from, to), 32));
}
