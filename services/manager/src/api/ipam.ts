import { CausewayError, type NodeId, parseIp, parseReference, parseRequestId, unwrap } from '@causeway/model';
import type {
  CheckClaimsRequest,
  CheckClaimsResponse,
  ClaimFault as ClaimFaultMessage,
  GetAddressHistoryRequest,
  GetAddressHistoryResponse,
  ReleaseAddressRequest,
  ReleaseAddressResponse,
  ReserveAddressRequest,
  ReserveAddressResponse,
  ShowSubnetsRequest,
  ShowSubnetsResponse,
  SubnetUse as SubnetUseMessage,
} from '@causeway/proto/gen/causeway/v1/ipam_service.js';
import { type CallContext, withinCall } from '../call/context.ts';
import { addressHistory } from '../ipam/address-history.ts';
import { type SubnetUse, useOf } from '../ipam/usage.ts';
import { type ClaimFault, type Faults, findFaults, mostRepairs, nameOf, repairClaims } from '../plan/check.ts';
import { inField } from '../plan/fields.ts';
import { releaseAddress, reserveAddress } from '../plan/reservations.ts';
import { createKeys, type Keys } from '../store/keys.ts';
import type { ApiContext } from './modules.ts';

export class IpamApi {
  readonly #context: ApiContext;
  readonly #keys: Keys;

  constructor(context: ApiContext) {
    this.#context = context;
    this.#keys = createKeys(context.settings.prefix);
  }

  async showSubnets(request: ShowSubnetsRequest, call: CallContext): Promise<ShowSubnetsResponse> {
    const reference = unwrap(parseReference(request.network, 'network'));
    await this.#context.atLeast(request.atLeast, call);
    const { view } = this.#context.modules;
    const network = view.findNetwork(reference).value;
    return { subnets: useOf(network, view).map((use) => this.#subnetMessage(use)) };
  }

  async reserveAddress(request: ReserveAddressRequest, call: CallContext): Promise<ReserveAddressResponse> {
    this.#context.leading();
    this.#context.recovered();
    const id = unwrap(parseRequestId(request.requestId));
    const network = unwrap(parseReference(request.network, 'network'));
    const { purpose } = request;
    const address = request.address === '' ? {} : { address: inField('address', parseIp(request.address)) };
    const intent = reserveAddress({ network, purpose, ...address });
    const { reply, revision } = await this.#context.modules.writer.write(id, intent, call);
    return { reservation: { ...reply, revision } };
  }

  async releaseAddress(request: ReleaseAddressRequest, call: CallContext): Promise<ReleaseAddressResponse> {
    this.#context.leading();
    const id = unwrap(parseRequestId(request.requestId));
    const network = unwrap(parseReference(request.network, 'network'));
    const intent = releaseAddress({ network, address: inField('address', parseIp(request.address)) });
    const { revision } = await this.#context.modules.writer.write(id, intent, call);
    return { revision };
  }

  /** Every manager answers. @throws CausewayError address-unknown when no holder of the address is known */
  async getAddressHistory(request: GetAddressHistoryRequest, call: CallContext): Promise<GetAddressHistoryResponse> {
    const { addressIndex, view, clock } = this.#context.modules;
    await this.#context.atLeast(0n, call);
    const address = inField('address', parseIp(request.address));
    const events = await withinCall(clock, call, (signal) => addressIndex.find(address, signal));
    const holdings = addressHistory(address, events, view, request.network);
    if (holdings.length > 0) return { holdings: [...holdings] };
    const where = request.network === '' ? '' : ` of network "${request.network}"`;
    const message = `no holder of ${address}${where} is known: the events that are kept name none`;
    throw new CausewayError('address-unknown', message, { field: 'address', value: address });
  }

  /** The faults that were found. With `repair`, each fault says whether it is repaired now. */
  async checkClaims(request: CheckClaimsRequest, call: CallContext): Promise<CheckClaimsResponse> {
    this.#context.leading();
    const { view } = this.#context.modules;
    const found = findFaults(view, this.#keys);
    if (!request.repair) return this.#faultsMessage(found, () => false);
    await this.#repair([...found.orphans, ...found.missing], call);
    const { duplicates, orphans, missing } = findFaults(view, this.#keys);
    const left = new Set([...duplicates, ...orphans, ...missing].map(nameOf));
    return this.#faultsMessage(found, (fault) => !left.has(nameOf(fault)));
  }

  async #repair(faults: readonly ClaimFault[], call: CallContext): Promise<void> {
    const { writer } = this.#context.modules;
    const { actor, peer, method, signal } = call;
    const change = { actor, peer, method, signal, cause: 'ipam-check' };
    for (const network of new Set(faults.map((fault) => fault.network))) {
      const some = faults.filter((fault) => fault.network === network);
      for (let at = 0; at < some.length; at += mostRepairs) {
        await writer.apply(repairClaims(network, some.slice(at, at + mostRepairs)), change);
      }
    }
  }

  #subnetMessage({ subnet, usedByHost, reservations, ...use }: SubnetUse): SubnetUseMessage {
    const { view } = this.#context.modules;
    const host = (id: string): string => view.nodes.get(id as NodeId)?.value.name ?? id;
    return {
      subnet: subnet.prefix,
      ranges: [...subnet.ranges],
      used: `${use.used}`,
      reserved: `${use.reserved}`,
      cooling: `${use.cooling}`,
      free: `${use.free}`,
      automatic: `${use.automatic}`,
      usedByHost: Object.fromEntries(Array.from(usedByHost, ([node, count]) => [host(node), count])),
      reservations: [...reservations],
    };
  }

  #faultsMessage(faults: Faults, isRepaired: (fault: ClaimFault) => boolean): CheckClaimsResponse {
    const { view } = this.#context.modules;
    const message = (fault: ClaimFault): ClaimFaultMessage => ({
      network: view.networks.get(fault.network)?.value.name ?? fault.network,
      address: 'address' in fault.subject ? fault.subject.address : '',
      vni: 'vni' in fault.subject ? fault.subject.vni : 0,
      holders: [...fault.holders],
      repaired: isRepaired(fault),
    });
    return {
      duplicates: faults.duplicates.map(message),
      orphans: faults.orphans.map(message),
      missing: faults.missing.map(message),
    };
  }
}
