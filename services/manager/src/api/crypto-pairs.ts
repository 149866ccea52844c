import type { NodeId } from '@causeway/model';
import type { CryptoPair } from '@causeway/proto/gen/causeway/v1/crypto_service.js';
import type { CryptoResult, KeyPair, PeerSas } from '@causeway/proto/gen/causeway/v1/session_service.js';
import { earlier } from '../store/moment.ts';

/** A host of encrypted networks, and what its agent has answered. Absent: nothing. */
export interface HostSas {
  readonly id: NodeId;
  readonly name: string;
  readonly result?: CryptoResult | undefined;
}

/** A host as one end of a pair. */
interface End {
  readonly name: string;
  readonly result: CryptoResult | undefined;
  /** The SAs between it and the other end. */
  readonly sas: PeerSas | undefined;
}

/** Judges pairs of hosts by what both have in their kernels: neither is believed about the other. */
export function cryptoPairs(pairs: Iterable<readonly [HostSas, HostSas]>): CryptoPair[] {
  const peersOf = new Map<HostSas, ReadonlyMap<string, PeerSas>>();
  const sasOf = (host: HostSas, peer: HostSas): PeerSas | undefined => {
    const known = peersOf.get(host) ?? new Map((host.result?.peers ?? []).map((sas) => [sas.nodeId, sas]));
    peersOf.set(host, known);
    return known.get(peer.id);
  };
  const all = Array.from(pairs, ([one, other]) => {
    const [a, b] = one.name < other.name ? [one, other] : [other, one];
    return pairOf({ ...a, result: a.result, sas: sasOf(a, b) }, { ...b, result: b.result, sas: sasOf(b, a) });
  });
  return all.sort((x, y) => (x.a === y.a ? compare(x.b, y.b) : compare(x.a, y.a)));
}

function pairOf(a: End, b: End): CryptoPair {
  const [toB, toA] = [a.sas?.sends, b.sas?.sends];
  const ends = [a, b];
  const known = ends.flatMap(({ sas }) => sas ?? []);
  const ages = known.filter(({ sends }) => sends !== undefined).map(({ ageMs }) => ageMs);
  const [dropsA, dropsB] = [a.result?.plaintextDrops, b.result?.plaintextDrops];
  return {
    a: a.name,
    b: b.name,
    aGeneration: older(toB?.sender, toA?.receiver),
    bGeneration: older(toA?.sender, toB?.receiver),
    ...judge(a, b),
    ageMs: ages.reduce(earlier, ages[0] ?? 0n),
    esn: known.length > 0 && known.every(({ esn }) => esn),
    replayDrops: known.reduce((sum, { replayDrops }) => sum + replayDrops, 0n),
    ...(dropsA !== undefined && dropsB !== undefined && { plaintextDrops: dropsA + dropsB }),
  };
}

function judge(a: End, b: End): Pick<CryptoPair, 'sas' | 'problem'> {
  const broken = fault(a, b) ?? fault(b, a);
  if (broken !== undefined) return { sas: 'broken', problem: broken };
  const silent = [a, b].filter(({ result }) => result === undefined).map(({ name }) => name);
  if (silent.length === 0) return { sas: 'ok', problem: '' };
  return { sas: 'unknown', problem: `no answer from ${silent.join(' and ')}` };
}

/** What is wrong in one direction; undefined: nothing, as far as is known. */
function fault(from: End, to: End): string | undefined {
  if (from.result === undefined) return undefined;
  if (from.sas === undefined) return `${from.name} has no keys of ${to.name}`;
  const { sends } = from.sas;
  if (sends === undefined) return `${from.name} has no SA with which it may send to ${to.name}`;
  if (to.result === undefined || (to.sas?.receives ?? []).some((pair) => isSame(pair, sends))) return undefined;
  return `${from.name} sends with keys ${sends.sender}/${sends.receiver}, and ${to.name} has no SA that receives with them`;
}

function isSame(one: KeyPair, other: KeyPair): boolean {
  return one.sender === other.sender && one.receiver === other.receiver;
}

/** 0: neither is known. */
function older(one: bigint | undefined, other: bigint | undefined): bigint {
  if (one === undefined || other === undefined) return one ?? other ?? 0n;
  return earlier(one, other);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
