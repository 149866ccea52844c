import { services } from '@causeway/proto/gen/causeway/v1/services.js';
import type { ChannelCredentials } from '@grpc/grpc-js';
import type { ManagerMethods, ServiceName } from '../clients.ts';
import { channelOptions } from './channel-options.ts';

const { agent: _, session: __, ...served } = services;

/** Every method that managers serve, and whether its answer is a stream. */
export const managerMethods: readonly { readonly name: string; readonly isStream: boolean }[] = Object.values(
  served satisfies Readonly<Record<ServiceName, unknown>>,
).flatMap(({ definition }) =>
  Object.entries(definition).map(([name, { responseStream }]) => ({ name, isStream: responseStream })),
);

type Stub = InstanceType<(typeof served)[ServiceName]['Client']>;

/** Makes each manager's generated clients once. They connect at their first call, and share one connection. */
export class StubPool {
  readonly #credentials: ChannelCredentials;
  readonly #stubs = new Map<string, readonly Stub[]>();

  constructor(credentials: ChannelCredentials) {
    this.#credentials = credentials;
  }

  /** A method, bound to the client of the service that has it. */
  method<Name extends keyof ManagerMethods>(address: string, name: Name): ManagerMethods[Name] {
    const stub = this.#at(address).find((each) => name in each) as unknown as ManagerMethods | undefined;
    if (stub === undefined) throw new TypeError(`no service has a method ${String(name)}`);
    return (stub[name] as (...call: never) => unknown).bind(stub) as ManagerMethods[Name];
  }

  #at(address: string): readonly Stub[] {
    const known = this.#stubs.get(address);
    if (known !== undefined) return known;
    const made = Object.values(served).map(({ Client }) => new Client(address, this.#credentials, channelOptions));
    this.#stubs.set(address, made);
    return made;
  }

  close(): void {
    for (const stub of [...this.#stubs.values()].flat()) stub.close();
    this.#stubs.clear();
  }
}
