import { assertNever, CausewayError, type EndpointId, type NetworkId, type Node } from '@causeway/model';
import { sanitized } from '@causeway/proto';
import type {
  AppliedReport,
  ConnectRequest,
  CryptoResult,
  HostReport,
} from '@causeway/proto/gen/causeway/v1/session_service.js';
import type { Clock, Log } from '@causeway/runtime';
import { endpointKept } from '../events/describe.ts';
import type { EventSink } from '../events/event-sink.ts';
import type { Moment } from '../store/moment.ts';
import type { View } from '../store/view.ts';
import type { Registrar } from './admission.ts';
import type { HostCalls } from './host-calls.ts';
import type { HostProgress } from './host-progress.ts';
import type { Hosts } from './hosts.ts';
import type { KeyRelay } from './key-relay.ts';
import type { Session } from './session.ts';
import type { Sessions } from './sessions.ts';
import type { VerifyCalls } from './verify-calls.ts';

type Message = Exclude<ConnectRequest['message'], { oneofKind: 'hello' }>;

export interface AgentMessagesParts {
  readonly view: Pick<View, 'nodes' | 'networks' | 'endpoint' | 'revision'>;
  readonly registrar: Registrar;
  readonly sink: EventSink;
  readonly clock: Pick<Clock, 'wall'>;
  readonly log: Log;
  readonly progress: HostProgress;
  readonly verifyCalls: VerifyCalls;
  readonly cryptoCalls: HostCalls<CryptoResult>;
  readonly keyRelay: KeyRelay;
  readonly hosts: Hosts;
  readonly sessions: Sessions;
}

/** Handles the messages of admitted agents. */
export class AgentMessages {
  readonly #parts: AgentMessagesParts;

  constructor(parts: AgentMessagesParts) {
    this.#parts = parts;
  }

  /** @throws CausewayError when the session was not opened by hello */
  receive(session: Session, said: Message): void {
    // The ids in a report of applied revisions are only looked up, and most messages are such reports.
    const message = said.oneofKind === 'applied' ? said : sanitized(said);
    const { state } = session;
    if (state.kind === 'closed') return;
    if (state.kind !== 'admitted')
      throw new CausewayError('invalid-argument', 'the first message of a session must be hello', { field: 'message' });
    const { verifyCalls, cryptoCalls, sessions, log } = this.#parts;
    const { node } = state;
    switch (message.oneofKind) {
      case 'applied':
        this.#applied(node, message.applied);
        break;
      case 'report':
        this.#hostReport(node, message.report);
        break;
      case 'verifyResult':
        verifyCalls.answer(session, message.verifyResult);
        break;
      case 'cryptoResult': {
        const { cryptoResult } = message;
        cryptoCalls.answer(session, cryptoResult.call, cryptoResult.error === '' ? cryptoResult : undefined);
        break;
      }
      case 'resync':
        log.info('session.resync', { nodeId: node.id, networkId: message.resync.networkId });
        sessions.step(session, { kind: 'resync', network: message.resync.networkId as NetworkId });
        break;
      case 'keys':
        void this.#parts.keyRelay.published(session, node.id, message.keys);
        break;
      case 'receipts':
        this.#parts.keyRelay.received(node.id, message.receipts);
        break;
      case undefined:
        break; // from a newer agent; a message that this version does not know is not needed
      default:
        assertNever(message);
    }
  }

  #applied(node: Node, { networks, withdrawnIds }: AppliedReport): void {
    const { progress } = this.#parts;
    for (const { networkId, revision } of networks) progress.applied(node.id, networkId as NetworkId, revision);
    for (const id of withdrawnIds) progress.withdrawn(node.id, id as NetworkId);
  }

  #hostReport(node: Node, report: HostReport): void {
    const { hosts, sink, view, clock } = this.#parts;
    const now: Moment = { revision: view.revision, time: clock.wall() };
    hosts.reported(node.id, { ...report, networkDrift: this.#ofNetworks(report.networkDrift) }, now);
    for (const drift of report.repaired) sink.repaired(node.name, drift);
    for (const id of report.keptIds) {
      const endpoint = view.endpoint(id as EndpointId)?.value;
      if (endpoint?.node === node.id) sink.emit(endpointKept(endpoint, view));
    }
    const known = view.nodes.get(node.id)?.value;
    if (known !== undefined && report.underlayMtu !== 0 && report.underlayMtu !== known.underlayMtu)
      this.#underlayChanged({ ...known, underlayMtu: report.underlayMtu });
  }

  /** Drops reports about networks that do not exist. */
  #ofNetworks(drift: HostReport['networkDrift']): HostReport['networkDrift'] {
    const { networks } = this.#parts.view;
    return Object.fromEntries(Object.entries(drift).filter(([id]) => networks.has(id as NetworkId)));
  }

  /** Writes the new MTU while the session goes on. If the write fails, the next heartbeat reports the MTU again. */
  #underlayChanged(node: Node): void {
    const { registrar, log } = this.#parts;
    registrar.register(node).then(
      () => log.info('node.underlay-mtu', { nodeId: node.id, underlayMtu: node.underlayMtu }),
      (error: unknown) => log.warn('node.underlay-mtu-failed', { nodeId: node.id, message: String(error) }),
    );
  }
}
