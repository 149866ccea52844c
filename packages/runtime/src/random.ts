export interface Random {
  /** Uniform in [0, 1). */
  float(): number;
  bytes(count: number): Uint8Array;
}

/** A fresh identifier of 16 hex digits (64 bits). */
export function randomId(random: Random): string {
  return hex(random.bytes(8));
}

/** RFC 9562 version 4. */
export function randomUuid(random: Random): string {
  const bytes = random.bytes(16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const digits = hex(bytes);
  const cuts = [0, 8, 12, 16, 20];
  return cuts.map((from, i) => digits.slice(from, cuts[i + 1])).join('-');
}

const digitsOf = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

function hex(bytes: Uint8Array): string {
  let digits = '';
  for (const byte of bytes) digits += digitsOf[byte];
  return digits;
}
