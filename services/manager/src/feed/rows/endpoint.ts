import type { EndpointId, EndpointRow } from '@causeway/model';
import type { RowSource } from './source.ts';

/** An endpoint as other hosts need it: with the VTEP of its host. So the row also changes when the VTEP changes. */
export const endpointRows: RowSource<EndpointRow> = {
  *touched(change, view) {
    if (change.kind === 'endpoint') yield [change.network, change.id];
    if (change.kind !== 'node' || change.before?.value.dataPath === change.after?.value.dataPath) return;
    for (const id of view.endpointsOn(change.id)) {
      const endpoint = view.endpoint(id);
      if (endpoint !== undefined) yield [endpoint.value.network, id];
    }
  },
  idsOf: (network, view) => view.endpointsOf(network).keys(),
  row: (network, id, view) => {
    const endpoint = view.endpoint(id as EndpointId)?.value;
    if (endpoint?.network !== network) return undefined;
    const node = view.nodes.get(endpoint.node)?.value;
    if (node === undefined) return undefined; // without a VTEP no host can use the row
    const { name, addresses, mac } = endpoint;
    return { id: endpoint.id, name, node: node.id, addresses, mac, vtep: node.dataPath };
  },
  hostOf: ({ node }) => node,
};
