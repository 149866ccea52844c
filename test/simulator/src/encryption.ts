import { hostNetns, type Namespace, type Op, type XfrmPolicy, type XfrmState } from '@causeway/datapath';
import { type FakeKernel, fateByPolicies, isGuarded, tunnelsOf } from '@causeway/datapath/testing';
import { encryptedVxlanPort } from '@causeway/model';
import type { SimHost } from './host.ts';

/** SAs and policies that the host's kernel has. */
export async function ipsecOf({
  kernel,
}: SimHost): Promise<Pick<Namespace, 'xfrmStates' | 'xfrmPolicies' | 'encapSockets' | 'portGuards'>> {
  const found = await kernel.read(hostNetns, { links: [], sysctls: [] });
  if (found === undefined) throw new Error('a host has its own namespace');
  return found;
}

/** The policy that demands ESP from one host to another. */
export async function demandOf(from: SimHost, to: SimHost): Promise<XfrmPolicy | undefined> {
  const { xfrmPolicies } = await ipsecOf(from);
  return [...xfrmPolicies.values()].find(
    ({ direction, action }) => direction === 'out' && action.kind === 'esp' && action.dst === to.vtep,
  );
}

/** The SA with which one host sends to another. undefined: what it sends is dropped. */
export async function sendingSa(from: SimHost, to: SimHost): Promise<XfrmState | undefined> {
  const policy = await demandOf(from, to);
  const spi = policy?.action.kind === 'esp' ? policy.action.spi : undefined;
  const { xfrmStates } = await ipsecOf(from);
  return [...xfrmStates.values()].find((state) => state.dst === to.vtep && state.spi === spi);
}

/** From one host to another: SAs with the same key at both ends, and a policy that demands the one that sends. */
export async function isProtected(from: SimHost, to: SimHost): Promise<boolean> {
  const sent = await sendingSa(from, to);
  const { xfrmStates } = await ipsecOf(to);
  const received = [...xfrmStates.values()].find(({ src, spi }) => src === from.vtep && spi === sent?.spi);
  return sent !== undefined && received?.key.equals(sent.key) === true;
}

/** Generations of the sender in the SAs with which a host receives from another. */
export async function generationsFrom(from: SimHost, to: SimHost): Promise<number> {
  const { xfrmStates } = await ipsecOf(to);
  const received = [...xfrmStates.values()].filter(({ src }) => src === from.vtep);
  return new Set(received.map(({ spi }) => spi >>> 28)).size;
}

/**
 * VTEPs to which a frame of an encrypted network would leave the host in the clear now, if the host had only its policies, or only
 * its guard: each of the two must suffice.
 */
export function leaks({ kernel, vtep }: SimHost): readonly string[] {
  const underlay = kernel.namespaces.get(hostNetns);
  const found: string[] = [];
  for (const { links } of kernel.namespaces.values()) {
    for (const tunnel of links.values()) {
      if (tunnel.link.kind !== 'vxlan' || tunnel.link.port !== encryptedVxlanPort || underlay === undefined) continue;
      for (const dst of [...tunnelsOf(tunnel).values()].flat()) {
        const packet = { src: vtep, dst, sport: tunnel.link.sourcePort, dport: encryptedVxlanPort };
        const fate = fateByPolicies(underlay, packet);
        if (fate === 'in the clear') found.push(`${dst} without a policy`);
        if (!isGuarded(underlay, packet)) found.push(`${dst} without a guard`);
      }
    }
  }
  return found;
}

/** Calls `check` after each single op that the host's agent carries out. */
export function afterEachOp({ kernel }: SimHost, check: (op: Op) => void): void {
  const { apply }: FakeKernel = kernel;
  kernel.apply = async (ops, expected) => {
    const results: Awaited<ReturnType<FakeKernel['apply']>>[number][] = [];
    for (const op of ops) {
      results.push(...(await apply.call(kernel, [op], expected)));
      check(op);
    }
    return results;
  };
}

/** The private keys that the host has written down, in base64url. */
export function secretsOf({ encryption }: SimHost): readonly string[] {
  return encryption.keyFile.written.flatMap((text) => {
    const { generations } = JSON.parse(text) as { generations: { key: { d: string } }[] };
    return generations.map(({ key: { d } }) => d);
  });
}
