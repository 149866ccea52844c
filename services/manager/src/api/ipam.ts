import { CausewayError, type NetworkId, type NodeId, parseIp, parseRequestId, unwrap } from '@causeway/model';
import type {
  CheckClaimsRequest,
  CheckClaimsResponse,
  ClaimFault as ClaimFaultMessage,
  GetAddressHistoryRequest,
  GetAddressHistoryResponse,
  PoolUse,
  ReleaseAddressRequest,
  ReleaseAddressResponse,
  ReserveAddressRequest,
  ReserveAddressResponse,
  ShowPoolsRequest,
  ShowPoolsResponse,
} from '@causeway/proto/gen/causeway/v1/ipam_service.js';
import { addressHistory } from '../ipam/address-history.ts';
import { type SubnetUse, useOf } from '../ipam/usage.ts';
import { type ClaimFault, type Faults, findFaults, mostRepairs, repairClaims } from '../plan/check.ts';
import { findVniFaults, repairVni, type VniFault } from '../plan/check-vnis.ts';
import { inField, present } from '../plan/fields.ts';
import { releaseAddress, reserveAddress } from '../plan/reservations.ts';
import { Keys } from '../store/keys.ts';
import { type Call, withinCall } from './call.ts';
import type { ApiContext } from './modules.ts';

/** IpamService. */
export class IpamApi {
  readonly #context: ApiContext;
  readonly #keys: Keys;

  constructor(context: ApiContext) {
    this.#context = context;
    this.#keys = new Keys(context.settings.prefix);
  }

  async showPools(request: ShowPoolsRequest, call: Call): Promise<ShowPoolsResponse> {
    await this.#context.atLeast(request.atLeast, call);
    const { view } = this.#context.modules;
    const network = view.findNetwork(present(request.network, 'network')).value;
    return { pools: useOf(network, view).map((use) => this.#poolMessage(use)) };
  }

  async reserveAddress(request: ReserveAddressRequest, call: Call): Promise<ReserveAddressResponse> {
    this.#context.leading();
    this.#context.recovered();
    const id = unwrap(parseRequestId(request.requestId));
    const network = present(request.network, 'network');
    const { purpose } = request;
    const asked = request.address === '' ? {} : { address: inField('address', parseIp(request.address)) };
    const intent = reserveAddress({ network, purpose, ...asked });
    const { reply, revision } = await this.#context.modules.writer.write(id, intent, call);
    return { reservation: { ...reply, revision } };
  }

  async releaseAddress(request: ReleaseAddressRequest, call: Call): Promise<ReleaseAddressResponse> {
    this.#context.leading();
    const id = unwrap(parseRequestId(request.requestId));
    const network = present(request.network, 'network');
    const intent = releaseAddress({ network, address: inField('address', parseIp(request.address)) });
    const { revision } = await this.#context.modules.writer.write(id, intent, call);
    return { revision };
  }

  /** Every manager answers. @throws CausewayError address-unknown when nobody is known to have held it */
  async getAddressHistory(request: GetAddressHistoryRequest, call: Call): Promise<GetAddressHistoryResponse> {
    const { addressIndex, view, clock } = this.#context.modules;
    await this.#context.atLeast(0n, call);
    const address = inField('address', parseIp(present(request.address, 'address')));
    const told = await withinCall(clock, call, (signal) => addressIndex.find(address, signal));
    const holdings = addressHistory(address, told, view, request.network);
    if (holdings.length > 0) return { holdings: [...holdings] };
    const where = request.network === '' ? '' : ` of network "${request.network}"`;
    const message = `nobody is known to have held ${address}${where} since events are kept`;
    throw new CausewayError('address-unknown', message, { field: 'address', value: address });
  }

  /** What was found; with `repair`, each fault says whether it is right now. */
  async checkClaims(request: CheckClaimsRequest, call: Call): Promise<CheckClaimsResponse> {
    this.#context.leading();
    const { view } = this.#context.modules;
    const found = { addresses: findFaults(view, this.#keys), vnis: findVniFaults(view) };
    if (!request.repair) return this.#faultsMessage(found, () => false);
    await this.#repairAddresses(found.addresses, call);
    await this.#repairVnis(found.vnis, call);
    const left = new Set([...all(findFaults(view, this.#keys)), ...all(findVniFaults(view))].map(nameOf));
    return this.#faultsMessage(found, (fault) => !left.has(nameOf(fault)));
  }

  async #repairVnis({ orphans, missing }: Faults<VniFault>, call: Call): Promise<void> {
    for (const { vni } of [...orphans, ...missing])
      await this.#context.modules.writer.apply(repairVni(vni), { ...call, cause: 'ipam-check' });
  }

  async #repairAddresses({ orphans, missing }: Faults, call: Call): Promise<void> {
    const { writer } = this.#context.modules;
    const byNetwork = new Map<NetworkId, ClaimFault[]>();
    for (const fault of [...orphans, ...missing]) {
      const faults = byNetwork.get(fault.network);
      if (faults === undefined) byNetwork.set(fault.network, [fault]);
      else faults.push(fault);
    }
    for (const [network, faults] of byNetwork) {
      for (let at = 0; at < faults.length; at += mostRepairs) {
        const addresses = faults.slice(at, at + mostRepairs).map(({ address }) => address);
        await writer.apply(repairClaims(network, addresses), { ...call, cause: 'ipam-check' });
      }
    }
  }

  #poolMessage({ pool, usedByHost, reservations, ...use }: SubnetUse): PoolUse {
    const { view } = this.#context.modules;
    const host = (id: string): string => view.nodes.get(id as NodeId)?.value.name ?? id;
    return {
      subnet: pool.prefix,
      ranges: [...pool.ranges],
      used: `${use.used}`,
      reserved: `${use.reserved}`,
      cooling: `${use.cooling}`,
      free: `${use.free}`,
      automatic: `${use.automatic}`,
      usedByHost: Object.fromEntries(Array.from(usedByHost, ([node, count]) => [host(node), count])),
      reservations: [...reservations],
    };
  }

  #faultsMessage({ addresses, vnis }: Found, isRepaired: (fault: AnyFault) => boolean): CheckClaimsResponse {
    const { view } = this.#context.modules;
    const messages = (kind: keyof Faults): ClaimFaultMessage[] =>
      [...addresses[kind], ...vnis[kind]].map((fault) => ({
        network: view.networks.get(fault.network)?.value.name ?? fault.network,
        address: 'vni' in fault ? '' : fault.address,
        vni: 'vni' in fault ? fault.vni : 0,
        holders: [...fault.holders],
        repaired: isRepaired(fault),
      }));
    return { duplicates: messages('duplicates'), orphans: messages('orphans'), missing: messages('missing') };
  }
}

type AnyFault = ClaimFault | VniFault;

interface Found {
  readonly addresses: Faults;
  readonly vnis: Faults<VniFault>;
}

function all<Fault>({ duplicates, orphans, missing }: Faults<Fault>): readonly Fault[] {
  return [...duplicates, ...orphans, ...missing];
}

function nameOf(fault: AnyFault): string {
  return 'vni' in fault ? `vni ${fault.vni}` : `${fault.network}/${fault.address}`;
}
