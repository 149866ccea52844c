import { CausewayError, parseReference, unwrap } from '@causeway/model';
import type {
  CreateBackupRequest,
  CreateBackupResponse,
  DescribeManagerRequest,
  DescribeManagerResponse,
  GetStatusRequest,
  GetStatusResponse,
  ListManagersRequest,
  ListManagersResponse,
  RemoveManagerRequest,
  RemoveManagerResponse,
  ReportRefusalsRequest,
  ReportRefusalsResponse,
  Store,
  StoreMember,
  VerifyRequest,
  VerifyResponse,
  WatchEventsRequest,
  WatchEventsResponse,
} from '@causeway/proto/gen/causeway/v1/cluster_service.js';
import { type Duration, milliseconds, seconds, within } from '@causeway/runtime';
import { type CallContext, withinCall } from '../call/context.ts';
import { formatIdentity } from '../call/identity.ts';
import { RateLimit } from '../call/rate-limit.ts';
import { callRefusedBy } from '../events/describe.ts';
import type { StoreMemberStatus } from '../store/store.ts';
import { ClusterAdminApi } from './cluster-admin.ts';
import { hostsOf } from './health.ts';
import { externalCaOf, knownManagers, managerMessage, type Survey, surveyOf } from './managers.ts';
import type { ApiContext } from './modules.ts';
import { watchEvents } from './watch-events.ts';

/** Limits for the answers of other managers and of the store: a late status is of no use. */
const peerPatience = seconds(1);
const storePatience = milliseconds(1_300);

/** A manager makes at most 20 events a minute of what it refuses (events/refusal-aggregator.ts). */
const mostRefusals = 20;
const reportLimits = {
  perSource: { burst: 20, perSecond: 1 / 3, refused: 1 },
  inAll: { burst: 60, perSecond: 1, refused: 1 },
};

export class ClusterApi {
  readonly #context: ApiContext;
  readonly #admin: ClusterAdminApi;
  readonly #reports: RateLimit;

  constructor(context: ApiContext) {
    this.#context = context;
    this.#reports = new RateLimit(context.modules.clock, reportLimits);
    this.#admin = new ClusterAdminApi(context);
  }

  /** Every manager answers, whatever else works: operators ask for the status when something does not work. */
  async getStatus(_request: GetStatusRequest, call: CallContext): Promise<GetStatusResponse> {
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

  async listManagers(_request: ListManagersRequest, call: CallContext): Promise<ListManagersResponse> {
    return { managers: (await this.#survey(call)).managers };
  }

  async reportRefusals({ refusals }: ReportRefusalsRequest, { peer }: CallContext): Promise<ReportRefusalsResponse> {
    this.#context.leading();
    this.#reports.take(formatIdentity(peer));
    if (refusals.length > mostRefusals)
      throw new CausewayError(
        'invalid-argument',
        `refusals: ${refusals.length} are too many, the limit is ${mostRefusals}`,
        {
          field: 'refusals',
        },
      );
    for (const refusal of refusals) this.#context.modules.sink.emit(callRefusedBy(formatIdentity(peer), refusal));
    return {};
  }

  describeManager(_request: DescribeManagerRequest): Promise<DescribeManagerResponse> {
    return Promise.resolve(this.#describe());
  }

  async verify(request: VerifyRequest, call: CallContext): Promise<VerifyResponse> {
    this.#context.leading();
    const { view, feed, clock } = this.#context.modules;
    const hosts = request.hosts.map((host, i) => unwrap(parseReference(host, `hosts[${i}]`)));
    const asked = hosts.length === 0 ? [...view.nodes.values()] : hosts.map((host) => view.findNode(host));
    const nodes = [...new Set(asked.map((node) => node.value))];
    const outcome = await withinCall(clock, call, (signal) => feed.verify(nodes, request.repair, signal));
    return { drift: [...outcome.drift], checked: [...outcome.checked], unreachable: [...outcome.unreachable] };
  }

  watchEvents(request: WatchEventsRequest, call: CallContext): AsyncGenerator<WatchEventsResponse, void> {
    return watchEvents(this.#context, request, call);
  }

  removeManager(request: RemoveManagerRequest, call: CallContext): Promise<RemoveManagerResponse> {
    return this.#admin.removeManager(request, call);
  }

  createBackup(request: CreateBackupRequest, call: CallContext): AsyncGenerator<CreateBackupResponse, void> {
    return this.#admin.createBackup(request, call);
  }

  #describe(): DescribeManagerResponse {
    const { leads, isOutdated, modules, settings } = this.#context;
    const { view } = modules;
    const { instance } = settings;
    const record = knownManagers(view, settings).find(({ name }) => name === settings.name);
    const manager =
      record && managerMessage(record, leads ? 'leader' : isOutdated ? 'outdated' : 'standby', view.revision);
    const externalCa = externalCaOf(view, modules.externalCa);
    return {
      ...(manager !== undefined && { manager: { ...manager, ...(externalCa && { externalCa }) } }),
      ...(leads && { hosts: hostsOf(this.#context) }),
      ...(instance !== undefined && { instance }),
    };
  }

  async #survey(call: CallContext): Promise<Survey> {
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

  /** The manager that has the leader key, unless that manager says itself that it does not lead (any more, or yet). */
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

  #members(call: CallContext): Promise<readonly StoreMemberStatus[] | undefined> {
    return this.#inTime(call, storePatience, () => this.#context.modules.storeMembers());
  }

  /** Undefined when the work fails, or takes longer than the span or the caller's time. */
  #inTime<Value>(
    call: CallContext,
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
