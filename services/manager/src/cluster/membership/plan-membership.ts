import { assertNever, CausewayError, fail, ok, type Result } from '@causeway/model';
import { nameTaken } from '../name-taken.ts';
import type { StoreMember, StoreMemberStatus } from './membership.ts';

export type MembershipRequest =
  | {
      readonly kind: 'join';
      readonly name: string;
      readonly peerUrl: string;
      /** Id of the learner that this very attempt has added. Any other one with our name or URL is left over from an earlier attempt. */
      readonly added?: string;
    }
  /** By name, or by id: one that never started has no name. */
  | { readonly kind: 'remove'; readonly name: string; readonly force: boolean };

type MembershipStep =
  | { readonly kind: 'add'; readonly peerUrl: string }
  /** Start the member: it is expected. The cluster as its first start must be told of it ("name=url,…"). */
  | { readonly kind: 'start'; readonly id: string; readonly initialCluster: string }
  /** Another one is on its way in, and there is room for one at a time. */
  | { readonly kind: 'wait'; readonly learner: StoreMember }
  | { readonly kind: 'remove'; readonly id: string };

/** The next step towards what was asked, from the members as they are; to be planned anew after each. */
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

/** Of so many voters, how many make a majority. */
export function quorum(voters: number): number {
  return Math.floor(voters / 2) + 1;
}

/** Whether there is a majority to agree on a removal. No force makes one. */
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

/** Whether enough voters answer at all to elect a leader among them. A member that is silent is at no revision. */
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
  // A learner that ever started may have told the others what it holds: its place is not for one with empty hands.
  if (namesake?.learner === true) return ok({ kind: 'remove', id: namesake.id });
  if (namesake !== undefined && isLostSelf(namesake, request)) return planReplacement(members, namesake);
  if (namesake !== undefined) return fail(taken(namesake, request));
  const stray = members.find((member) => isLoopback(member.peerUrls) !== isLoopback([peerUrl]));
  if (stray !== undefined) return fail(unreachable(stray, peerUrl));
  const learner = members.find((member) => member.learner);
  return ok(learner === undefined ? { kind: 'add', peerUrl } : { kind: 'wait', learner });
}

/**
 * The voter of our name, at the very address that we have to ourselves, and it does not answer: it was this manager, before its
 * data were lost. (At another address it may be another host's, named so by mistake, and alive.)
 */
function isLostSelf(member: StoreMemberStatus, { name, peerUrl }: MembershipRequest & { kind: 'join' }): boolean {
  return member.name === name && !member.healthy && member.peerUrls.length === 1 && member.peerUrls[0] === peerUrl;
}

/**
 * A voter that lost its log has lost what it has acknowledged, and must not vote as the one it was: it goes, and comes as a
 * new member. That takes a majority that is well without it, now and afterwards.
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
    'bring the others back first, or force it';
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
    return nameTaken(name, at, `if that one has lost its data, remove it first (causeway manager remove ${name})`);
  const message = `--etcd-peer-address: the cluster has another member at ${peerUrl} (${member.name || member.id}); choose another address or port, or remove that one first`;
  return new CausewayError('manager-exists', message, { field: '--etcd-peer-address', value: peerUrl });
}

function unreachable(member: StoreMember, peerUrl: string): CausewayError {
  const [at = ''] = member.peerUrls;
  const message = isLoopback([at])
    ? `member ${member.name || member.id} is at ${at}, which no other host reaches: restart that manager with --etcd-peer-address first`
    : `--etcd-peer-address: ${peerUrl} is reached by no other host, and the cluster has members on others: give an address of this host`;
  return new CausewayError('invalid-argument', message, { field: '--etcd-peer-address', value: at });
}

function unknown(members: readonly StoreMember[], name: string): CausewayError {
  const names = members.map((member) => member.name || `${member.id} (not started)`).join(', ');
  return new CausewayError('manager-unknown', `no etcd member is named ${name}; there are ${names}`, { name });
}

function isLoopback(urls: readonly string[]): boolean {
  return urls.some((url) => /^https?:\/\/(127\.|localhost[:/]|\[::1\])/.test(url));
}
