import {
  AppliedReport,
  type ConnectRequest,
  type ConnectResponse,
  Hello,
  HostReport,
} from '#gen/causeway/v1/session_service.js';
import { Node } from '#gen/causeway/v1/types.js';

/** The content of a request of a session. */
export type Said = ConnectRequest['message'];
type ServerMessage = ConnectResponse['message'];

/** MTU of the scripted hosts' underlay, bytes. */
const underlayMtu = 1500;

/** An agent as managers see it, for tests and load. It answers what it was sent; it has no kernel, table or connection. */
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

  /** Without `fields`: for the cluster of the last session, and with no tables. */
  hello(fields: Partial<Omit<Hello, 'node'>> = {}): Said {
    const hello = Hello.create({ clusterId: this.#clusterId, epoch: this.#epoch, node: this.node, ...fields });
    return { oneofKind: 'hello', hello };
  }

  /** A heartbeat. */
  report(): Said {
    return { oneofKind: 'report', report: HostReport.create({ underlayMtu: this.node.underlayMtu }) };
  }

  /** Accepts a message without checks. Returns the network that the message changes, and its new revision. */
  take(message: ServerMessage): { readonly networkId: string; readonly revision: bigint } | undefined {
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

  /** A report that everything taken since the last call is applied; undefined: there is nothing to report. */
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
