import { CausewayError, fail, ok, type Result } from '@causeway/model';

/** What an embedded etcd's first start, or its next one, rests on. */
export interface StartFacts {
  /** Of a member of a cluster. */
  readonly hasData: boolean;
  /** `causeway-manager init` was run on this directory, and no cluster has begun or was joined from it since. */
  readonly mayFound: boolean;
  /** The cluster that this directory belongs to; absent: none yet. */
  readonly belongsTo?: string;
  /** Of this manager, to be named in what is said. */
  readonly dataDir: string;
  /** Managers to join, itself left out. */
  readonly join: readonly string[];
}

/** A manager of a running cluster. */
export interface FoundManager {
  readonly address: string;
  readonly clusterId: string;
  readonly members: readonly FoundMember[];
}

interface FoundMember {
  readonly name: string;
  /** None: it has not started yet. */
  readonly clientUrls: readonly string[];
}

type StartStep =
  /** As the member that the data are of, whatever else is set. */
  | { readonly kind: 'resume' }
  | { readonly kind: 'found' }
  /** Ask the managers to join, then plan again with what they answered. */
  | { readonly kind: 'ask' }
  /** Client URLs of the cluster's members. */
  | { readonly kind: 'join'; readonly urls: readonly string[] }
  /** None of them runs a cluster yet. */
  | { readonly kind: 'wait' };

/**
 * How the etcd of a manager starts. Data decide alone. Without data it joins, if it is told whom; a cluster is founded only
 * where that was said on this very directory, once: a setting that says so would say it again on the day the disk is lost,
 * and the first manager would found a second cluster beside the one that the others still have.
 */
export function planStart(facts: StartFacts, answers?: readonly FoundManager[]): Result<StartStep, CausewayError> {
  if (facts.hasData) return ok({ kind: 'resume' });
  if (facts.join.length === 0) return facts.mayFound ? ok({ kind: 'found' }) : fail(unsaid(facts));
  if (answers === undefined) return ok({ kind: 'ask' });
  const clusters = new Map(answers.map((each) => [each.clusterId, each]));
  const [found, other] = clusters.values();
  if (found === undefined) return ok({ kind: facts.mayFound ? 'found' : 'wait' });
  if (other !== undefined) return fail(divided(found, other));
  if (facts.belongsTo !== undefined && facts.belongsTo !== found.clusterId) return fail(foreign(facts, found));
  const stray = answers.find((each) => !isLoopbackAddress(each.address) && each.members.some(isOnLoopback));
  if (stray !== undefined) return fail(unreachable(stray));
  return ok({ kind: 'join', urls: [...new Set(answers.flatMap(urlsOf))] });
}

function urlsOf({ members }: FoundManager): readonly string[] {
  return members.flatMap(({ clientUrls }) => clientUrls);
}

function isOnLoopback({ clientUrls }: FoundMember): boolean {
  return clientUrls.some((url) => /^https?:\/\/(127\.|localhost[:/]|\[::1\])/.test(url));
}

function isLoopbackAddress(address: string): boolean {
  return /^(127\.|localhost:|\[::1\])/.test(address);
}

function unsaid({ dataDir }: StartFacts): CausewayError {
  const message =
    `${dataDir} holds no etcd, and this manager was told neither to found a cluster nor to join one: ` +
    `for a new cluster run "causeway-manager init --data-dir ${dataDir}" once and start it again; ` +
    'to become a member of one that runs, also after this directory was lost, name its managers with --join';
  return new CausewayError('invalid-argument', message, { field: '--join', path: dataDir });
}

function divided(one: FoundManager, other: FoundManager): CausewayError {
  const message =
    `--join: the managers there are of two clusters: ${one.address} of ${one.clusterId}, ${other.address} of ${other.clusterId}; ` +
    'name those of one, and find out which is the right one before anything is started';
  return new CausewayError('cluster-mismatch', message, { field: '--join' });
}

function foreign({ dataDir, belongsTo }: StartFacts, { address, clusterId }: FoundManager): CausewayError {
  const message =
    `--data-dir ${dataDir} belongs to cluster ${belongsTo}, and ${address} to ${clusterId}: ` +
    'name managers of its own cluster, or an empty directory';
  return new CausewayError('cluster-mismatch', message, { field: '--data-dir', path: dataDir });
}

/** Dialled from here its address would lead to this host: to nothing, or to another etcd. */
function unreachable({ address, members }: FoundManager): CausewayError {
  const { name, clientUrls } = members.find(isOnLoopback) ?? { name: '', clientUrls: [] };
  const message = `--join ${address}: its member ${name} is at ${clientUrls.join(', ')}, which no other host reaches: restart that manager with --etcd-peer-address first`;
  return new CausewayError('invalid-argument', message, { field: '--join', value: address });
}
