/** Why a decoder refuses bytes. */
export type Refusal =
  | 'bad-checksum'
  | 'bad-compression'
  | 'bad-envelope'
  | 'bad-nesting'
  | 'malformed'
  | 'no-key-opens'
  | 'plaintext'
  | 'rate-limited'
  | 'stranger'
  | 'too-long'
  | 'truncated'
  | 'unknown-type'
  | 'wrong-label';

export type Decoded<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly why: Refusal };

export function decoded<Value>(value: Value): Decoded<Value> {
  return { ok: true, value };
}

export function refused(why: Refusal): { readonly ok: false; readonly why: Refusal } {
  return { ok: false, why };
}
