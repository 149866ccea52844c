import { assertNever, CausewayError, type NetworkId, type Node } from '@causeway/model';
import { legible } from '@causeway/proto';
import type { AppliedReport, ConnectRequest, HostReport } from '@causeway/proto/gen/causeway/v1/session_service.js';
import type { Clock, Log } from '@causeway/runtime';
import type { EventSink } from '../events/event-sink.ts';
import type { Moment } from '../store/moment.ts';
import type { View } from '../store/view.ts';
import type { AppliedTracker } from './applied-tracker.ts';
import type { Holdings } from './holdings.ts';
import type { Hosts } from './hosts.ts';
import type { LiveSession } from './live-session.ts';
import type { Registrar } from './registrar.ts';
import type { Sessions } from './sessions.ts';
import type { VerifyCalls } from './verify-calls.ts';

type Message = Exclude<ConnectRequest['message'], { oneofKind: 'hello' }>;

export interface AgentMessagesModules {
  readonly view: Pick<View, 'nodes' | 'networks' | 'revision'>;
  readonly registrar: Registrar;
  readonly sink: Pick<EventSink, 'repaired'>;
  readonly clock: Pick<Clock, 'wall'>;
  readonly log: Log;
  readonly applied: AppliedTracker;
  readonly holdings: Holdings;
  readonly standingMoved: (network: NetworkId) => void;
  readonly verifyCalls: VerifyCalls;
  readonly hosts: Hosts;
  readonly sessions: Sessions;
}

/** What agents say once they are admitted. */
export class AgentMessages {
  readonly #modules: AgentMessagesModules;

  constructor(modules: AgentMessagesModules) {
    this.#modules = modules;
  }

  /** @throws CausewayError when the session was not opened by hello */
  receive(live: LiveSession, said: Message): void {
    const message = legible(said);
    if (live.state.kind === 'closed') return;
    if (live.state.kind === 'greeting')
      throw new CausewayError('invalid-argument', 'the first message of a session must be hello', { field: 'message' });
    const { verifyCalls, sessions, log } = this.#modules;
    const { node } = live.state;
    switch (message.oneofKind) {
      case 'applied':
        this.#applied(node, message.applied);
        break;
      case 'report':
        this.#hostReport(node, message.report);
        break;
      case 'verifyResult':
        verifyCalls.answer(live, message.verifyResult);
        break;
      case 'resync':
        log.info('session.resync', { nodeId: node.id, networkId: message.resync.networkId });
        sessions.step(live, { kind: 'resync', network: message.resync.networkId as NetworkId });
        break;
      case undefined:
        break; // from a newer agent; what is not understood is not needed
      default:
        assertNever(message);
    }
  }

  #applied(node: Node, { networks, withdrawnIds }: AppliedReport): void {
    const { applied, holdings, standingMoved } = this.#modules;
    for (const report of networks) {
      const network = report.networkId as NetworkId;
      applied.reported(node.id, report);
      holdings.reported(node.id, network, report.revision);
      standingMoved(network);
    }
    for (const id of withdrawnIds) {
      holdings.withdrawn(node.id, id as NetworkId);
      standingMoved(id as NetworkId);
    }
  }

  #hostReport(node: Node, report: HostReport): void {
    const { hosts, sink, view, clock } = this.#modules;
    const now: Moment = { revision: view.revision, time: clock.wall() };
    hosts.reported(node.id, { ...report, networkDrift: this.#ofNetworks(report.networkDrift) }, now);
    for (const drift of report.repaired) sink.repaired(node.name, drift);
    const known = view.nodes.get(node.id)?.value;
    if (known !== undefined && report.underlayMtu !== 0 && report.underlayMtu !== known.underlayMtu)
      this.#underlayChanged({ ...known, underlayMtu: report.underlayMtu });
  }

  /** What is said of a network that is not there is not kept. */
  #ofNetworks(drift: HostReport['networkDrift']): HostReport['networkDrift'] {
    const { networks } = this.#modules.view;
    return Object.fromEntries(Object.entries(drift).filter(([id]) => networks.has(id as NetworkId)));
  }

  /** Written beside the session, which goes on; the next heartbeat says it again should this fail. */
  #underlayChanged(node: Node): void {
    const { registrar, log } = this.#modules;
    registrar.register(node).then(
      () => log.info('node.underlay-mtu', { nodeId: node.id, underlayMtu: node.underlayMtu }),
      (error: unknown) => log.warn('node.underlay-mtu-failed', { nodeId: node.id, message: String(error) }),
    );
  }
}
