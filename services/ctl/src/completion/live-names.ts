import type { Managers } from '../clients.ts';
import { everything } from '../listing.ts';
import { endpoint } from '../nouns/endpoint.ts';
import { network } from '../nouns/network.ts';
import { node } from '../nouns/node.ts';
import type { Noun } from '../nouns/noun.ts';
import type { Candidate, LiveKind } from './candidates.ts';

type Names = (managers: Managers) => Promise<readonly Candidate[]>;

/** All existing names, each as it must be typed. */
export function liveNames(of: LiveKind, managers: Managers): Promise<readonly Candidate[]> {
  return names[of](managers);
}

const names: Readonly<Record<LiveKind, Names>> = {
  network: namesOf(network),
  endpoint: namesOf(endpoint),
  node: namesOf(node),
  manager: async (managers) => {
    const listed = await managers.listManagers({});
    return listed.managers.map(({ name, address }) => ({ word: name, help: address }));
  },
};

function namesOf<Item>({ all, candidates }: Noun<Item>): Names {
  return async (managers) => candidates((await all(managers, everything)).items);
}
