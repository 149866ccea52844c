import { ok } from '@causeway/model';
import {
  type Codec,
  type Decoded,
  decodeText,
  encodeText,
  type Json,
  type JsonObject,
  object,
  parseJson,
} from './codec.ts';
import type { Stamped } from './kind.ts';

/** A holder that only a later version understands. This version knows only that the thing is taken. */
export interface UnknownClaim {
  readonly kind: 'unknown';
  readonly text: string;
}

type Known<Claim> = Exclude<Claim, UnknownClaim>;

export interface ClaimForm<Claim> {
  toJson(claim: Known<Claim>): Json;
  /** Undefined: a later version wrote the claim. */
  fromJson(json: JsonObject): Known<Claim> | undefined;
  /** The first version wrote plain text. */
  fromText(text: string): Known<Claim> | undefined;
}

/** Codec of a claim's value. It reads every value: a holder that it does not understand becomes an `UnknownClaim`. */
export function claimCodec<Claim extends { readonly kind: string }>(
  form: ClaimForm<Claim>,
): Codec<Claim | UnknownClaim> {
  return {
    encode: (claim) =>
      encodeText(
        claim.kind === 'unknown' ? (claim as UnknownClaim).text : JSON.stringify(form.toJson(claim as Known<Claim>)),
      ),
    decode: (bytes) => {
      const text = decodeText(bytes);
      const claim = text.startsWith('{') ? form.fromJson(object(parseJson(text))) : form.fromText(text);
      return ok({ value: claim ?? { kind: 'unknown', text } });
    },
  };
}

/** A claim with its revisions. */
export interface Held<Claim> {
  readonly claim: Claim;
  /** Revision in which the thing was claimed. A later change of holder leaves it as it is. */
  readonly created: bigint;
  /** Revision of the last change of holder. */
  readonly revision: bigint;
}

export function held<Claim>({ value: claim }: Decoded<Claim>, kv: Stamped): Held<Claim> {
  return { claim, created: kv.createRevision, revision: kv.modRevision };
}
