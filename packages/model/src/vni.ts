import type { Brand } from './brand.ts';
import { CausewayError } from './error.ts';
import { fail, ok, type Result, unwrap } from './result.ts';

/** A VXLAN network identifier, 1 … 2^24−1 (RFC 7348 §5). */
export type Vni = Brand<number, 'Vni'>;

/** Automatic identifiers start here. Smaller identifiers are left for networks with a VNI chosen by hand. */
export const firstAutomaticVni = 4096 as Vni;
export const lastVni = 0xffffff as Vni;

export function parseVni(value: number): Result<Vni, CausewayError> {
  if (!Number.isInteger(value) || value < 1 || value > lastVni) {
    return fail(new CausewayError('vni-invalid', `VNI ${value} is outside 1 to ${lastVni}`, { field: 'vni', value }));
  }
  return ok(value as Vni);
}

export function Vni(value: number): Vni {
  return unwrap(parseVni(value));
}
