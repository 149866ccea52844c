import { overlayNetns } from '@causeway/datapath';
import type { NetworkId } from '@causeway/model';
import { ListEndpointsRequest } from '@causeway/proto/gen/causeway/v1/endpoint_service.js';
import { ListNetworksRequest } from '@causeway/proto/gen/causeway/v1/network_service.js';
import type { Endpoint } from '@causeway/proto/gen/causeway/v1/types.js';
import type { SimCluster } from './cluster.ts';

/** The peers that a host's kernel has for a network: "FDB MAC VTEP" and "neighbour IP MAC" lines, sorted. */
export async function found(cluster: SimCluster, host: string, networkId: string): Promise<string[]> {
  const netns = overlayNetns(networkId as NetworkId);
  const namespace = await cluster.host(host).kernel.read(netns, { sysctls: [] });
  const lines = [
    ...[...(namespace?.fdb.get('vxlan0') ?? [])].map(([mac, target]) => `fdb ${mac} ${target}`),
    ...[...(namespace?.neighbours.get('vxlan0') ?? [])].map(([ip, mac]) => `neighbour ${ip} ${mac}`),
  ];
  return lines.sort();
}

/**
 * The same, computed from intent only, in the simplest way: a host with an endpoint of a network has exactly the network's
 * endpoints on other hosts; a host without one has nothing.
 */
export function expected(
  cluster: SimCluster,
  host: string,
  networkId: string,
  endpoints: readonly Endpoint[],
): string[] {
  const members = endpoints.filter((endpoint) => endpoint.networkId === networkId);
  if (!members.some((endpoint) => endpoint.host === host)) return [];
  const lines = members
    .filter((endpoint) => endpoint.host !== host)
    .flatMap(({ mac, host: home, addresses }) => [
      `fdb ${mac} ${cluster.host(home).vtep}`,
      ...addresses.map((address) => `neighbour ${address.slice(0, address.indexOf('/'))} ${mac}`),
    ]);
  return lines.sort();
}

/** The differences between kernels and intent, one per line; empty: every kernel is exact. */
export async function inexact(cluster: SimCluster): Promise<string[]> {
  const { networks } = await cluster.ask((api, call) => api.network.listNetworks(ListNetworksRequest.create(), call));
  const { endpoints } = await cluster.ask((api, call) =>
    api.endpoint.listEndpoints(ListEndpointsRequest.create(), call),
  );
  const lines: string[] = [];
  for (const { id, name } of networks) {
    for (const host of cluster.hosts) {
      const is = await found(cluster, host.name, id);
      const should = expected(cluster, host.name, id, endpoints);
      if (is.join() !== should.join()) lines.push(`${host.name} ${name}: has [${is}], should have [${should}]`);
    }
  }
  return lines;
}
