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

/** A holder that only a later version knows: all that this one knows is that the thing is taken. */
export interface ForeignClaim {
  readonly kind: 'foreign';
  readonly text: string;
}

type Known<Claim> = Exclude<Claim, ForeignClaim>;

export interface ClaimForm<Claim> {
  toJson(claim: Known<Claim>): Json;
  /** Undefined: of a later version. */
  fromJson(json: JsonObject): Known<Claim> | undefined;
  /** The first version wrote plain text. */
  fromText(text: string): Known<Claim> | undefined;
}

/** Who has a thing, as the value of its key. Every value can be read: a holder that is not understood is a foreign one. */
export function claimCodec<Claim extends { readonly kind: string }>(
  form: ClaimForm<Claim>,
): Codec<Claim | ForeignClaim> {
  return {
    encode: (claim) =>
      encodeText(
        claim.kind === 'foreign' ? (claim as ForeignClaim).text : JSON.stringify(form.toJson(claim as Known<Claim>)),
      ),
    decode: (bytes) => {
      const text = decodeText(bytes);
      const claim = text.startsWith('{') ? form.fromJson(object(parseJson(text))) : form.fromText(text);
      return ok({ value: claim ?? { kind: 'foreign', text } });
    },
  };
}

/** A claim as the store has it. */
export interface Held<Claim> {
  readonly claim: Claim;
  /** Revision that took the thing; a change of holder does not change it. */
  readonly created: bigint;
  /** Of the last change of holder. */
  readonly revision: bigint;
}

export function held<Claim>({ value: claim }: Decoded<Claim>, kv: Stamped): Held<Claim> {
  return { claim, created: kv.createRevision, revision: kv.modRevision };
}
