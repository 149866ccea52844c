import { assertNever, type Name, type NetworkId, parseNetworkId } from '@causeway/model';
import { decodeText, encodeText, type Json, object } from './codec.ts';

/** Who has a VNI: the value of its key. */
export type VniClaim =
  /** `asked`: the network wanted this very one. */
  | { readonly kind: 'network'; readonly network: NetworkId; readonly asked: boolean }
  /** Of a network that was deleted, and perhaps still in some host's kernel. */
  | { readonly kind: 'cooling'; readonly network: NetworkId; readonly name: Name; readonly asked: boolean }
  /** Of a later version: all that is known is that the VNI is taken. */
  | { readonly kind: 'foreign'; readonly text: string };

/** A VNI's claim as the store has it. */
export interface ClaimedVni {
  readonly claim: VniClaim;
  /** Revision that took the VNI; that it cools does not change it. */
  readonly created: bigint;
  /** Of the last change. */
  readonly revision: bigint;
}

export function encodeVniClaim(claim: VniClaim): Uint8Array {
  switch (claim.kind) {
    case 'network':
      return encodeText(JSON.stringify({ network: claim.network, ...askedToJson(claim) }));
    case 'cooling':
      return encodeText(
        JSON.stringify({ cooling: { network: claim.network, name: claim.name, ...askedToJson(claim) } }),
      );
    case 'foreign':
      return encodeText(claim.text);
    default:
      return assertNever(claim);
  }
}

/** Reads the plain text of the first version too: a network's id. */
export function decodeVniClaim(bytes: Uint8Array): VniClaim {
  const text = decodeText(bytes);
  const id = parseNetworkId(text);
  if (id.ok) return { kind: 'network', network: id.value, asked: false };
  return fromJson(parse(text)) ?? { kind: 'foreign', text };
}

/** Holder in words, for people. */
export function printVniClaim(claim: VniClaim): string {
  switch (claim.kind) {
    case 'network':
      return `network ${claim.network}`;
    case 'cooling':
      return `cooling after network "${claim.name}"`;
    case 'foreign':
      return 'holder that only a later version knows';
    default:
      return assertNever(claim);
  }
}

function askedToJson({ asked }: { readonly asked: boolean }): { readonly asked?: true } {
  return asked ? { asked: true } : {};
}

function fromJson(json: Json): VniClaim | undefined {
  const { network, asked, cooling } = object(json);
  if (typeof network === 'string') return { kind: 'network', network: network as NetworkId, asked: asked === true };
  const last = object(cooling);
  if (typeof last['network'] !== 'string' || typeof last['name'] !== 'string') return undefined;
  const [id, name] = [last['network'] as NetworkId, last['name'] as Name];
  return { kind: 'cooling', network: id, name, asked: last['asked'] === true };
}

function parse(source: string): Json {
  try {
    return JSON.parse(source) as Json;
  } catch {
    return null;
  }
}
