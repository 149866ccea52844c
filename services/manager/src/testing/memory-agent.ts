import { assertNever, type CausewayError, type Node } from '@causeway/model';
import { nodeToMessage } from '@causeway/proto';
import { type ConnectRequest, ConnectResponse, type Hello } from '@causeway/proto/gen/causeway/v1/session_service.js';
import { ScriptedAgent } from '@causeway/proto/testing/agent';
import { Queue } from '@causeway/runtime';
import type { Identity } from '../call/identity.ts';
import type { AgentChannel } from '../feed/channel.ts';
import { HeldNetworks } from './held-networks.ts';

/**
 * An agent at the other end of an in-memory channel. It takes each message at once, reports it as applied when the test
 * says so, and keeps a line for each message so that a test can read what happened.
 */
export class MemoryAgent implements AgentChannel {
  readonly node: Node;
  peer: Identity;
  readonly holds: HeldNetworks;
  readonly requests = new Queue<ConnectRequest>();
  readonly received: string[] = [];
  readonly bytes: Uint8Array[] = [];
  /** Bytes that the connection says are waiting; nothing is really held back. */
  backlog = 0;
  closed: { readonly error: CausewayError | undefined } | undefined;
  /** Whether the agent reports what it holds as applied after each message. */
  appliesAtOnce = false;

  constructor(node: Node, holds: HeldNetworks = new HeldNetworks()) {
    this.node = node;
    this.peer = { kind: 'agent', node: node.id };
    this.holds = holds;
  }

  hello(fields: Partial<Omit<Hello, 'node'>> = {}): void {
    const { clusterId = '', epoch = 1n, cursors = this.holds.cursors } = fields;
    const { feedVersions = this.holds.feeds.map(({ number }) => number) } = fields;
    const scripted = new ScriptedAgent(nodeToMessage(this.node, 0n));
    this.say(scripted.hello({ clusterId, epoch, cursors, feedVersions }));
  }

  /** Reports all that the agent holds as applied. */
  applied(): void {
    const networks = this.holds.cursors.map(({ networkId, revision }) => ({ networkId, revision }));
    this.say({ oneofKind: 'applied', applied: { networks, withdrawnIds: [] } });
  }

  say(message: ConnectRequest['message']): void {
    this.requests.push({ message });
  }

  send(bytes: Uint8Array): void {
    this.bytes.push(bytes);
    const { message } = ConnectResponse.fromBinary(bytes);
    switch (message.oneofKind) {
      case 'welcome':
        this.holds.speak(message.welcome.feedVersion);
        this.received.push(`welcome term=${message.welcome.term}`);
        break;
      case 'complete':
        this.holds.complete(message.complete);
        this.received.push(
          `complete ${message.complete.network?.name} @${message.complete.revision} rows=${message.complete.endpoints.length}`,
        );
        break;
      case 'delta': {
        const { networkId, from, to, endpoints, removedEndpointIds } = message.delta;
        const fits = this.holds.delta(message.delta);
        const name = this.holds.held.get(networkId as never)?.network.name ?? networkId;
        this.received.push(
          `delta ${name} ${from}->${to} +${endpoints.length} -${removedEndpointIds.length}${fits ? '' : ' BREAK'}`,
        );
        if (!fits) this.say({ oneofKind: 'resync', resync: { networkId } });
        break;
      }
      case 'withdraw': {
        const { networkId } = message.withdraw;
        this.received.push(`withdraw ${this.holds.held.get(networkId as never)?.network.name ?? networkId}`);
        this.holds.withdraw(networkId);
        break;
      }
      case 'ready':
        this.received.push(`ready @${message.ready.revision}`);
        break;
      case 'verify':
        this.received.push(`verify ${message.verify.call} repair=${message.verify.repair}`);
        break;
      case 'crypto':
        this.received.push(`crypto ${message.crypto.call}`);
        break;
      case 'rekey':
        this.received.push(`rekey after ${message.rekey.afterGeneration}`);
        break;
      case 'goodbye':
        this.received.push(`goodbye ${message.goodbye.leaderAddress}`);
        break;
      case 'hostState':
        this.received.push(`host drained=${message.hostState.drained}`);
        break;
      case 'ownKeys': {
        const { index, version, newest } = message.ownKeys;
        this.received.push(`own keys index=${index} version=${version} newest=${newest}`);
        break;
      }
      case 'peerKeys': {
        const { complete, peers, removedNodeIds } = message.peerKeys;
        const each = peers.map(({ keys, dataPath }) => ` +${keys?.nodeId}@${dataPath} v${keys?.version}`);
        const gone = removedNodeIds.map((id) => ` -${id}`);
        this.received.push(`${complete ? 'all' : 'some'} peer keys${[...each, ...gone].join('')}`);
        break;
      }
      case 'receipts':
        for (const { nodeId, version } of message.receipts.receipts)
          this.received.push(`receipt of ${nodeId} for version ${version}`);
        break;
      case 'removedManagers':
        this.received.push(
          `removed ${message.removedManagers.managers.map(({ name, untilJoin }) => (untilJoin ? `${name} until it joins` : name)).join(' ')}`,
        );
        break;
      case undefined:
        this.received.push('nothing');
        break;
      default:
        assertNever(message);
    }
    if (this.appliesAtOnce) this.applied();
  }

  close(error?: CausewayError): void {
    this.closed ??= { error };
    this.requests.end();
  }

  /** Breaks the connection. */
  hangUp(): void {
    this.requests.end();
  }

  /** The lines since the last call. */
  take(): string[] {
    return this.received.splice(0);
  }
}
