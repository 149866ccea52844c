import type { Endpoint } from '@causeway/proto/gen/causeway/v1/types.js';
import { Argument, Option } from 'commander';
import type { Managers } from '../clients.ts';
import { type Listed, type ListQuery, listAll } from '../listing.ts';
import { endpointAnswer, endpointsAnswer, shownEndpoint } from '../render/endpoint.ts';
import { type Change, type Changes, follow, type Position, requestOf, watchMessages } from '../watching.ts';
import type { Noun } from './noun.ts';

export interface EndpointQuery extends ListQuery {
  /** Name or id. */
  readonly network?: string;
  /** Name or id. */
  readonly host?: string;
}

export const endpoint: Noun<Endpoint, EndpointQuery> = {
  name: 'endpoint',
  list: {
    summary: 'list the endpoints, of one network or of all',
    arguments: [new Argument('[network]', 'name or id')],
    options: [
      new Option('-n, --network <network>', 'the same as the argument'),
      new Option('--host <node>', 'only those of this host, by name or id'),
    ],
    fields: ['id', 'name', 'network', 'host', 'address', 'mac'],
    sortable: ['name', 'network', 'host', 'addresses', 'applied.have', 'createdAt'],
    examples: [
      'causeway endpoint list',
      'causeway endpoint list blue --host h1 -o wide',
      'causeway endpoint list -n blue --sort-by host --no-headers',
      'causeway endpoint list -l tier=web --field host!=h1',
      'causeway endpoint list blue --watch -o json',
    ],
  },
  show: {
    summary: 'show an endpoint, and which hosts have programmed its last change',
    argument: 'id, name, or NETWORK/NAME',
    examples: ['causeway endpoint show web', 'causeway endpoint show blue/web -o json'],
  },
  all: listEndpoints,
  watch: watchEndpoints,
  get: async (managers, name) => (await managers.getEndpoint({ endpoint: name, atLeast: 0n })).endpoint,
  shown: shownEndpoint,
  table: endpointsAnswer,
  sheet: (item, now) => endpointAnswer(item, 'full', now),
  candidates: (items) => {
    const uses = new Map<string, number>();
    for (const { name } of items) uses.set(name, (uses.get(name) ?? 0) + 1);
    // With the network where the name alone is ambiguous.
    return items.map(({ name, network, host }) => ({
      word: uses.get(name) === 1 ? name : `${network}/${name}`,
      help: `on ${network}, ${host}`,
    }));
  },
};

function listEndpoints(
  managers: Pick<Managers, 'listEndpoints'>,
  { network = '', host = '', ...query }: EndpointQuery,
): Promise<Listed<Endpoint>> {
  return listAll(query, async (request) => {
    const asked = { ...request, network, host, atLeast: 0n };
    const { endpoints: items, nextPageToken } = await managers.listEndpoints(asked);
    return { items, nextPageToken };
  });
}

export function watchEndpoints(
  managers: Pick<Managers, 'watchEndpoints'>,
  { network = '', host = '', ...query }: EndpointQuery,
  changes: Changes,
): AsyncGenerator<Change<Endpoint>> {
  const open = (at: Position) => managers.watchEndpoints({ ...requestOf(query, at), network, host });
  return follow((at) => watchMessages(open(at), ({ endpoint }) => endpoint), changes);
}
