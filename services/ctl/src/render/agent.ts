import type {
  GetAgentStatusResponse,
  NetworkCursorStatus,
  Sandbox,
} from '@causeway/proto/gen/causeway/v1/agent_service.js';
import type { Answer, Cell } from '../answer.ts';

/** What an agent knows without a manager: its own host, and how far it has followed the cluster. */
export function agentAnswer(status: GetAgentStatusResponse, sandboxes: readonly Sandbox[]): Answer {
  const { node, clusterId, manager, networks, repairs, drift, removed } = status;
  return {
    value: {
      host: node?.name ?? null,
      cluster: clusterId || null,
      drained: node?.drained ?? false,
      removed: removed || null,
      dataPath: node?.dataPath || null,
      version: node?.version || null,
      manager: manager || null,
      networks: networks.map(({ network, networkId, revision, applied, endpoints }) => {
        return { name: network, id: networkId, revision, applied, endpoints };
      }),
      endpoints: sandboxes.map(({ endpoint, netns, ifname, state, refused }) => ({
        id: endpoint?.id ?? null,
        name: endpoint?.name ?? null,
        network: endpoint?.network ?? null,
        addresses: endpoint?.addresses ?? [],
        ...{ netns, ifname, state, refused: refused || null },
      })),
      repairs,
      drift,
    },
    names: [node?.name ?? ''],
    table: {
      kind: 'sheet',
      fields: [
        ['host', `${node?.name ?? ''} ${node?.dataPath ?? ''}, version ${node?.version ?? ''}`],
        ['cluster', clusterId],
        ['manager', managerCell(status)],
        ...(node?.drained === true
          ? [['drained', { text: 'yes: this host gets no new endpoints', tone: 'bad' }] as const]
          : []),
        ...lines('networks', networks.map(networkLine)),
        ...lines('endpoints', sandboxes.map(sandboxLine)),
        ['repairs', String(repairs)],
        ['drift', { text: String(drift), tone: drift === 0 ? 'good' : 'bad' }],
      ],
    },
  };
}

function managerCell({ manager, removed }: GetAgentStatusResponse): Cell {
  if (removed !== '') return { text: `none: ${removed}`, tone: 'bad' };
  if (manager !== '') return manager;
  return { text: 'no session with a manager: the following is the last known state', tone: 'bad' };
}

function networkLine({ network, revision, applied, endpoints }: NetworkCursorStatus): Cell {
  const count = endpoints === 1 ? '1 endpoint' : `${endpoints} endpoints`;
  const text = `${network}, ${count}, revision ${revision}`;
  return applied >= revision ? text : { text: `${text}, applied ${applied}`, tone: 'bad' };
}

function sandboxLine({ endpoint, netns, ifname, state, refused }: Sandbox): Cell {
  const text = `${endpoint?.network}/${endpoint?.name} ${endpoint?.addresses.join(' ')}, ${ifname} in ${netns}, ${state}`;
  if (refused !== '') return { text: `${text}: ${refused}`, tone: 'bad' };
  return state === 'attached' ? text : { text, tone: 'bad' };
}

function lines(label: string, cells: readonly Cell[]): readonly (readonly [string, Cell])[] {
  if (cells.length === 0) return [[label, 'none']];
  return cells.map((cell, i) => [i === 0 ? label : '', cell]);
}
