import { assertNever } from '@causeway/model';
import type { Managers } from '../clients.ts';
import { everything, listEndpoints, listNetworks, listNodes } from '../listing.ts';
import type { Candidate, LiveKind } from './candidates.ts';

/** The names there are, each as it must be typed: an endpoint's with its network where the name alone is ambiguous. */
export async function liveNames(
  of: LiveKind,
  managers: Pick<Managers, 'listNetworks' | 'listEndpoints' | 'listNodes' | 'listManagers'>,
): Promise<Candidate[]> {
  switch (of) {
    case 'network': {
      const { items } = await listNetworks(managers, everything);
      return items.map(({ name, subnets }) => ({
        word: name,
        help: subnets.map(({ prefix }) => prefix).join(', '),
      }));
    }
    case 'endpoint': {
      const { items } = await listEndpoints(managers, everything);
      const uses = new Map<string, number>();
      for (const { name } of items) uses.set(name, (uses.get(name) ?? 0) + 1);
      return items.map(({ name, network, host }) => ({
        word: uses.get(name) === 1 ? name : `${network}/${name}`,
        help: `on ${network}, ${host}`,
      }));
    }
    case 'node': {
      const { items } = await listNodes(managers, everything);
      return items.map(({ name, dataPath }) => ({ word: name, help: dataPath }));
    }
    case 'manager': {
      const listed = await managers.listManagers();
      return listed.managers.map(({ name, address }) => ({ word: name, help: address }));
    }
    default:
      return assertNever(of);
  }
}
