import { assertNever, CausewayError, fail, ok, type Result } from '@causeway/model';
import { nameTaken } from '../name-taken.ts';
import type { StoreMember, StoreMemberStatus } from './membership.ts';

export type MembershipRequest =
  | {
      readonly kind: 'join';
      readonly name: string;
      readonly peerUrl: string;
      /**
       * Id of the learner that this attempt has added. Any other learner with our name or URL is left over from an
       * earlier attempt.
       */
      readonly added?: string;
    }
  /** By name, or by id: a member that never started has no name. */
  | { readonly kind: 'remove'; readonly name: string; readonly force: boolean };

type MembershipStep =
  | { readonly kind: 'add'; readonly peerUrl: string }
  /** Start the member: the cluster expects it. `initialCluster` ("name=url,…") is for its first start. */
  | { readonly kind: 'start'; readonly id: string; readonly initialCluster: string }
  /** Another member is joining, and only one can join at a time. */
  | { readonly kind: 'wait'; readonly learner: StoreMember }
  | { readonly kind: 'remove'; readonly id: string };

/** The next step of the request, for the members as they are now. Plan again after each step. */
export function planMembership(
  members: readonly StoreMemberStatus[],
  request: MembershipRequest,
): Result<MembershipStep, CausewayError> {
  switch (request.kind) {
    case 'join':
      return planJoin(members, request);
    case 'remove':
      return planRemoval(members, request);
    default:
      return assertNever(request);
  }
}

/** How many voters make a majority. */
export function quorum(voters: number): number {
  return Math.floor(voters / 2) + 1;
}

/** Whether a majority exists that can agree on a removal. Force does not replace a majority. */
export function checkMajority(members: readonly StoreMemberStatus[], name: string): Result<void, CausewayError> {
  const voters = members.filter((member) => !member.learner);
  const healthy = voters.filter((member) => member.healthy).length;
  const needed = quorum(voters.length);
  if (healthy >= needed) return ok(undefined);
  const message =
    `etcd has no majority: ${healthy} of ${voters.length} members are healthy and ${needed} have to agree on a removal, with --force too: ` +
    `${name} cannot be removed; bring others back first, or restore a backup`;
  return fail(new CausewayError('quorum-loss', message, { name, healthy, needed }));
}

/** Whether enough voters answer to elect a leader among them. A member that does not answer has revision 0. */
export function canElect(members: readonly StoreMemberStatus[]): boolean {
  const voters = members.filter((member) => !member.learner);
  return voters.filter(({ revision }) => revision > 0n).length >= quorum(voters.length);
}

function planJoin(
  members: readonly StoreMemberStatus[],
  request: MembershipRequest & { kind: 'join' },
): Result<MembershipStep, CausewayError> {
  const { name, peerUrl, added } = request;
  const own = members.find(({ id }) => id === added);
  if (own !== undefined) return ok({ kind: 'start', id: own.id, initialCluster: initialCluster(members, own, name) });
  const namesake = members.find((member) => member.name === name || member.peerUrls.includes(peerUrl));
  // A learner that ever started may have reported to the others what its log holds. A member without data must not take
  // its place.
  if (namesake?.learner === true) return ok({ kind: 'remove', id: namesake.id });
  if (namesake !== undefined && isLostSelf(namesake, request)) return planReplacement(members, namesake);
  if (namesake !== undefined) return fail(taken(namesake, request));
  const stray = members.find((member) => isLoopback(member.peerUrls) !== isLoopback([peerUrl]));
  if (stray !== undefined) return fail(unreachable(stray, peerUrl));
  const learner = members.find((member) => member.learner);
  return ok(learner === undefined ? { kind: 'add', peerUrl } : { kind: 'wait', learner });
}

/**
 * Whether this member was this manager before the manager's data was lost: the member has our name and exactly our
 * address, and does not answer. (At another address it may be a member of another host that has our name by mistake and
 * is alive.)
 */
function isLostSelf(member: StoreMemberStatus, { name, peerUrl }: MembershipRequest & { kind: 'join' }): boolean {
  return member.name === name && !member.healthy && member.peerUrls.length === 1 && member.peerUrls[0] === peerUrl;
}

/**
 * A voter that lost its log has lost what it had acknowledged, and must not vote with its old identity. So it is removed
 * and joins as a new member. That takes a majority that is healthy without it, before and after the removal.
 */
function planReplacement(
  members: readonly StoreMemberStatus[],
  lost: StoreMemberStatus,
): Result<MembershipStep, CausewayError> {
  const voters = members.filter(({ learner }) => !learner);
  const healthy = voters.filter((member) => member.healthy).length;
  const needed = quorum(voters.length);
  if (healthy >= needed) return ok({ kind: 'remove', id: lost.id });
  const message =
    `${lost.name} has lost its data and has to be replaced: ${healthy} of ${voters.length} etcd members are healthy, and ${needed} have to agree; ` +
    'bring others back first, or restore a backup';
  return fail(new CausewayError('quorum-loss', message, { name: lost.name, healthy, needed }));
}

function planRemoval(
  members: readonly StoreMemberStatus[],
  { name, force }: MembershipRequest & { kind: 'remove' },
): Result<MembershipStep, CausewayError> {
  const leaving = members.find((member) => member.name === name || member.id === name);
  if (leaving === undefined) return fail(unknown(members, name));
  const step = ok({ kind: 'remove', id: leaving.id } as const);
  if (leaving.learner) return step;
  const voters = members.filter((member) => !member.learner);
  const rest = voters.filter((member) => member !== leaving);
  if (rest.length === 0) {
    const message = `${name} is the only voting member: without it there is no cluster; to end the cluster, stop its managers`;
    return fail(new CausewayError('quorum-loss', message, { name }));
  }
  const healthy = rest.filter((member) => member.healthy).length;
  const needed = quorum(rest.length);
  if (healthy >= needed || force) return step;
  const before = voters.filter((member) => member.healthy).length;
  const message =
    `${before} of ${voters.length} members are healthy; removing ${name} leaves ${healthy} healthy of ${rest.length}, and ${needed} are needed: ` +
    'bring the others back first, or use force';
  return fail(new CausewayError('quorum-loss', message, { name, healthy, needed }));
}

function initialCluster(members: readonly StoreMember[], own: StoreMember, name: string): string {
  return members
    .flatMap((member) => {
      const called = member === own ? name : member.name || member.id;
      return member.peerUrls.map((url) => `${called}=${url}`);
    })
    .join(',');
}

function taken(member: StoreMember, { name, peerUrl }: MembershipRequest & { kind: 'join' }): CausewayError {
  const at = member.peerUrls.join(', ');
  if (member.name === name)
    return nameTaken(name, at, `if that manager has lost its data, remove it first (causeway manager remove ${name})`);
  const message = `--etcd-peer-address: the cluster has another member at ${peerUrl} (${member.name || member.id}); choose another address or port, or remove that member first`;
  return new CausewayError('manager-exists', message, { field: '--etcd-peer-address', value: peerUrl });
}

function unreachable(member: StoreMember, peerUrl: string): CausewayError {
  const [at = ''] = member.peerUrls;
  const message = isLoopback([at])
    ? `member ${member.name || member.id} is at ${at}, which no other host reaches: restart that manager with --etcd-peer-address first`
    : `--etcd-peer-address: no other host can reach ${peerUrl}, and the cluster has members on other hosts: give an address of this host`;
  return new CausewayError('invalid-argument', message, { field: '--etcd-peer-address', value: at });
}

function unknown(members: readonly StoreMember[], name: string): CausewayError {
  const names = members.map((member) => member.name || `${member.id} (not started)`).join(', ');
  return new CausewayError('manager-unknown', `no etcd member is named ${name}; there are ${names}`, { name });
}

function isLoopback(urls: readonly string[]): boolean {
  return urls.some((url) => /^https?:\/\/(127\.|localhost[:/]|\[::1\])/.test(url));
}
