/** An endpoint as its record says. */
export interface EndpointRecord {
  readonly id: string;
  readonly name: string;
  readonly network: string;
  readonly node: string;
  /** "10.66.0.9/16" */
  readonly addresses: readonly string[];
  readonly mac: string;
}

/** A network as its record says. */
export interface NetworkRecord {
  readonly id: string;
  readonly name: string;
  readonly addressSpace: string;
  readonly vni: number;
  readonly subnets: readonly { readonly prefix: string }[];
}

/** Who has a thing: the value of its key. */
export interface Claim {
  /** The endpoint or network that has it; a gateway, a reservation and what cools after a release have none. */
  readonly owner?: string;
  /** The name of the endpoint or network that had it, while it cools. */
  readonly cooling?: string;
}

/** "network ip" of each of an endpoint's addresses: how journals and the search for an order name them. */
export function keysOf({ network, addresses }: Pick<EndpointRecord, 'network' | 'addresses'>): readonly string[] {
  return addresses.map((address) => `${network} ${bare(address)}`);
}

/** "vni 4096" and "subnet 10.0.0.0/24" of a network. */
export function keysOfNetwork({ vni, subnets }: Pick<NetworkRecord, 'vni' | 'subnets'>): readonly string[] {
  return [`vni ${vni}`, ...subnets.map(({ prefix }) => `subnet ${prefix}`)];
}

/** Keys of the store without which an endpoint must not be, each with its id. */
export function claimsOfEndpoint({ network, name, addresses }: EndpointRecord): readonly string[] {
  return [`endpoint-name/${network}/${name}`, ...addresses.map((address) => `addr/${network}/${bare(address)}`)];
}

/** Keys of the store without which a network must not be, each with its id. */
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

/** An id, "gateway", or JSON that names an endpoint, a network, or what the thing cools after. */
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
