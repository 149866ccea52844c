import type { Network, Node } from '@causeway/proto/gen/causeway/v1/types.js';
import type { Managers } from '../clients.ts';
import { command } from '../command.ts';
import { type Case, diagnose, type SickHost } from '../diagnosis.ts';
import { exitCodes } from '../exit-codes.ts';
import { everything, listAll } from '../listing.ts';
import { endpoint } from '../nouns/endpoint.ts';
import { listNetworks } from '../nouns/network.ts';
import { diagnosisAnswer } from '../render/diagnosis.ts';

export const doctor = command<object>({
  name: 'doctor',
  summary: 'find out what is wrong in the cluster, what it means and what to do about it',
  description:
    'Looks at the managers, at the conditions of hosts and networks, and at what hosts cannot do, such as to encrypt. Changes nothing.\n' +
    'Exit 1 when there is something to be done.',
  uses: ['managers', 'timeout', 'output'],
  examples: ['causeway doctor', 'causeway doctor -o json'],
  async run({ clients }) {
    const findings = diagnose(await examine(clients.managers));
    return { ...diagnosisAnswer(findings), exitCode: findings.length === 0 ? exitCodes.ok : exitCodes.failed };
  },
});

async function examine(managers: Managers): Promise<Case> {
  const [status, { items: nodes }, { items: networks }] = await Promise.all([
    managers.getStatus({}),
    listAll<Node>(everything, async (request) => {
      const { nodes: items, nextPageToken } = await managers.listNodes({ ...request, atLeast: 0n });
      return { items, nextPageToken };
    }),
    listNetworks(managers, everything),
  ]);
  const unable = nodes.filter(({ health }) => (health?.cannotEncrypt ?? '') !== '');
  const hosts = await Promise.all(unable.map((node) => withNetworks(managers, node, networks)));
  const lasting = nodes.flatMap(({ name, health }) =>
    health === undefined || health.keysOnDisk === '' ? [] : [{ name, why: health.keysOnDisk }],
  );
  return { status, networks, cannotEncrypt: hosts, keysOnDisk: lasting };
}

/** With the encrypted networks of which the host has an endpoint. */
async function withNetworks(managers: Managers, node: Node, networks: readonly Network[]): Promise<SickHost> {
  const { items } = await endpoint.all(managers, { ...everything, host: node.id });
  const ids = new Set(items.map(({ networkId }) => networkId));
  const own = networks.filter(({ id }) => ids.has(id)).map(({ name }) => name);
  return { name: node.name, why: node.health?.cannotEncrypt ?? '', networks: own };
}
