import type { Node } from '@causeway/proto/gen/causeway/v1/types.js';
import type { Managers } from '../clients.ts';
import { type Listed, type ListQuery, listAll } from '../listing.ts';
import { nodeAnswer, nodesAnswer, shownNode } from '../render/node.ts';
import { type Change, type Changes, follow, requestOf, watchMessages } from '../watching.ts';
import type { Noun } from './noun.ts';

export const node: Noun<Node> = {
  name: 'node',
  list: {
    summary: 'list the hosts',
    fields: ['id', 'name', 'data_path', 'underlay_mtu', 'version', 'ready', 'drained'],
    sortable: ['name', 'ready', 'dataPath', 'networks', 'endpoints', 'repairs', 'createdAt'],
    examples: [
      'causeway node list',
      'causeway node list --field ready=false',
      'causeway node list --sort-by -endpoints',
    ],
  },
  show: { summary: 'show a host', argument: 'name or id', examples: ['causeway node show h1'] },
  all: listNodes,
  watch: watchNodes,
  get: async (managers, name) => (await managers.getNode({ node: name })).node,
  shown: shownNode,
  table: nodesAnswer,
  sheet: nodeAnswer,
  candidates: (items) => items.map(({ name, dataPath }) => ({ word: name, help: dataPath })),
};

function listNodes(managers: Pick<Managers, 'listNodes'>, query: ListQuery): Promise<Listed<Node>> {
  return listAll(query, async (request) => {
    const { nodes: items, nextPageToken } = await managers.listNodes({ ...request, atLeast: 0n });
    return { items, nextPageToken };
  });
}

export function watchNodes(
  managers: Pick<Managers, 'watchNodes'>,
  query: ListQuery,
  changes: Changes,
): AsyncGenerator<Change<Node>> {
  return follow((at) => watchMessages(managers.watchNodes(requestOf(query, at)), ({ node }) => node), changes);
}
