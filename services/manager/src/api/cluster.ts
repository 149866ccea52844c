import type {
  GetStatusRequest,
  GetStatusResponse,
  Manager,
  Store,
  VerifyRequest,
  VerifyResponse,
  WatchEventsRequest,
  WatchEventsResponse,
} from '@causeway/proto/gen/causeway/v1/cluster_service.js';
import { type Call, withinCall } from './call.ts';
import type { ApiContext } from './modules.ts';

/** ClusterService. */
export class ClusterApi {
  readonly #context: ApiContext;

  constructor(context: ApiContext) {
    this.#context = context;
  }

  /** Every manager answers, whatever of the rest works: this is what one looks at when something does not. */
  async getStatus(_request: GetStatusRequest, call: Call): Promise<GetStatusResponse> {
    const store = await this.#store(call);
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
      managers: this.#managers(),
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

  #managers(): Manager[] {
    const { leader } = this.#context.modules.view;
    const { name, address } = this.#context.settings;
    const self = { name, address, leader: this.#context.leads };
    if (leader === undefined || leader.address === address) return [self];
    return [self, { name: leader.name, address: leader.address, leader: true }];
  }

  async #store(call: Call): Promise<Store> {
    const { store, clock } = this.#context.modules;
    const none: Store = { members: [], revision: 0n };
    const read = async (): Promise<Store> => {
      const [members, { revision }] = await Promise.all([
        store.members(),
        store.get(`${this.#context.settings.prefix}meta`),
      ]);
      return {
        members: members.map(({ name, clientUrls, healthy }) => ({ name, clientUrls: [...clientUrls], healthy })),
        revision,
      };
    };
    return await withinCall(clock, call, (signal) => Promise.race([read().catch(() => none), aborted(signal, none)]));
  }
}

function aborted<Value>(signal: AbortSignal, value: Value): Promise<Value> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(value);
    signal.addEventListener('abort', () => resolve(value), { once: true });
  });
}
