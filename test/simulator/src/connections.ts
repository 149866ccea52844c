import type { CallLimits, ManagerLink, SessionChannel } from '@causeway/agent';
import type { AgentChannel, CallContext, Manager } from '@causeway/manager';
import { callContext } from '@causeway/manager/testing';
import { CausewayError, type NodeId } from '@causeway/model';
import { ConnectRequest, ConnectResponse } from '@causeway/proto/gen/causeway/v1/session_service.js';
import { type Clock, milliseconds, Queue, type Random } from '@causeway/runtime';

/** Delay of a message from one process to another. */
const latency = milliseconds(1);

interface Connection {
  readonly host: string;
  readonly address: string;
  cut(): void;
}

/**
 * All connections between hosts and managers. They lose, delay and break messages as the test sets; chance comes from
 * the seed.
 */
export class Connections {
  /** Probability that a unary call is carried out but its answer is lost. */
  replyLoss = 0;
  /** Called with the bytes of every message of every session, when the message is sent. */
  tap: ((host: string, way: 'up' | 'down', bytes: Uint8Array) => void) | undefined;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #managers = new Map<string, Manager>();
  readonly #open = new Set<Connection>();
  readonly #cut = new Set<string>();
  readonly #stalled = new Set<string>();

  constructor(parts: { readonly clock: Clock; readonly random: Random }) {
    this.#clock = parts.clock;
    this.#random = parts.random;
  }

  listen(address: string, manager: Manager): void {
    this.#managers.set(address, manager);
  }

  /** Closes the port: new connections are refused, existing ones break. */
  close(address: string): void {
    this.#managers.delete(address);
    this.#break((connection) => connection.address === address);
  }

  cut(host: string): void {
    this.#cut.add(host);
    this.#break((connection) => connection.host === host);
  }

  heal(host: string): void {
    this.#cut.delete(host);
  }

  /** The host's connections stall: managers see their messages wait in the queue. The messages still arrive. */
  stall(host: string): void {
    this.#stalled.add(host);
  }

  flow(host: string): void {
    this.#stalled.delete(host);
  }

  /** `node`: the id in the certificate of the host. */
  link(host: string, node: NodeId): ManagerLink {
    const peer = { kind: 'agent', node } as const;
    const call = <Request, Response>(
      address: string,
      serve: (manager: Manager, request: Request, call: CallContext) => Promise<Response>,
      request: Request,
      limits: CallLimits,
    ): Promise<Response> => this.#call(host, peer, address, (manager, bound) => serve(manager, request, bound), limits);
    return {
      connect: (address) => this.#connect(host, peer, address),
      // The managers of a simulation never relay sessions, so agents do not ask for it.
      reaches: () => Promise.resolve(false),
      claimEndpoint: (address, request, limits) =>
        call(address, ({ api }, claim, bound) => api.endpoint.claimEndpoint(claim, bound), request, limits),
      claimEndpoints: (address, request, limits) =>
        call(address, ({ api }, claims, bound) => api.endpoint.claimEndpoints(claims, bound), request, limits),
      releaseEndpoint: (address, request, limits) =>
        call(address, ({ api }, release, bound) => api.endpoint.releaseEndpoint(release, bound), request, limits),
      detachEndpoint: (address, request, limits) =>
        call(address, ({ api }, get, bound) => api.endpoint.detachEndpoint(get, bound), request, limits),
      close: () => this.#break((connection) => connection.host === host),
    };
  }

  #reach(host: string, address: string): Manager {
    const manager = this.#managers.get(address);
    if (manager !== undefined && !this.#cut.has(host)) return manager;
    throw new CausewayError('manager-unavailable', `${address} does not answer`);
  }

  async #call<Response>(
    host: string,
    peer: CallContext['peer'],
    address: string,
    serve: (manager: Manager, call: CallContext) => Promise<Response>,
    limits: CallLimits,
  ): Promise<Response> {
    const signal = limits.signal ?? new AbortController().signal;
    await this.#clock.sleep(latency);
    const manager = this.#reach(host, address);
    const lost = this.#random.float() < this.replyLoss;
    const { timeout, isRetry = false } = limits;
    const answer = serve(manager, callContext({ peer, remaining: timeout, actor: `agent/${host}`, signal, isRetry }));
    const late = this.#clock.sleep(limits.timeout).then((): never => {
      throw new CausewayError('timed-out', `${address} did not answer within ${limits.timeout} ms`);
    });
    late.catch(() => undefined);
    if (lost) {
      await answer.catch(() => undefined);
      return await late;
    }
    const value = await Promise.race([answer, late]);
    await this.#clock.sleep(latency);
    this.#reach(host, address);
    return value;
  }

  #connect(host: string, peer: CallContext['peer'], address: string): SessionChannel {
    const up = new Queue<ConnectRequest>();
    const down = new Queue<ConnectResponse>();
    const broken = (): CausewayError => new CausewayError('manager-unavailable', `the connection to ${address} broke`);
    const connection: Connection = {
      host,
      address,
      cut: () => {
        this.#open.delete(connection);
        up.end();
        down.fail(broken());
      },
    };
    try {
      const manager = this.#reach(host, address);
      this.#open.add(connection);
      const waiting = (): number => (this.#stalled.has(host) ? Number.MAX_SAFE_INTEGER : 0);
      const channel: AgentChannel = {
        peer,
        requests: up,
        get backlog() {
          return waiting();
        },
        send: (bytes) => {
          this.tap?.(host, 'down', bytes);
          this.#later(connection, () => down.push(ConnectResponse.fromBinary(bytes)));
        },
        close: (error) =>
          this.#later(connection, () => {
            up.end();
            if (error === undefined) down.end();
            else down.fail(error);
          }),
      };
      void manager.accept(channel);
    } catch (error) {
      down.fail(error);
    }
    return {
      messages: down,
      send: (request) => {
        const bytes = ConnectRequest.toBinary(request);
        this.tap?.(host, 'up', bytes);
        this.#later(connection, () => up.push(ConnectRequest.fromBinary(bytes)));
      },
      close: () => {
        this.#open.delete(connection);
        up.end();
        down.end();
      },
    };
  }

  /** Delivers in order, since every message takes equally long. */
  #later(connection: Connection, deliver: () => void): void {
    void this.#clock.sleep(latency).then(() => {
      if (this.#open.has(connection)) deliver();
    });
  }

  #break(which: (connection: Connection) => boolean): void {
    for (const connection of [...this.#open].filter(which)) connection.cut();
  }
}
