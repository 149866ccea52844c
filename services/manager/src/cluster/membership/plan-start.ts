import { CausewayError, fail, ok, type Result } from '@causeway/model';

/** Facts that decide how an embedded etcd starts. */
export interface StartFacts {
  /** The directory holds etcd data of a cluster's member. */
  readonly hasData: boolean;
  /** `causeway-manager init` was run on this directory, and since then no cluster was founded or joined from it. */
  readonly mayFound: boolean;
  /** The cluster that this directory belongs to; absent: none yet. */
  readonly belongsTo?: string;
  /** This manager's data directory, for error messages. */
  readonly dataDir: string;
  /** Managers to join, without this manager: those of --join, and those that this manager has known. */
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
  /** Empty: the member has not started yet. */
  readonly clientUrls: readonly string[];
}

type StartStep =
  /** Start as the member whose data the directory holds, whatever else is set. */
  | { readonly kind: 'resume' }
  | { readonly kind: 'found' }
  /** Ask the managers to join, then plan again with what they answered. */
  | { readonly kind: 'ask' }
  /** Client URLs of the cluster's members. */
  | { readonly kind: 'join'; readonly urls: readonly string[] }
  /** None of the managers to join runs a cluster yet. */
  | { readonly kind: 'wait' };

/**
 * How the etcd of a manager starts. If there is data, only the data counts. Without data, etcd joins a cluster if there
 * are managers to join. It founds a cluster only where `causeway-manager init` was run on this very directory, once. A
 * permanent setting would found again on the day the disk is lost, and the first manager would begin a second cluster
 * beside the one that the others still have.
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
    `${dataDir} holds no etcd data, "causeway-manager init" was not used, and no manager to join is known: ` +
    `for a new cluster run "causeway-manager init --data-dir ${dataDir}" once, and start the manager again; ` +
    'to join a running cluster, also after the etcd data were lost, run "causeway join" with a token of a manager, or name the managers of the cluster with --join';
  return new CausewayError('invalid-argument', message, { field: '--join', path: dataDir });
}

function divided(one: FoundManager, other: FoundManager): CausewayError {
  const message =
    `--join: the managers belong to two clusters: ${one.address} to ${one.clusterId}, ${other.address} to ${other.clusterId}; ` +
    'name the managers of one cluster, and find out which cluster is the right one before you start anything';
  return new CausewayError('cluster-mismatch', message, { field: '--join' });
}

function foreign({ dataDir, belongsTo }: StartFacts, { address, clusterId }: FoundManager): CausewayError {
  const message =
    `--data-dir ${dataDir} belongs to cluster ${belongsTo}, and ${address} to ${clusterId}: ` +
    'name managers of its own cluster, or an empty directory';
  return new CausewayError('cluster-mismatch', message, { field: '--data-dir', path: dataDir });
}

/** The member's loopback address, dialled from here, leads to this host: to nothing, or to another etcd. */
function unreachable({ address, members }: FoundManager): CausewayError {
  const { name, clientUrls } = members.find(isOnLoopback) ?? { name: '', clientUrls: [] };
  const message = `--join ${address}: its member ${name} is at ${clientUrls.join(', ')}, which no other host reaches: restart that manager with --etcd-peer-address first`;
  return new CausewayError('invalid-argument', message, { field: '--join', value: address });
}
