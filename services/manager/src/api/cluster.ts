import type {
  GetStatusRequest,
  GetStatusResponse,
  Store,
  StoreMember,
  VerifyRequest,
  VerifyResponse,
  WatchEventsRequest,
  WatchEventsResponse,
} from '@causeway/proto/gen/causeway/v1/cluster_service.js';
import { listManagers, type ManagerRecord } from '../membership/registry.ts';
import { Keys } from '../store/keys.ts';
import type { StoreMemberStatus } from '../store/store.ts';
import { type Call, withinCall } from './call.ts';
import { managersToMessages } from './managers.ts';
import type { ApiContext } from './modules.ts';

/** ClusterService. */
export class ClusterApi {
  readonly #context: ApiContext;

  constructor(context: ApiContext) {
    this.#context = context;
  }

  /** Every manager answers, whatever of the rest works: this is what one looks at when something does not. */
  async getStatus(_request: GetStatusRequest, call: Call): Promise<GetStatusResponse> {
    const { store, managers } = await this.#readStore(call);
    const { view, dispatcher } = this.#context.modules;
    const nodes = [...view.nodes.keys()];
    const ready = nodes.filter((node) => dispatcher.isReady(node));
    const facts = ready.map((node) => dispatcher.factsOf(node));
    const { leader } = view;
    return {
      clusterId: view.cluster?.id ?? '',
      epoch: view.cluster?.epoch ?? 0n,
      revision: view.revision,
      ...(leader === undefined
        ? {}
        : {
            leader: {
              manager: leader.name,
              address: leader.address,
              term: leader.term,
              sinceMs: BigInt(Math.trunc(leader.since)),
            },
          }),
      managers: managersToMessages(managers, view, this.#context.settings),
      store,
      hostsReady: ready.length,
      hostsTotal: nodes.length,
      repairs: facts.reduce((sum, { repairs }) => sum + repairs, 0n),
      drift: facts.reduce((sum, { drift }) => sum + drift, 0),
      networks: view.networks.size,
      endpoints: view.endpointCount,
    };
  }

  async verify(request: VerifyRequest, call: Call): Promise<VerifyResponse> {
    this.#context.leading();
    const { view, dispatcher, clock } = this.#context.modules;
    const asked =
      request.hosts.length === 0 ? [...view.nodes.values()] : request.hosts.map((host) => view.findNode(host));
    const nodes = [...new Set(asked.map((node) => node.value))];
    const outcome = await withinCall(clock, call, (signal) => dispatcher.verify(nodes, request.repair, signal));
    return { drift: [...outcome.drift], checked: [...outcome.checked], unreachable: [...outcome.unreachable] };
  }

  /** Ends with the caller, with this manager's term, or after what is kept. */
  async *watchEvents(request: WatchEventsRequest, signal: AbortSignal): AsyncGenerator<WatchEventsResponse, void> {
    const term = this.#context.leading();
    const either = AbortSignal.any([signal, term.signal]);
    for await (const event of this.#context.modules.events.read(request.fromSequence, request.follow, either))
      yield { event };
    if (term.signal.aborted) this.#context.leading();
  }

  /** What the store says of itself, and who is registered in it; nothing when it does not answer in time. */
  async #readStore(call: Call): Promise<{ readonly store: Store; readonly managers: readonly ManagerRecord[] }> {
    const { store, clock } = this.#context.modules;
    const keys = new Keys(this.#context.settings.prefix);
    const none = { store: { members: [], revision: 0n }, managers: [] };
    const read = async () => {
      const [members, { revision }, managers] = await Promise.all([
        store.members(),
        store.get(keys.meta),
        listManagers(store, keys),
      ]);
      return { store: { members: members.map(memberToMessage), revision }, managers };
    };
    return await withinCall(clock, call, (signal) => Promise.race([read().catch(() => none), aborted(signal, none)]));
  }
}

function memberToMessage({ clientUrls, alarms, size, sizeInUse, ...rest }: StoreMemberStatus): StoreMember {
  const { name, healthy, leader, learner, lag } = rest;
  const sizes = { size: BigInt(size), sizeInUse: BigInt(sizeInUse) };
  return { name, clientUrls: [...clientUrls], healthy, leader, learner, ...sizes, lag, alarms: [...alarms] };
}

function aborted<Value>(signal: AbortSignal, value: Value): Promise<Value> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(value);
    signal.addEventListener('abort', () => resolve(value), { once: true });
  });
}
