import {
  AppliedReport,
  type ConnectRequest,
  type ConnectResponse,
  Hello,
  HostReport,
} from '#gen/causeway/v1/session_service.js';
import { Node } from '#gen/causeway/v1/types.js';

/** What a request of a session carries. */
export type Said = ConnectRequest['message'];
type Heard = ConnectResponse['message'];

/** Of the scripted hosts' underlay, bytes. */
const underlayMtu = 1500;

/** An agent as managers see it, for tests and loads: what it says, of what it was told. It has no kernel, keeps no table and has no connection. */
export class ScriptedAgent {
  readonly node: Node;
  #clusterId = '';
  #epoch = 0n;
  readonly #reached = new Map<string, bigint>();
  readonly #withdrawn = new Set<string>();

  /** `id`: 16 hex digits. */
  constructor(node: Pick<Node, 'id' | 'name' | 'dataPath'> & Partial<Node>) {
    this.node = Node.create({ underlayMtu, version: 'scripted', ...node });
  }

  /** Without `fields` it is of the cluster that the last session was with, and holds nothing. */
  hello(fields: Partial<Omit<Hello, 'node'>> = {}): Said {
    const hello = Hello.create({ clusterId: this.#clusterId, epoch: this.#epoch, node: this.node, ...fields });
    return { oneofKind: 'hello', hello };
  }

  /** A heartbeat. */
  report(): Said {
    return { oneofKind: 'report', report: HostReport.create({ underlayMtu: this.node.underlayMtu }) };
  }

  /** Takes a message at its word. Returns the network that it changed, and the revision it leads to. */
  take(message: Heard): { readonly networkId: string; readonly revision: bigint } | undefined {
    switch (message.oneofKind) {
      case 'welcome':
        this.#clusterId = message.welcome.clusterId;
        this.#epoch = message.welcome.epoch;
        return undefined;
      case 'complete':
        return this.#reach(message.complete.network?.id ?? '', message.complete.revision);
      case 'delta':
        return this.#reach(message.delta.networkId, message.delta.to);
      case 'withdraw':
        this.#reached.delete(message.withdraw.networkId);
        this.#withdrawn.add(message.withdraw.networkId);
        return undefined;
      default:
        return undefined;
    }
  }

  /** Everything taken since the last call, said to be applied; undefined when that is nothing. */
  applied(): Said | undefined {
    if (this.#reached.size === 0 && this.#withdrawn.size === 0) return undefined;
    const networks = Array.from(this.#reached, ([networkId, revision]) => ({ networkId, revision }));
    const applied = AppliedReport.create({ networks, withdrawnIds: [...this.#withdrawn] });
    this.#reached.clear();
    this.#withdrawn.clear();
    return { oneofKind: 'applied', applied };
  }

  #reach(networkId: string, revision: bigint) {
    this.#withdrawn.delete(networkId);
    this.#reached.set(networkId, revision);
    return { networkId, revision };
  }
}
