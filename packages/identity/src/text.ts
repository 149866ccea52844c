/** Bytes as text and back. Pure, so that they may be used where Buffer may not. */

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** The digits must be hex digits; an odd number of them begins with a zero. */
export function fromHex(digits: string): Uint8Array {
  const pairs = (digits.length % 2 === 0 ? digits : `0${digits}`).match(/../g) ?? [];
  return Uint8Array.from(pairs, (pair) => Number.parseInt(pair, 16));
}

export function toBase64(bytes: Uint8Array): string {
  return btoa(toBinary(bytes));
}

/** Undefined: the text is not base64, or not the way in which these bytes are written. */
export function fromBase64(text: string): Uint8Array | undefined {
  try {
    const bytes = fromBinary(atob(text));
    return toBase64(bytes) === text ? bytes : undefined;
  } catch {
    return undefined;
  }
}

/** A string with one character per byte, which btoa and node-forge take. */
export function toBinary(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

export function fromBinary(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/**
 * Digits of Crockford's base 32, in lower case: without i, l, o and u, which people misread. Each digit is five bits, so
 * five bytes are eight digits, and there is only one way to write them.
 */
const digits = '0123456789abcdefghjkmnpqrstvwxyz';

/** The length must be a multiple of five bytes. */
export function toBase32(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 5) {
    const group = bytes.subarray(at, at + 5).reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
    for (let shift = 35n; shift >= 0n; shift -= 5n) text += digits[Number((group >> shift) & 31n)];
  }
  return text;
}

/** Undefined: a character is not a digit, or the text has not 8, 16, 24 … digits. */
export function fromBase32(text: string): Uint8Array | undefined {
  if (text.length % 8 !== 0) return undefined;
  const bytes = new Uint8Array((text.length / 8) * 5);
  for (let at = 0; at < text.length; at += 8) {
    let group = 0n;
    for (const character of text.slice(at, at + 8)) {
      const value = digits.indexOf(character);
      if (value < 0) return undefined;
      group = group * 32n + BigInt(value);
    }
    for (let i = 4; i >= 0; i--, group >>= 8n) bytes[(at / 8) * 5 + i] = Number(group & 255n);
  }
  return bytes;
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** The fields of a file in JSON. A text that is no JSON object has none: errors of JSON.parse quote the text, which may contain a key. */
export function fieldsOf(json: string): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(json);
    return typeof parsed === 'object' && parsed !== null ? { ...parsed } : {};
  } catch {
    return {};
  }
}
