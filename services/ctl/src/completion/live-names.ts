import { assertNever } from '@causeway/model';
import type { Managers } from '../clients.ts';
import type { Candidate, LiveKind } from './candidates.ts';

/** The names there are, each as it must be typed: an endpoint's with its network where the name alone is ambiguous. */
export async function liveNames(
  of: LiveKind,
  managers: Pick<Managers, 'listNetworks' | 'listEndpoints' | 'listNodes'>,
): Promise<Candidate[]> {
  switch (of) {
    case 'network': {
      const { networks } = await managers.listNetworks();
      return networks.map(({ name, subnets }) => ({
        word: name,
        help: subnets.map(({ prefix }) => prefix).join(', '),
      }));
    }
    case 'endpoint': {
      const { endpoints } = await managers.listEndpoints({ network: '', host: '', atLeast: 0n });
      const uses = new Map<string, number>();
      for (const { name } of endpoints) uses.set(name, (uses.get(name) ?? 0) + 1);
      return endpoints.map(({ name, network, host }) => ({
        word: uses.get(name) === 1 ? name : `${network}/${name}`,
        help: `on ${network}, ${host}`,
      }));
    }
    case 'node': {
      const { nodes } = await managers.listNodes();
      return nodes.map(({ name, dataPath }) => ({ word: name, help: dataPath }));
    }
    default:
      return assertNever(of);
  }
}
