import { type Aead, nonceLength, tagLength } from '../wire/aead.ts';
import { type Bytes, concat, equalBytes } from '../wire/bytes.ts';
import { crc32 } from '../wire/crc32.ts';

/**
 * An Aead that encrypts nothing, for simulations: as long as AES-GCM's, and deterministic. The tag depends on the key, the
 * associated data and the message, so that a wrong key or label is noticed.
 */
export class NullAead implements Aead {
  seal(key: Bytes, plaintext: Bytes, associated: Bytes): Bytes {
    return concat(new Uint8Array(nonceLength), plaintext, tag(key, plaintext, associated));
  }

  open(key: Bytes, sealed: Bytes, associated: Bytes): Bytes | undefined {
    if (sealed.length < nonceLength + tagLength) return undefined;
    const plaintext = sealed.subarray(nonceLength, -tagLength);
    return equalBytes(sealed.subarray(-tagLength), tag(key, plaintext, associated)) ? plaintext : undefined;
  }
}

function tag(key: Bytes, plaintext: Bytes, associated: Bytes): Bytes {
  const sum = new Uint8Array(tagLength);
  new DataView(sum.buffer).setUint32(0, crc32(concat(key, associated, plaintext)));
  return sum;
}
