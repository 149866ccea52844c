/** The fields of an endpoint's record. */
export interface EndpointRecord {
  readonly id: string;
  readonly name: string;
  readonly network: string;
  readonly node: string;
  /** "10.66.0.9/16" */
  readonly addresses: readonly string[];
  readonly mac: string;
}

/** The fields of a network's record. */
export interface NetworkRecord {
  readonly id: string;
  readonly name: string;
  readonly addressSpace: string;
  readonly vni: number;
  readonly subnets: readonly { readonly prefix: string }[];
}

/** The value of a claim's key. */
export interface Claim {
  /** Id of the owner. A gateway, a reservation, and a claim that is cooling have none. */
  readonly owner?: string;
  /** Name of the former owner, while the claim is cooling. */
  readonly cooling?: string;
}

/** "network ip" for each of an endpoint's addresses, as used by journals and the search for an order. */
export function keysOf({ network, addresses }: Pick<EndpointRecord, 'network' | 'addresses'>): readonly string[] {
  return addresses.map((address) => `${network} ${bare(address)}`);
}

/** "vni 4096" and "subnet 10.0.0.0/24" of a network. */
export function keysOfNetwork({ vni, subnets }: Pick<NetworkRecord, 'vni' | 'subnets'>): readonly string[] {
  return [`vni ${vni}`, ...subnets.map(({ prefix }) => `subnet ${prefix}`)];
}

/** Keys that the store must have for an endpoint, each with the endpoint's id. */
export function claimsOfEndpoint({ network, name, addresses }: EndpointRecord): readonly string[] {
  return [`endpoint-name/${network}/${name}`, ...addresses.map((address) => `addr/${network}/${bare(address)}`)];
}

/** Keys that the store must have for a network, each with the network's id. */
export function claimsOfNetwork({ name, addressSpace, vni, subnets }: NetworkRecord): readonly string[] {
  return [
    `network-name/${name}`,
    `vni/${vni}`,
    ...subnets.map(({ prefix }) => `pool/${addressSpace}/${prefix.replace('/', '_')}`),
  ];
}

const claimKinds = ['addr', 'mac', 'endpoint-name', 'network-name', 'vni', 'pool'];

export function isClaim(key: string): boolean {
  return claimKinds.includes(key.split('/', 1)[0] ?? '');
}

/** Reads an id, "gateway", or JSON with an endpoint, a network, or the former owner of a cooling claim. */
export function readClaim(value: string): Claim {
  if (!value.startsWith('{')) return value === 'gateway' ? {} : { owner: value };
  const { endpoint, network, cooling } = JSON.parse(value) as {
    readonly endpoint?: string;
    readonly network?: string;
    readonly cooling?: { readonly endpointName?: string; readonly name?: string };
  };
  const owner = endpoint ?? network;
  const former = cooling?.endpointName ?? cooling?.name;
  return {
    ...(owner === undefined ? {} : { owner }),
    ...(cooling === undefined ? {} : { cooling: former ?? 'something without a name' }),
  };
}

/** Name of the manager in the value of the key "leader". */
export function leaderOf(value: string): string {
  return (JSON.parse(value) as { readonly name: string }).name;
}

function bare(address: string): string {
  return address.replace(/\/.*/, '');
}
