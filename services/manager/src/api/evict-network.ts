import type { EndpointId } from '@causeway/model';
import type { OwnChange, Writer } from '../commit/writer.ts';
import { endpointDetached } from '../events/describe.ts';
import type { Intent } from '../plan/intent.ts';
import { releaseByManager } from '../plan/release-endpoint.ts';
import type { View } from '../store/view.ts';

/** Releases every endpoint that a network has now, on every host. Agents learn of this as of any other release. */
export async function evictNetwork(
  nameOrId: string,
  { view, writer }: { readonly view: View; readonly writer: Pick<Writer, 'apply'> },
  change: OwnChange,
): Promise<void> {
  const { id } = view.findNetwork(nameOrId).value;
  const endpoints = [...view.endpointsOf(id).keys()];
  await Promise.all(endpoints.map((endpoint) => writer.apply(evictEndpoint(endpoint), change)));
}

export function evictEndpoint(id: EndpointId): Intent<void> {
  return releaseByManager(id, (endpoint, view) =>
    endpointDetached(endpoint, view, 'its network was deleted with force'),
  );
}
