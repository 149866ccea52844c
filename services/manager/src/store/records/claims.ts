import {
  type Ip,
  type Mac,
  type NetworkId,
  parseIp,
  parseMac,
  parseNetworkId,
  parseRequestId,
  parseVni,
  type Vni,
} from '@causeway/model';
import { addressClaimCodec, type Claim } from './claim.ts';
import { held } from './claim-codec.ts';
import { ClaimIndex } from './claim-index.ts';
import { type KeyKind, keyPart, type RecordKind } from './kind.ts';
import { MapIndex } from './map-index.ts';
import { type ClaimedVni, type VniClaim, vniClaimCodec } from './vni-claim.ts';

/** Who has an address of a network. */
export const address = {
  kind: 'addr',
  path: [keyPart('network', parseNetworkId), keyPart('ip', parseIp)],
  codec: addressClaimCodec,
  keep: held<Claim>,
  index: () => new ClaimIndex(({ ip }: { readonly network: NetworkId; readonly ip: Ip }) => ip),
  listeners: 'claim',
} as const satisfies RecordKind;

/** Who has a MAC address that does not follow from a claimed IPv4 address. */
export const mac = {
  kind: 'mac',
  path: [keyPart('network', parseNetworkId), keyPart('mac', parseMac)],
  codec: addressClaimCodec,
  keep: held<Claim>,
  index: () => new ClaimIndex(({ mac }: { readonly network: NetworkId; readonly mac: Mac }) => mac),
} as const satisfies RecordKind;

/** Who has a VNI, even after its network was deleted. */
export const vni = {
  kind: 'vni',
  path: [keyPart('vni', (text) => parseVni(Number(text)))],
  codec: vniClaimCodec,
  keep: held<VniClaim>,
  index: () => new MapIndex<'vni', Vni, ClaimedVni>('vni'),
  listeners: 'claim',
} as const satisfies RecordKind;

/** The outcome of a call, so that a retry gets the same answer. */
export const request = { kind: 'req', path: [keyPart('id', parseRequestId)] } as const satisfies KeyKind;
