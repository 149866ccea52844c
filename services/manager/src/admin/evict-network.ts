import type { EndpointId } from '@causeway/model';
import { endpointDetached } from '../events/describe.ts';
import type { View } from '../store/view.ts';
import { type Intent, nothingToDo } from '../writer/intent.ts';
import type { Behalf, Writer } from '../writer/writer.ts';
import { releaseWrites } from './release-endpoint.ts';

/** Releases every endpoint a network has now, whoever has it. Their agents learn of it as of any other release. */
export async function evictNetwork(
  nameOrId: string,
  { view, writer }: { readonly view: View; readonly writer: Pick<Writer, 'apply'> },
  behalf: Behalf,
): Promise<void> {
  const { id } = view.findNetwork(nameOrId).value;
  const endpoints = [...view.endpointsOf(id).keys()];
  await Promise.all(endpoints.map((endpoint) => writer.apply(evictEndpoint(endpoint), behalf)));
}

/** Writes nothing when the endpoint is gone already. */
export function evictEndpoint(id: EndpointId): Intent<void> {
  return {
    plan: (planning) => {
      const { view, keys } = planning;
      const current = view.endpoint(id);
      if (current === undefined) return nothingToDo(undefined);
      const key = keys.endpoint(current.value.network, id);
      return {
        compares: [{ kind: 'unchanged', key, modRevision: current.revision }],
        writes: releaseWrites(current.value, planning),
        takes: [],
        events: [endpointDetached(current.value, view, 'its network is deleted by force')],
        reply: undefined,
      };
    },
  };
}
