import { setTimeout as sleep } from 'node:timers/promises';
import { SessionServiceClient } from '@causeway/proto/gen/causeway/v1/session_service.grpc-client.js';
import {
  AppliedReport,
  ConnectRequest,
  type ConnectResponse,
  Hello,
  HostReport,
} from '@causeway/proto/gen/causeway/v1/session_service.js';
import { Node } from '@causeway/proto/gen/causeway/v1/types.js';
import { plaintext } from '@causeway/proto/io';
import { channelOptions } from './managers.ts';

/** Between two tries to reach a manager, ms. */
const pause = 100;

export interface HostSettings {
  readonly id: string;
  readonly name: string;
  readonly dataPath: string;
  readonly managers: readonly string[];
}

/** A host without kernel: it has a session with the leader and confirms at once whatever it is told to have. */
export class Host {
  readonly id: string;
  readonly #settings: HostSettings;
  readonly #clients: ReadonlyMap<string, SessionServiceClient>;
  #clusterId = '';
  #epoch = 0n;
  #next: string | undefined;

  constructor(settings: HostSettings) {
    this.id = settings.id;
    this.#settings = settings;
    this.#clients = new Map(
      settings.managers.map((address) => {
        return [address, new SessionServiceClient(address, plaintext.client(), channelOptions)] as const;
      }),
    );
  }

  /** Resolves with its first session: the host is registered then. */
  start(): Promise<void> {
    return new Promise((registered) => void this.#run(registered));
  }

  async #run(registered: () => void): Promise<never> {
    const { managers } = this.#settings;
    for (let turn = 0; ; turn++) {
      const address = this.#next ?? managers[turn % managers.length] ?? '';
      this.#next = undefined;
      await this.#session(address, registered).catch(() => undefined);
      await sleep(pause);
    }
  }

  async #session(address: string, registered: () => void): Promise<void> {
    const stream = this.#clients.get(address)?.connect();
    if (stream === undefined) return;
    stream.on('error', () => undefined);
    const send = (message: ConnectRequest['message']): void => void stream.write(ConnectRequest.create({ message }));
    let heartbeat: NodeJS.Timeout | undefined;
    send({ oneofKind: 'hello', hello: this.#hello() });
    try {
      for await (const { message } of stream as AsyncIterable<ConnectResponse>) {
        if (message.oneofKind === 'welcome') {
          const { clusterId, epoch, heartbeatMs } = message.welcome;
          this.#clusterId = clusterId;
          this.#epoch = epoch;
          heartbeat = setInterval(() => send({ oneofKind: 'report', report: this.#report() }), heartbeatMs);
        }
        if (message.oneofKind === 'ready') registered();
        if (message.oneofKind === 'goodbye') this.#next = message.goodbye.leaderAddress || undefined;
        const applied = appliedOf(message);
        if (applied !== undefined) send({ oneofKind: 'applied', applied });
      }
    } finally {
      clearInterval(heartbeat);
      stream.cancel();
    }
  }

  #hello(): Hello {
    const { id, name, dataPath } = this.#settings;
    const node = Node.create({ id, name, dataPath, underlayMtu: 1500, version: 'chaos' });
    return Hello.create({ clusterId: this.#clusterId, epoch: this.#epoch, node });
  }

  #report(): HostReport {
    return HostReport.create({ underlayMtu: 1500 });
  }
}

function appliedOf(message: ConnectResponse['message']): AppliedReport | undefined {
  switch (message.oneofKind) {
    case 'complete': {
      const { network, revision } = message.complete;
      return AppliedReport.create({ networks: [{ networkId: network?.id ?? '', revision }] });
    }
    case 'delta': {
      const { networkId, to } = message.delta;
      return AppliedReport.create({ networks: [{ networkId, revision: to }] });
    }
    case 'withdraw':
      return AppliedReport.create({ withdrawnIds: [message.withdraw.networkId] });
    default:
      return undefined;
  }
}
