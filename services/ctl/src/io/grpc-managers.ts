import type {
  GetTrustRequest,
  GetTrustResponse,
  RenewRequest,
  RenewResponse,
} from '@causeway/proto/gen/causeway/v1/certificate_service.js';
import type {
  CreateBackupRequest,
  CreateBackupResponse,
  GetStatusRequest,
  GetStatusResponse,
  VerifyRequest,
  WatchEventsRequest,
} from '@causeway/proto/gen/causeway/v1/cluster_service.js';
import type { Event } from '@causeway/proto/gen/causeway/v1/types.js';
import { type CallLimits, callUnary, errorFromService, type UnaryMethod } from '@causeway/proto/io';
import { milliseconds, randomUuid, seconds } from '@causeway/runtime';
import { cryptoRandom } from '@causeway/runtime/io';
import type { ChannelCredentials, ClientReadableStream, ServiceError } from '@grpc/grpc-js';
import type { Managers } from '../clients.ts';
import { Caller, type CallerParts, type Purpose } from './caller.ts';
import { managerMethods, StubPool } from './manager-stubs.ts';
import type { OperatorSource } from './operator-credential.ts';

/** A manager that restarts is back within this time, or not soon; the user should not wait longer. */
const endWhenRefused = milliseconds(800);

/** A manager answers a status within 1.3 s, even if what it asks itself is slow. */
const statusWithin = milliseconds(1_600);

/** A command takes at most this much longer to ask whether the operator's certificate is to be renewed. */
const trustWithin = milliseconds(1_500);
/** The longest of `renewalTimeOf`. */
const renewWithin = seconds(10);

/** The purpose of a call, which decides how it is sent, by the first word of its method. */
const purposes = {
  create: 'change',
  update: 'change',
  drain: 'change',
  undrain: 'change',
  reserve: 'change',
  release: 'change',
  revoke: 'change',
  renew: 'change',
  set: 'change',
  unlock: 'change',
  delete: 'change-and-wait',
  detach: 'change-and-wait',
  remove: 'change-and-wait',
  get: 'read',
  list: 'read',
  show: 'read',
  check: 'read',
  wait: 'wait',
} as const satisfies Readonly<Record<string, Purpose>>;

type Watch =
  | Exclude<Extract<keyof Managers, `watch${string}`>, 'watchEvents'>
  | Extract<keyof Managers, `rotate${string}`>;
type Unary = Exclude<keyof Managers, `watch${string}` | `rotate${string}` | 'createBackup' | 'getStatuses'>;
type PurposeOf = Purpose | ((request: never) => Purpose);

/** Other methods. The compiler asks for those whose first word is not in the table above. */
const others: Readonly<
  Record<Exclude<Unary, `${keyof typeof purposes}${string}`> | 'getStatus' | 'getCryptoStatus', PurposeOf>
> = {
  getStatus: 'status',
  getCryptoStatus: 'wait',
  verify: ({ repair }: VerifyRequest) => (repair ? 'change-and-wait' : 'wait'),
};

/** undefined: operators do not call the method. */
function purposeOf(method: string): PurposeOf | undefined {
  const [first = ''] = /^[a-z]+/.exec(method) ?? [];
  const byName: Readonly<Record<string, PurposeOf>> = others;
  const byFirstWord: Readonly<Record<string, PurposeOf>> = purposes;
  return byName[method] ?? byFirstWord[first];
}

interface ManagersParts extends CallerParts {
  /** Asked before the first call. */
  readonly credentials: () => Promise<ChannelCredentials>;
}

/**
 * The managers behind their addresses: any manager that can serve. Mutating requests carry a request id, so a retry is
 * safe.
 */
export function grpcManagers(
  parts: ManagersParts,
  settings: { managers: readonly string[] },
): Managers & Pick<ManagerCalls, 'renewIdentity' | 'close'> {
  const calls = new ManagerCalls(parts, settings);
  const methods = managerMethods.flatMap(({ name, isStream }): [string, (request: never) => unknown][] => {
    if (isStream) return [[name, (request) => calls.watch(name as Watch, request)]];
    const purpose = purposeOf(name);
    if (purpose === undefined) return [];
    const chosen = typeof purpose === 'string' ? () => purpose : purpose;
    return [[name, (request) => calls.call(chosen(request), name as Unary, request)]];
  });
  return {
    // The names and types are those of the generated clients, whose methods have the same names.
    ...(Object.fromEntries(methods) as unknown as Pick<Managers, Unary | Watch>),
    watchEvents: (request) => calls.events(request),
    createBackup: (request) => calls.backup(request),
    getStatuses: () => calls.statuses(),
    renewIdentity: (work) => calls.renewIdentity(work),
    close: () => calls.close(),
  };
}

class ManagerCalls {
  readonly #parts: ManagersParts;
  readonly #addresses: readonly string[];
  readonly #caller: Caller;
  #opening: Promise<StubPool> | undefined;
  #isClosed = false;

  constructor(parts: ManagersParts, settings: { managers: readonly string[] }) {
    this.#parts = parts;
    this.#addresses = settings.managers;
    this.#caller = new Caller(parts, { what: 'manager', addresses: settings.managers, endWhenRefused });
  }

  close(): void {
    this.#isClosed = true;
    this.#opening?.then(
      (stubs) => stubs.close(),
      () => undefined,
    );
  }

  /** `work`: renews the credential by which these calls are made. */
  async renewIdentity(work: (source: OperatorSource, signal: AbortSignal) => Promise<void>): Promise<void> {
    if (this.#opening === undefined) return;
    const source = certificatesAt(this.#caller.current, await this.#opening);
    // A failure does not concern the user before the certificate expires, and a later command tries again.
    await work(source, this.#parts.signal).catch(() => undefined);
  }

  async *backup(request: CreateBackupRequest): AsyncGenerator<CreateBackupResponse> {
    const stubs = await this.#open();
    yield* this.#caller.stream((address, limits) => itemsOf(stubs.method(address, 'createBackup')(request), limits));
  }

  async statuses(): Promise<readonly GetStatusResponse[]> {
    const stubs = await this.#open().catch(() => undefined);
    if (stubs === undefined) return [];
    const all = await Promise.all(this.#addresses.map((address) => this.#statusOf(stubs, address)));
    return all.filter((status) => status !== undefined);
  }

  async #statusOf(stubs: StubPool, address: string): Promise<GetStatusResponse | undefined> {
    const limits = { timeout: statusWithin, signal: this.#parts.signal };
    const method = stubs.method(address, 'getStatus');
    return await callUnary<GetStatusRequest, GetStatusResponse>(method, {}, limits).catch(() => undefined);
  }

  async *events(request: WatchEventsRequest): AsyncGenerator<Event> {
    const stubs = await this.#open();
    let rest = request;
    for await (const event of this.#caller.resumable((address, limits) => eventsOf(stubs, address, rest, limits))) {
      rest = { ...request, fromSequence: event.sequence + 1n, sinceMs: 0n, tail: 0 };
      yield event;
    }
  }

  async *watch(method: Watch, request: never): AsyncGenerator<unknown> {
    const stubs = await this.#open();
    yield* this.#caller.attempt((address, limits) => {
      const open = stubs.method(address, method) as (request: never) => ClientReadableStream<unknown>;
      return itemsOf(open(request), limits);
    });
  }

  async call(purpose: Purpose, method: Unary, request: unknown): Promise<unknown> {
    const stubs = await this.#open();
    const methodAt = (address: string) => stubs.method(address, method) as UnaryMethod<unknown, unknown>;
    return await this.#caller.call(purpose, methodAt, request);
  }

  #open(): Promise<StubPool> {
    this.#opening ??= this.#parts.credentials().then((credentials) => {
      const stubs = new StubPool(credentials);
      if (this.#isClosed) stubs.close();
      return stubs;
    });
    return this.#opening;
  }
}

/** What the manager that answered last says. It is asked once: a later command tries again. */
function certificatesAt(address: string, stubs: StubPool): OperatorSource {
  return {
    address,
    async trust(signal) {
      const method = stubs.method(address, 'getTrust');
      const limits = { timeout: trustWithin, signal };
      const answer = await callUnary<GetTrustRequest, GetTrustResponse>(method, {}, limits);
      const { roots, removedManagers, managers } = answer;
      return {
        ...{ roots: roots.join(''), managers },
        removed: removedManagers.map(({ name, atMs, untilJoin }) => ({
          name,
          at: Number(atMs),
          isUntilJoin: untilJoin,
        })),
      };
    },
    async renew(certificateRequest, signal) {
      const method = stubs.method(address, 'renew');
      const request = { requestId: randomUuid(cryptoRandom), certificateRequest };
      const limits = { timeout: renewWithin, signal };
      const { chain, roots } = await callUnary<RenewRequest, RenewResponse>(method, request, limits);
      return { chain: chain.join(''), roots: roots.join('') };
    },
  };
}

async function* eventsOf(
  stubs: StubPool,
  address: string,
  request: WatchEventsRequest,
  limits: CallLimits,
): AsyncGenerator<Event> {
  const deadline = request.follow ? {} : { deadline: Date.now() + limits.timeout };
  const stream = stubs.method(address, 'watchEvents')(request, deadline);
  for await (const { event } of itemsOf(stream, limits)) if (event !== undefined) yield event;
}

/** The items of a stream. The call is cancelled when the reader stops reading, or when the signal aborts. */
async function* itemsOf<Item>(stream: ClientReadableStream<Item>, limits: CallLimits): AsyncGenerator<Item> {
  const cancel = (): void => stream.cancel();
  limits.signal?.addEventListener('abort', cancel);
  try {
    for await (const item of stream as AsyncIterable<Item>) yield item;
  } catch (error) {
    throw isServiceError(error) ? errorFromService(error) : error;
  } finally {
    limits.signal?.removeEventListener('abort', cancel);
    stream.cancel();
  }
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && 'code' in error && 'details' in error;
}
