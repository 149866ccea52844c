import { CausewayError, clip, eventKinds } from '@causeway/model';
import type {
  DescribeManagerRequest,
  DescribeManagerResponse,
  GetStatusRequest,
  GetStatusResponse,
  ListManagersRequest,
  ListManagersResponse,
  Store,
  StoreMember,
  VerifyRequest,
  VerifyResponse,
  WatchEventsRequest,
  WatchEventsResponse,
} from '@causeway/proto/gen/causeway/v1/cluster_service.js';
import type { Event } from '@causeway/proto/gen/causeway/v1/types.js';
import { type Duration, milliseconds, seconds, within } from '@causeway/runtime';
import type { StoreMemberStatus } from '../store/store.ts';
import { type Call, withinCall } from './call.ts';
import { hostsOf } from './health.ts';
import { knownManagers, managerMessage, type Survey, surveyOf } from './managers.ts';
import type { ApiContext } from './modules.ts';

/** For another manager's answer, and for the store's: a status that comes late helps nobody. */
const peerPatience = seconds(1);
const storePatience = milliseconds(1_300);

/** They are collected before the first is sent. */
const mostTail = 10_000;

/** Told by whoever reads, and never of the store. */
const gone = 'events.gone';

/** ClusterService. */
export class ClusterApi {
  readonly #context: ApiContext;

  constructor(context: ApiContext) {
    this.#context = context;
  }

  /** Every manager answers, whatever of the rest works: this is what one looks at when something does not. */
  async getStatus(_request: GetStatusRequest, call: Call): Promise<GetStatusResponse> {
    const { view } = this.#context.modules;
    const [survey, members] = await Promise.all([this.#survey(call), this.#members(call)]);
    return {
      clusterId: view.cluster?.id ?? '',
      epoch: view.cluster?.epoch ?? 0n,
      schema: view.cluster?.schema ?? 0,
      revision: view.revision,
      ...this.#leader(survey),
      managers: survey.managers,
      ...(members !== undefined && { store: storeToMessage(members) }),
      hostsReady: survey.hosts?.ready ?? 0,
      hostsTotal: view.nodes.size,
      repairs: survey.hosts?.repairs ?? 0n,
      drift: survey.hosts?.drift ?? 0,
      networks: view.networks.size,
      endpoints: view.endpointCount,
      unreadyHosts: survey.hosts?.unready ?? [],
      troubledHosts: survey.hosts?.troubled ?? [],
      degradedNetworks: survey.hosts?.degradedNetworks ?? 0,
      degradedEndpoints: survey.hosts?.degradedEndpoints ?? 0,
    };
  }

  async listManagers(_request: ListManagersRequest, call: Call): Promise<ListManagersResponse> {
    return { managers: (await this.#survey(call)).managers };
  }

  describeManager(_request: DescribeManagerRequest): Promise<DescribeManagerResponse> {
    return Promise.resolve(this.#describe());
  }

  async verify(request: VerifyRequest, call: Call): Promise<VerifyResponse> {
    this.#context.leading();
    const { view, feed, clock } = this.#context.modules;
    const asked =
      request.hosts.length === 0 ? [...view.nodes.values()] : request.hosts.map((host) => view.findNode(host));
    const nodes = [...new Set(asked.map((node) => node.value))];
    const outcome = await withinCall(clock, call, (signal) => feed.verify(nodes, request.repair, signal));
    return { drift: [...outcome.drift], checked: [...outcome.checked], unreachable: [...outcome.unreachable] };
  }

  /** Every manager answers. Ends with the caller, or after what is kept. @throws CausewayError shutting-down */
  async *watchEvents(request: WatchEventsRequest, signal: AbortSignal): AsyncGenerator<WatchEventsResponse, void> {
    checkKinds(request.kinds);
    checkTail(request);
    const { events } = this.#context.modules;
    const since = Number(request.sinceMs);
    let from = request.fromSequence;
    if (request.tail > 0) {
      const tail = await events.last(request.tail, since, (event) => isWanted(event, request));
      for (const event of tail.events) yield { event };
      if (!request.follow) return;
      from = tail.next;
    }
    for await (const event of events.read({ from, since, follow: request.follow }, signal))
      if (isWanted(event, request)) yield { event };
    if (request.follow && !signal.aborted)
      throw new CausewayError('shutting-down', 'this manager is stopping: ask another');
  }

  #describe(): DescribeManagerResponse {
    const { leads, isOutdated, modules, settings } = this.#context;
    const { view } = modules;
    const record = knownManagers(view, settings).find(({ name }) => name === settings.name);
    const manager =
      record && managerMessage(record, leads ? 'leader' : isOutdated ? 'outdated' : 'standby', view.revision);
    return { ...(manager !== undefined && { manager }), ...(leads && { hosts: hostsOf(this.#context) }) };
  }

  async #survey(call: Call): Promise<Survey> {
    const { modules, settings } = this.#context;
    const { view, peers } = modules;
    const known = knownManagers(view, settings);
    const answers = known.map(({ name, address }) =>
      name === settings.name
        ? this.#describe()
        : this.#inTime(call, peerPatience, (signal) => peers.describe(address, signal)),
    );
    return surveyOf(
      known,
      (await Promise.all(answers)).filter((answer) => answer !== undefined),
    );
  }

  /** Who has the key, unless it says itself that it does not lead (any more, or yet). */
  #leader({ managers }: Survey): Pick<GetStatusResponse, 'leader'> {
    const { leader } = this.#context.modules.view;
    if (
      leader === undefined ||
      managers.some(({ name, state }) => name === leader.name && (state === 'standby' || state === 'outdated'))
    )
      return {};
    const { name: manager, address, term, since } = leader;
    return { leader: { manager, address, term, sinceMs: BigInt(Math.trunc(since)) } };
  }

  #members(call: Call): Promise<readonly StoreMemberStatus[] | undefined> {
    return this.#inTime(call, storePatience, () => this.#context.modules.store.members());
  }

  /** Undefined when it fails, or takes longer than the span or the caller's time. */
  #inTime<Value>(
    call: Call,
    span: Duration,
    work: (signal: AbortSignal) => Promise<Value>,
  ): Promise<Value | undefined> {
    const { clock } = this.#context.modules;
    const answer = (signal: AbortSignal) => Promise.race([work(signal).catch(() => undefined), aborted(signal)]);
    return withinCall(clock, call, (signal) => within(clock, span, answer, signal));
  }
}

function storeToMessage(members: readonly StoreMemberStatus[]): Store {
  let newest = 0n;
  for (const { revision } of members) if (revision > newest) newest = revision;
  return { members: members.map(memberToMessage), revision: newest };
}

function memberToMessage({ clientUrls, alarms, size, sizeInUse, ...rest }: StoreMemberStatus): StoreMember {
  const { name, healthy, leader, learner, revision, lag } = rest;
  const sizes = { size: BigInt(size), sizeInUse: BigInt(sizeInUse) };
  return { name, clientUrls: [...clientUrls], healthy, leader, learner, ...sizes, revision, lag, alarms: [...alarms] };
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
}

/** A typing error would be a stream without events. @throws CausewayError invalid-argument */
function checkKinds(kinds: readonly string[]): void {
  const unknown = kinds.find((kind) => kind !== gone && !eventKinds.some((known) => known === kind));
  if (unknown === undefined) return;
  const message = `kinds: there is no event kind "${clip(unknown)}"; known are ${eventKinds.join(', ')}`;
  throw new CausewayError('invalid-argument', message, { field: 'kinds', value: clip(unknown) });
}

/** @throws CausewayError invalid-argument */
function checkTail({ tail, fromSequence }: WatchEventsRequest): void {
  if (tail === 0) return;
  if (fromSequence !== 0n)
    throw new CausewayError('invalid-argument', 'tail and from_sequence exclude each other: ask for one of them', {
      field: 'tail',
    });
  if (tail <= mostTail) return;
  const message = `tail: ${tail} are too many, at most ${mostTail}; from_sequence has no limit`;
  throw new CausewayError('invalid-argument', message, { field: 'tail', value: tail });
}

/** That something is missing is told whatever was asked for. */
function isWanted(event: Event, { kinds, network, host }: WatchEventsRequest): boolean {
  if (event.kind === gone) return true;
  const isOf = (wanted: string, ...is: readonly string[]): boolean => wanted === '' || is.includes(wanted);
  const isOfKind = kinds.length === 0 || kinds.includes(event.kind);
  return isOfKind && isOf(network, event.network, event.networkId) && isOf(host, event.host);
}
