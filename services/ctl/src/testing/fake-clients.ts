import { CausewayError } from '@causeway/model';
import type { Agent, Clients, Connect, ConnectionSettings, Managers } from '../clients.ts';

export interface FakeServers {
  readonly managers?: Partial<Managers>;
  readonly agent?: Partial<Agent>;
}

export interface RecordedCall {
  readonly method: string;
  readonly request: unknown;
}

/** A command without given managers asks the agent first. Tests do not count this call. */
const noAgent: Partial<Agent> = {
  getAgentStatus: () => Promise.reject(new CausewayError('agent-unavailable', 'no agent on this host')),
};

/** Long commands also ask for statuses. Tests do not count these calls. */
const noStatuses: Partial<Managers> = { getStatuses: async () => [] };

/** Servers made of the given functions. Every call is recorded; a call of a missing function fails the test. */
export class FakeConnection {
  readonly calls: RecordedCall[] = [];
  readonly connect: Connect;
  settings: ConnectionSettings | undefined;
  open = 0;
  /** How often a certificate was renewed if it was time. */
  renewals = 0;

  constructor(servers: FakeServers) {
    this.connect = (settings): Clients => {
      this.settings = settings;
      this.open++;
      return {
        managers: this.#recording<Managers>('managers', { ...noStatuses, ...servers.managers }),
        agent: this.#recording<Agent>('agent', { ...noAgent, ...servers.agent }),
        renewIdentity: async () => void this.renewals++,
        close: () => {
          this.open--;
        },
      };
    };
  }

  #recording<Server extends object>(name: string, given: Partial<Server>): Server {
    return new Proxy(given, {
      get: (target, key) => (request: unknown) => {
        const serve = Reflect.get(target, key) as ((request: unknown) => unknown) | undefined;
        if (serve !== noAgent.getAgentStatus && key !== 'getStatuses')
          this.calls.push({ method: `${name}.${String(key)}`, request });
        if (serve === undefined) throw new Error(`the test gave no ${name}.${String(key)}`);
        return serve(request);
      },
    }) as Server;
  }
}
