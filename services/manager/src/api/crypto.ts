import { type NetworkId, type Node, type NodeId, parseReference, unwrap, usesEsp } from '@causeway/model';
import type {
  GetCryptoStatusRequest,
  GetCryptoStatusResponse,
  RotateKeysRequest,
  RotateKeysResponse,
} from '@causeway/proto/gen/causeway/v1/crypto_service.js';
import { seconds, within } from '@causeway/runtime';
import { type CallContext, withinCall } from '../call/context.ts';
import { earlier } from '../store/moment.ts';
import { cryptoPairs, type HostSas } from './crypto-pairs.ts';
import type { ApiContext } from './modules.ts';
import { rotateKeys } from './rotate-keys.ts';

/** How long a host may take to read its SAs: it has some thousands at most. */
const hostPatience = seconds(3);

export class CryptoApi {
  readonly #context: ApiContext;

  constructor(context: ApiContext) {
    this.#context = context;
  }

  async getCryptoStatus(request: GetCryptoStatusRequest, call: CallContext): Promise<GetCryptoStatusResponse> {
    this.#context.leading();
    const shared = this.#shared(this.#networks(request, call));
    const ids = new Set([...shared].flatMap(([id, peers]) => [id, ...peers]));
    const nodes = this.#nodes(ids);
    const first = await this.#ask(nodes, call);
    const judged = pairsOf(shared, first);
    // While keys change, hosts that are asked one after the other may seem to differ. A second look tells.
    const broken = new Set(judged.filter(({ sas }) => sas === 'broken').flatMap(({ a, b }) => [a, b]));
    const again = await this.#ask(
      nodes.filter(({ name }) => broken.has(name)),
      call,
    );
    const hosts = new Map([...first, ...again]);
    const pairs = broken.size === 0 ? judged : pairsOf(shared, hosts);
    const results = [...hosts.values()].flatMap(({ result }) => result ?? []);
    const next = results.map(({ nextKeyMs }) => nextKeyMs).filter((span) => span > 0n);
    const soonest = next.reduce(earlier, next[0] ?? 0n);
    const now = BigInt(Math.trunc(this.#context.modules.clock.wall()));
    const silent = [...hosts.values()].filter(({ result }) => result === undefined);
    return {
      pairs,
      nextRotationMs: soonest === 0n ? 0n : now + soonest,
      unreachable: silent.map(({ name }) => name).sort(),
    };
  }

  rotateKeys(request: RotateKeysRequest, call: CallContext): AsyncGenerator<RotateKeysResponse, void> {
    return rotateKeys(this.#context, request, call);
  }

  /** The encrypted networks that the request is about. @throws CausewayError network-unknown */
  #networks({ network }: GetCryptoStatusRequest, call: CallContext): readonly NetworkId[] {
    const { view } = this.#context.modules;
    if (network === '')
      return [...view.networks.values()].filter(({ value }) => usesEsp(value)).map(({ value }) => value.id);
    const { value } = view.findNetwork(unwrap(parseReference(network, 'network')));
    if (usesEsp(value)) return [value.id];
    call.remark(`network ${value.name} is not encrypted`);
    return [];
  }

  /** For each host, those of its peers that come after it, so that each pair is there once. */
  #shared(networks: readonly NetworkId[]): ReadonlyMap<NodeId, ReadonlySet<NodeId>> {
    const { feed } = this.#context.modules;
    const shared = new Map<NodeId, Set<NodeId>>();
    for (const network of networks) {
      const hosts = [...feed.hostsOf(network)].sort();
      hosts.forEach((host, i) => {
        const peers = shared.get(host) ?? new Set();
        shared.set(host, peers);
        for (const peer of hosts.slice(i + 1)) peers.add(peer);
      });
    }
    return shared;
  }

  #nodes(ids: ReadonlySet<NodeId>): readonly Node[] {
    const { view } = this.#context.modules;
    return [...ids].flatMap((id) => view.nodes.get(id)?.value ?? []);
  }

  async #ask(nodes: readonly Node[], call: CallContext): Promise<ReadonlyMap<NodeId, HostSas>> {
    if (nodes.length === 0) return new Map();
    const { feed, clock } = this.#context.modules;
    const answers = await withinCall(clock, call, (signal) =>
      within(clock, hostPatience, (span) => feed.sasOf(nodes, span), signal),
    );
    return new Map([...answers].map(([{ id, name }, result]) => [id, { id, name, result }]));
  }
}

function pairsOf(shared: ReadonlyMap<NodeId, ReadonlySet<NodeId>>, hosts: ReadonlyMap<NodeId, HostSas>) {
  const pairs = [...shared].flatMap(([id, peers]) =>
    [...peers].flatMap((peer): [HostSas, HostSas][] => {
      const [one, other] = [hosts.get(id), hosts.get(peer)];
      return one === undefined || other === undefined ? [] : [[one, other]];
    }),
  );
  return cryptoPairs(pairs);
}
