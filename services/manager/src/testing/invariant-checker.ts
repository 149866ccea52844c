import { addressOf, type Endpoint, type EndpointId, type Network, type NetworkId, overlaps } from '@causeway/model';
import { createKeys } from '../store/keys.ts';
import { records } from '../store/records/index.ts';
import type { Change, KeyValue, Store, StoreEvent } from '../store/store.ts';

const keys = createKeys();

/**
 * Checks every revision of a store with its own simple code (no view, no pools), and collects faults: an address, a name
 * or an Ethernet address that two endpoints have, subnets that overlap, a VNI that two networks have, an endpoint without
 * its network.
 */
export class InvariantChecker {
  readonly networks = new Map<NetworkId, Network>();
  readonly endpoints = new Map<EndpointId, Endpoint>();
  /** All endpoints that ever existed. */
  readonly everEndpoints = new Set<EndpointId>();
  readonly faults: string[] = [];
  readonly #stop = new AbortController();

  async run(store: Pick<Store, 'follow'>): Promise<void> {
    for await (const change of store.follow(keys.prefix, this.#stop.signal)) this.#look(change);
  }

  stop(): void {
    this.#stop.abort();
  }

  /** Claims without an owner, and records without their claims, in a store at rest. */
  static leaks(kvs: readonly KeyValue[]): readonly string[] {
    const expected = new Set<string>();
    const present = new Set<string>();
    for (const kv of kvs) {
      const key = keys.parse(kv.key);
      if (key === undefined) continue;
      if (key.kind === 'network') for (const claim of networkClaims(readNetwork(kv))) expected.add(claim);
      if (key.kind === 'endpoint') for (const claim of endpointClaims(readEndpoint(kv))) expected.add(claim);
      if (['network-name', 'endpoint-name', 'pool', 'vni', 'addr', 'mac'].includes(key.kind)) present.add(kv.key);
    }
    return [
      ...[...present].filter((claim) => !expected.has(claim)).map((claim) => `leaked ${claim}`),
      ...[...expected].filter((claim) => !present.has(claim)).map((claim) => `missing ${claim}`),
    ];
  }

  #look(change: Change): void {
    if (change.kind === 'snapshot') {
      this.networks.clear();
      this.endpoints.clear();
      for (const kv of change.kvs) this.#take({ kind: 'put', kv });
    } else if (change.kind === 'events') {
      for (const event of change.events) this.#take(event);
    }
    this.#check(change.revision);
  }

  #take(event: StoreEvent): void {
    const key = keys.parse(event.kind === 'put' ? event.kv.key : event.key);
    if (key?.kind === 'network') {
      if (event.kind === 'put') this.networks.set(key.id, readNetwork(event.kv));
      else this.networks.delete(key.id);
    } else if (key?.kind === 'endpoint') {
      if (event.kind === 'put') {
        this.endpoints.set(key.id, readEndpoint(event.kv));
        this.everEndpoints.add(key.id);
      } else this.endpoints.delete(key.id);
    }
  }

  #check(revision: bigint): void {
    const seen = new Map<string, string>();
    for (const endpoint of this.endpoints.values()) {
      if (!this.networks.has(endpoint.network)) this.faults.push(`${revision}: ${endpoint.id} has no network`);
      for (const thing of [endpoint.name, endpoint.mac, ...endpoint.addresses.map(addressOf)]) {
        const other = seen.get(`${endpoint.network} ${thing}`);
        if (other !== undefined) this.faults.push(`${revision}: ${endpoint.id} and ${other} both have ${thing}`);
        seen.set(`${endpoint.network} ${thing}`, endpoint.id);
      }
    }
    const vnis = new Map<number, string>();
    for (const { name, vni } of this.networks.values()) {
      const other = vnis.get(vni);
      if (other !== undefined) this.faults.push(`${revision}: ${name} and ${other} both have VNI ${vni}`);
      vnis.set(vni, name);
    }
    const subnets = [...this.networks.values()].flatMap(({ subnets: own, name }) =>
      own.map((subnet) => ({ name, ...subnet })),
    );
    for (const [i, a] of subnets.entries()) {
      for (const b of subnets.slice(i + 1)) {
        if (overlaps(a.prefix, b.prefix))
          this.faults.push(`${revision}: ${a.prefix} of ${a.name}, ${b.prefix} of ${b.name}`);
      }
    }
  }
}

function networkClaims(network: Network): readonly string[] {
  return [
    keys.networkName(network.name),
    keys.vni(network.vni),
    ...network.subnets.map(({ prefix }) => keys.pool(network.addressSpace, prefix)),
    ...network.subnets.flatMap(({ gateway }) => (gateway === undefined ? [] : [keys.address(network.id, gateway)])),
  ];
}

function endpointClaims(endpoint: Endpoint): readonly string[] {
  return [
    keys.endpointName(endpoint.network, endpoint.name),
    ...endpoint.addresses.map((address) => keys.address(endpoint.network, addressOf(address))),
  ];
}

function readNetwork(kv: KeyValue): Network {
  const record = records.network.codec.decode(kv.value);
  if (!record.ok) throw record.error;
  return record.value.value;
}

function readEndpoint(kv: KeyValue): Endpoint {
  const record = records.endpoint.codec.decode(kv.value);
  if (!record.ok) throw record.error;
  return record.value.value;
}
