import { routeMetric } from '@causeway/datapath';
import { CausewayError, type NodeId, parseReference, parseRequestId, type Stamp, unwrap } from '@causeway/model';
import { endpointToMessage, isNoAnswer } from '@causeway/proto';
import type {
  AttachRequest,
  AttachResponse,
  DetachRequest,
  DetachResponse,
  GetAgentStatusResponse,
  ListSandboxesResponse,
  VerifyHostRequest,
  VerifyHostResponse,
} from '@causeway/proto/gen/causeway/v1/agent_service.js';
import type { Drift, Endpoint as EndpointMessage, Node as NodeMessage } from '@causeway/proto/gen/causeway/v1/types.js';
import { type Duration, seconds } from '@causeway/runtime';
import type { Sandbox } from '../disk/sandbox.ts';
import type { Sandboxes } from '../disk/sandboxes.ts';
import type { Attacher } from '../endpoints/attach.ts';
import { parseAttachSpec } from '../endpoints/attach-spec.ts';
import type { Detacher } from '../endpoints/detach.ts';
import type { HostStats } from '../reconcile/host-stats.ts';
import type { Tables } from '../tables/tables.ts';

/** How long a call waits for managers before it is answered "unavailable", when the caller has no deadline. */
export const defaultTimeout = seconds(8);

/** AgentService of causeway.v1, independent of the transport. Failures are CausewayErrors. */
export interface AgentApi {
  attach(request: AttachRequest, timeout?: Duration): Promise<AttachResponse>;
  detach(request: DetachRequest, timeout?: Duration): Promise<DetachResponse>;
  listSandboxes(): Promise<ListSandboxesResponse>;
  getAgentStatus(): Promise<GetAgentStatusResponse>;
  verifyHost(request: VerifyHostRequest): Promise<VerifyHostResponse>;
}

export interface ApiModules {
  readonly attacher: Attacher;
  readonly detacher: Detacher;
  readonly sandboxes: Sandboxes;
  readonly tables: Tables;
  readonly stats: HostStats;
  readonly node: () => NodeMessage & { id: NodeId };
  readonly clusterId: () => string;
  readonly epoch: () => bigint;
  readonly manager: () => string | undefined;
  /** Why the managers refuse this host for good; empty: they do not. */
  readonly removed: () => string;
  readonly verify: (repair: boolean) => Promise<Drift[]>;
}

export function createApi(modules: ApiModules): AgentApi {
  const { attacher, detacher, sandboxes, tables, stats } = modules;

  /** A revision of an earlier epoch has no meaning: no caller could wait for it. */
  const revisionOf = (stamp: Stamp | undefined): bigint => (stamp?.epoch === modules.epoch() ? stamp.revision : 0n);

  const message = ({ endpoint, claimed }: Sandbox): EndpointMessage => {
    const network = tables.get(endpoint.network)?.network.name ?? '';
    return endpointToMessage(endpoint, { network, host: modules.node().name }, revisionOf(claimed));
  };

  return {
    async attach(request, timeout = defaultTimeout) {
      const attached = attacher.attach(parseAttachSpec(request), timeout);
      const { sandbox, already } = await attached.catch(ofManagers);
      return { endpoint: message(sandbox), alreadyAttached: already };
    },

    async detach(request, timeout = defaultTimeout) {
      const requestId = unwrap(parseRequestId(request.requestId));
      const target = unwrap(parseReference(request.endpoint, 'endpoint'));
      const spec = { requestId, target, force: request.force };
      const { revision, host = '', interfaceRemoved } = await detacher.detach(spec, timeout).catch(ofManagers);
      return { revision, host, interfaceRemoved };
    },

    async listSandboxes() {
      return {
        sandboxes: Array.from(sandboxes.all(), (sandbox) => ({
          endpoint: message(sandbox),
          netns: sandbox.netns,
          ifname: sandbox.ifname,
          state: detacher.isUnderWay(sandbox.endpoint.id) ? 'detaching' : attacher.stateOf(sandbox),
          refused: sandbox.refused ?? '',
          gatewayPriority: sandbox.gateway.priority,
          routeMetric: routeMetric(sandbox.gateway),
        })),
      };
    },

    async getAgentStatus() {
      return {
        node: modules.node(),
        clusterId: modules.clusterId(),
        manager: modules.manager() ?? '',
        networks: Array.from(tables.all(), (table) => ({
          networkId: table.network.id,
          network: table.network.name,
          revision: revisionOf(table),
          applied: revisionOf(stats.applied.get(table.network.id)),
          endpoints: table.rows.endpoint.size,
        })),
        repairs: BigInt(stats.repairs),
        drift: stats.drift,
        kernelWrites: BigInt(stats.kernelWrites),
        removed: modules.removed(),
      };
    },

    async verifyHost({ repair }) {
      return { drift: await modules.verify(repair) };
    },
  };
}

/** Says that the managers do not answer. Otherwise the caller, who sees only the agent, would blame the agent. */
function ofManagers(error: unknown): never {
  if (!isNoAnswer(error)) throw error;
  const message = `the managers do not answer (${error.message}): try again`;
  throw new CausewayError('manager-unavailable', message, {}, { cause: error });
}
