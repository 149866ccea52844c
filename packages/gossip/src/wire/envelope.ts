import { type Aead, nonceLength, tagLength } from './aead.ts';
import { type Bytes, concat } from './bytes.ts';
import type { Keyring } from './keyring.ts';
import { type Decoded, decoded, refused } from './refusal.ts';

/**
 * Version 0 pads the plaintext to whole blocks (PKCS #7); protocol 1 of memberlist sends it. Version 1 does not pad.
 * Both are always understood.
 */
export type EnvelopeVersion = 0 | 1;

const blockLength = 16;

/** How nodes of a cluster encrypt. */
export interface Encryption {
  readonly aead: Aead;
  readonly keyring: Keyring;
  readonly version: EnvelopeVersion;
  /** Whether this node encrypts what it sends. False, and `refusesPlaintext` false: a cluster changes to encryption. */
  readonly encryptsOutgoing: boolean;
  readonly refusesPlaintext: boolean;
}

/** The length of the envelope of so many bytes. */
export function envelopeLength(version: EnvelopeVersion, length: number): number {
  const padding = version === 0 ? blockLength - (length % blockLength) : 0;
  return 1 + nonceLength + length + padding + tagLength;
}

/** The longest plaintext whose envelope has at most `length` bytes. */
export function envelopeRoom(version: EnvelopeVersion, length: number): number {
  const room = length - 1 - nonceLength - tagLength;
  return version === 0 ? room - (room % blockLength) - 1 : room;
}

export function sealEnvelope({ aead, keyring, version }: Encryption, plaintext: Bytes, associated: Bytes): Bytes {
  const padded = version === 0 ? pad(plaintext) : plaintext;
  return concat(Uint8Array.of(version), aead.seal(keyring.primary, padded, associated));
}

export function openEnvelope({ aead, keyring }: Encryption, envelope: Bytes, associated: Bytes): Decoded<Bytes> {
  const version = envelope[0];
  if (version === undefined || version > 1 || envelope.length < envelopeLength(1, 0)) return refused('bad-envelope');
  const sealed = envelope.subarray(1);
  for (const key of keyring.keys) {
    const plaintext = aead.open(key, sealed, associated);
    if (plaintext === undefined) continue;
    const message = version === 0 ? withoutPadding(plaintext) : plaintext;
    return message === undefined ? refused('bad-envelope') : decoded(message);
  }
  return refused('no-key-opens');
}

function pad(bytes: Bytes): Bytes {
  const count = blockLength - (bytes.length % blockLength);
  return concat(bytes, new Uint8Array(count).fill(count));
}

function withoutPadding(bytes: Bytes): Bytes | undefined {
  const count = bytes.at(-1) ?? 0;
  if (count < 1 || count > blockLength || count > bytes.length) return undefined;
  if (!bytes.subarray(-count).every((byte) => byte === count)) return undefined;
  return bytes.subarray(0, -count);
}
