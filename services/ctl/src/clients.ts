import type { Calls } from '@causeway/proto';
import type { IAgentServiceClient } from '@causeway/proto/gen/causeway/v1/agent_service.grpc-client.js';
import type { GetStatusResponse, WatchEventsRequest } from '@causeway/proto/gen/causeway/v1/cluster_service.js';
import type { ServiceClients } from '@causeway/proto/gen/causeway/v1/services.js';
import type { Event } from '@causeway/proto/gen/causeway/v1/types.js';
import type { Duration } from '@causeway/runtime';

/** Addresses of the servers, and how long a whole command may wait for them. */
export interface ConnectionSettings {
  /** HOST:PORT each; the first is tried first. May be empty for a command that asks no manager. */
  readonly managers: readonly string[];
  /** The operator's credential: the name of a context, or a directory; absent: the context in use. */
  readonly context?: string | undefined;
  /** Path of the agent's unix socket. */
  readonly socket: string;
  readonly timeout: Duration;
}

type Intersection<Client> = (Client extends unknown ? (client: Client) => void : never) extends (
  client: infer All,
) => void
  ? All
  : never;

/** The services that managers serve call by call. */
export type ServiceName = Exclude<keyof ServiceClients, 'agent' | 'session'>;

/** All methods of these services; no two services have a method of the same name. */
export type ManagerMethods = Intersection<ServiceClients[ServiceName]>;

/** Those that operators call. Agents and managers call the others, and who joins calls `join` without a certificate. */
type OperatorMethods = Omit<
  ManagerMethods,
  'claimEndpoint' | 'claimEndpoints' | 'releaseEndpoint' | 'describeManager' | 'reportRefusals' | 'join'
>;

/**
 * All managers as one: a call goes to any manager that can serve it. Failures are CausewayErrors. A watch of objects is
 * one connection to one manager until it breaks; the next call asks the next manager. A watch of events continues at
 * another manager.
 */
export type Managers = Omit<Calls<OperatorMethods>, 'watchEvents'> & {
  /** Ends after the stored events; does not end when the request says `follow`. */
  watchEvents(request: WatchEventsRequest): AsyncIterable<Event>;
  /** The statuses of all managers that answer soon; never fails. */
  getStatuses(): Promise<readonly GetStatusResponse[]>;
};

/** The agent of this host. */
export type Agent = Calls<Pick<IAgentServiceClient, 'attach' | 'detach' | 'getAgentStatus' | 'listSandboxes'>>;

export interface Clients {
  /** Throws when no manager address is set. */
  readonly managers: Managers;
  readonly agent: Agent;
  /**
   * Renews the operator's certificate if it is time. Does nothing before the first call to the managers. Never fails: a later
   * command tries again.
   */
  renewIdentity(): Promise<void>;
  close(): void;
}

/** Opens no connection yet: a client connects at its first call. The time of `settings.timeout` starts here. */
export type Connect = (settings: ConnectionSettings, signal: AbortSignal) => Clients;
