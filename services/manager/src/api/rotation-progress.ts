import type { NodeId } from '@causeway/model';
import type { RotateKeysResponse } from '@causeway/proto/gen/causeway/v1/crypto_service.js';
import type { RotatingHost } from '../plan/rotate-keys.ts';

/** Most things that an answer names. */
const mostNamed = 10;

export interface RotationFacts {
  /** The host has no session, and is not about to have one. */
  isSilent(node: NodeId): boolean;
  /** Hosts that may still use a key of this host up to the generation. */
  usersOfKeys(node: NodeId, upTo: number): readonly NodeId[];
  nameOf(node: NodeId): string;
}

/** How far a rotation is, and for whom it waits. */
export function rotationProgress(hosts: readonly RotatingHost[], facts: RotationFacts): RotateKeysResponse {
  const waiting: string[] = [];
  const silent = new Set<string>();
  let canGoOn = false;
  for (const host of hosts) {
    if (host.state === 'rotated') continue;
    const holdUps = facts.isSilent(host.node) ? [host.node] : usersOf(host, facts);
    const silentOnes = holdUps.filter((node) => facts.isSilent(node));
    for (const node of silentOnes) silent.add(facts.nameOf(node));
    if (holdUps.length === 0 || silentOnes.length < holdUps.length) canGoOn = true;
    waiting.push(...reasons(host, holdUps, facts));
  }
  return {
    rotated: hosts.filter(({ state }) => state === 'rotated').length,
    total: hosts.length,
    waiting: waiting.sort().slice(0, mostNamed),
    unreachable: [...silent].sort(),
    done: !canGoOn,
  };
}

function usersOf({ node, former, state }: RotatingHost, facts: RotationFacts): readonly NodeId[] {
  return state === 'changing' ? facts.usersOfKeys(node, former) : [];
}

function reasons({ node, name, state }: RotatingHost, holdUps: readonly NodeId[], facts: RotationFacts): string[] {
  if (facts.isSilent(node)) return [`${name}: has no session`];
  if (state === 'former') return [`${name}: has not made a new key`];
  if (holdUps.length === 0) return [`${name}: has not withdrawn its former key`];
  return holdUps.map((user) => {
    const without = facts.isSilent(user) ? ', which has no session,' : '';
    return `${name}: ${facts.nameOf(user)}${without} still uses its former key`;
  });
}
