import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';
import type { SecureContext } from 'node:tls';
import { feedVersions } from '@causeway/model';
import { ConnectRequest, ConnectResponse } from '@causeway/proto/gen/causeway/v1/session_service.js';
import { ScriptedAgent } from '@causeway/proto/testing/agent';
import type { NodeSettings } from './session.ts';
import { connectSecured } from './tls-client.ts';
import { framed, glance, Heads, responseFields } from './wire.ts';

/** Milliseconds between reports of an agent that it has applied something, at least. */
const reportEvery = 20;
/** Milliseconds between the pings with which an agent checks its connection. */
const pingEvery = 1_000;

/**
 * An agent as its manager sees it, for thousands of them in one process: a connection, a session, pings, heartbeats, and
 * reports that everything is applied. It reads of each message only what it needs for that, and skips the rows of tables.
 */
export class LightAgent {
  readonly #scripted: ScriptedAgent;
  readonly #address: string;
  readonly #secureContext: SecureContext;
  readonly #localAddress: string;
  readonly #reached = new Map<string, bigint>();
  #http: ClientHttp2Session | undefined;
  #stream: ClientHttp2Stream | undefined;
  #timers: NodeJS.Timeout[] = [];
  #report: NodeJS.Timeout | undefined;
  #state: 'open' | 'closed' | 'lost' = 'open';
  /** After the session, the manager wants the agent back within this time, ms. */
  returnWithin = 0;
  /** Why the manager ended the session; empty: it did not, or did not say why. */
  farewell = '';
  /** Called for each table or delta of a network. */
  onNetwork: (networkId: string) => void = () => undefined;

  /** `secureContext`: of the agent of that node. */
  constructor(address: string, secureContext: SecureContext, node: NodeSettings) {
    this.#scripted = new ScriptedAgent(node);
    this.#address = address;
    this.#secureContext = secureContext;
    this.#localAddress = node.localAddress;
  }

  /** The session ended and this agent did not end it. */
  get isLost(): boolean {
    return this.#state === 'lost';
  }

  /** Connects. Resolves when the manager has sent everything. */
  start(): Promise<void> {
    const target = { address: this.#address, secureContext: this.#secureContext, localAddress: this.#localAddress };
    const http = connect(`https://${this.#address}`, { createConnection: () => connectSecured(target) });
    http.on('error', () => undefined); // the stream's "close" handles every failure
    this.#http = http;
    return new Promise((resolve, reject) => {
      const headers = { ':method': 'POST', ':path': '/causeway.v1.SessionService/Connect', te: 'trailers' };
      const stream = http.request({ ...headers, 'content-type': 'application/grpc' }, { endStream: false });
      const heads = new Heads();
      this.#stream = stream;
      stream.on('error', () => undefined);
      stream.on('close', () => {
        if (this.#state === 'open') this.#state = 'lost';
        this.#stop();
        reject(new Error('the manager ended the session before it was ready'));
      });
      stream.on('data', (chunk: Buffer) => {
        for (const head of heads.take(chunk)) if (this.#take(head) === responseFields.ready) resolve();
      });
      const feeds = feedVersions.map(({ number }) => number);
      stream.write(framed(ConnectRequest.toBinary({ message: this.#scripted.hello({ feedVersions: feeds }) })));
    });
  }

  close(): void {
    if (this.#state === 'open') this.#state = 'closed';
    this.#stop();
    this.#http?.destroy();
  }

  #stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
    clearTimeout(this.#report);
    this.#timers = [];
  }

  /** Returns the field of ConnectResponse that the message is in. */
  #take(head: Buffer): number {
    const { field, networkId, revision } = glance(head);
    if (networkId !== '') {
      this.#reached.set(networkId, revision);
      this.#report ??= setTimeout(() => this.#sendReport(), reportEvery);
      this.onNetwork(networkId);
    } else if (field === responseFields.welcome || field === responseFields.goodbye) {
      this.#read(head);
    }
    return field;
  }

  #read(head: Buffer): void {
    const { message } = ConnectResponse.fromBinary(head);
    if (message.oneofKind === 'goodbye') this.farewell = message.goodbye.reason;
    if (message.oneofKind !== 'welcome') return;
    this.returnWithin = message.welcome.returnWithinMs;
    const heartbeat = framed(ConnectRequest.toBinary({ message: this.#scripted.report() }));
    this.#timers = [
      setInterval(() => this.#stream?.write(heartbeat), message.welcome.heartbeatMs),
      setInterval(() => this.#http?.ping(() => undefined), pingEvery),
    ];
  }

  #sendReport(): void {
    this.#report = undefined;
    this.#stream?.write(reportOf(this.#reached));
    this.#reached.clear();
  }
}

/** Many agents report the same revision of the same network. */
let last: { readonly networkId: string; readonly revision: bigint; readonly bytes: Buffer } | undefined;

function reportOf(reached: ReadonlyMap<string, bigint>): Buffer {
  const networks = Array.from(reached, ([networkId, revision]) => ({ networkId, revision }));
  const [first, ...more] = networks;
  if (
    first !== undefined &&
    more.length === 0 &&
    last?.networkId === first.networkId &&
    last.revision === first.revision
  )
    return last.bytes;
  const applied = { networks, withdrawnIds: [] };
  const bytes = framed(ConnectRequest.toBinary({ message: { oneofKind: 'applied', applied } }));
  if (first !== undefined && more.length === 0) last = { ...first, bytes };
  return bytes;
}
