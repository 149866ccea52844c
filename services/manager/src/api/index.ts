import { ClusterApi } from './cluster.ts';
import { EndpointsApi } from './endpoints.ts';
import { IpamApi } from './ipam.ts';
import { ApiContext, type ApiModules, type ApiSettings } from './modules.ts';
import { NetworksApi } from './networks.ts';
import { NodesApi } from './nodes.ts';

/** All calls that a manager answers, by service. The caller decides how they are served (gRPC, a test). */
export interface Api {
  readonly networks: NetworksApi;
  readonly endpoints: EndpointsApi;
  readonly nodes: NodesApi;
  readonly ipam: IpamApi;
  readonly cluster: ClusterApi;
}

export function createApi(modules: ApiModules, settings: ApiSettings): Api {
  const context = new ApiContext(modules, settings);
  return {
    networks: new NetworksApi(context),
    endpoints: new EndpointsApi(context),
    nodes: new NodesApi(context),
    ipam: new IpamApi(context),
    cluster: new ClusterApi(context),
  };
}
