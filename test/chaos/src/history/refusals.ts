import type { Entry } from '../load/journal.ts';
import type { Audit } from '../record/audit.ts';
import type { Life } from '../record/lives.ts';
import { capacity, contains, familyOf, overlap } from '../record/prefixes.ts';
import type { WriteTimes } from './window.ts';

/** The data with which refusals are compared. */
export interface Testimony {
  readonly journal: readonly Entry[];
  readonly audit: Pick<Audit, 'claims' | 'lives'>;
  readonly times: WriteTimes;
}

/** ms. A call that its caller gave up, or an earlier try of a repeated call, may still be carried out this much later. */
const lateWrites = 10_000;
/** ms. A longer call was tried more than once: a client asks a second manager after a second. */
const firstTry = 1_000;
/**
 * ms. A refusal changes nothing, so the leader may base it on its view of the store, which may be this old: the leader gives
 * up a watch of a member that hangs after 4 s.
 */
const oldestView = 5_000;

/** Refusals for which the store shows no reason during the call, one per line. */
export function unexplained(testimony: Testimony): readonly string[] {
  return testimony.journal.flatMap((entry) => {
    const { act, name, outcome, asked = {} } = entry;
    if (outcome.kind !== 'refused') return [];
    const { claims, lives } = testimony.audit;
    const window = testimony.times.between(entry.call - oldestView, entry.end);
    const explains = reasons[`${act} ${outcome.code}`];
    if (explains?.({ entry, asked, claims, lives, ...window, journal: testimony.journal }) === true) return [];
    const wish = Object.values(asked).flat();
    return [`${act} of ${name}${wish.length === 0 ? '' : ` (${wish.join(', ')})`} was answered ${outcome.code}`];
  });
}

/** A refused call. One of the revisions `first` to `last` was the newest during the call. */
interface Scene {
  readonly entry: Entry;
  readonly asked: NonNullable<Entry['asked']>;
  readonly claims: Audit['claims'];
  readonly lives: readonly Life[];
  readonly first: number;
  readonly last: number;
  readonly journal: readonly Entry[];
}

/** The refusals that other callers can cause. Whether an "unknown" object existed is checked by the search for an order. */
const reasons: Readonly<Record<string, (scene: Scene) => boolean>> = {
  'claim address-in-use': addressInUse,
  'claim address-exhausted': addressExhausted,
  'claim network-unknown': (scene) => !alwaysThere(networksNamed(scene.asked.network, scene), scene),
  'release endpoint-unknown': () => true,
  'create subnet-overlap': subnetOverlap,
  'create vni-taken': ({ asked, claims, first, last }) => claims.wasTaken(`vni/${asked.vni}`, first, last),
  'delete network-unknown': () => true,
  'delete network-in-use': networkInUse,
};

function addressInUse(scene: Scene): boolean {
  const { asked, claims, first, last } = scene;
  return networksNamed(asked.network, scene).some(({ id }) => {
    return (asked.addresses ?? []).some((ip) => claims.wasTaken(`addr/${id}/${ip}`, first, last));
  });
}

/** All addresses of one family were taken at the same time. Addresses that other calls were about to take count as taken. */
function addressExhausted(scene: Scene): boolean {
  const { asked, claims, first, last } = scene;
  const others = inFlight(scene);
  return networksNamed(asked.network, scene).some(({ id, held }) => {
    const subnets = subnetsOf(held);
    return (['ipv4', 'ipv6'] as const).some((family) => {
      const own = subnets.filter((prefix) => familyOf(prefix) === family);
      const room = own.reduce((sum, prefix) => sum + capacity(prefix), 0);
      const inside = (ip: string): boolean => own.some((prefix) => contains(prefix, ip));
      return own.length > 0 && claims.mostTaken(`addr/${id}`, inside, first, last) + others >= room;
    });
  });
}

/**
 * Number of claims in the same network that were under way at the same time and did not have their addresses yet. A manager
 * reserves the address that it has chosen for a try until the store says whether that try was carried out, even if a later
 * try of the same call has been answered meanwhile.
 */
function inFlight({ entry, asked, lives, first, journal }: Scene): number {
  const had = new Set(lives.filter(({ born }) => born.revision <= first).map(({ name }) => name));
  return journal.filter((other) => {
    const mayBeLate = other.outcome.kind === 'unknown' || other.end - other.call > firstTry;
    const end = mayBeLate ? other.end + lateWrites : other.end;
    const beside = other !== entry && other.call < entry.end && end > entry.call;
    return beside && other.act === 'claim' && other.asked?.network === asked.network && !had.has(other.name);
  }).length;
}

function subnetOverlap(scene: Scene): boolean {
  const others = scene.lives.filter((life) => life.kind === 'network' && livedIn(life, scene));
  const taken = others.flatMap(({ held }) => subnetsOf(held));
  return (scene.asked.subnets ?? []).some((prefix) => taken.some((other) => overlap(prefix, other)));
}

function networkInUse(scene: Scene): boolean {
  const ids = networksNamed(scene.entry.name, scene).map(({ id }) => id);
  return scene.lives.some((life) => {
    const isIn = (id: string): boolean => life.held.some((key) => key.startsWith(`${id} `));
    return life.kind === 'endpoint' && livedIn(life, scene) && ids.some(isIn);
  });
}

function networksNamed(name: string | undefined, { lives }: Pick<Scene, 'lives'>): readonly Life[] {
  return lives.filter((life) => life.kind === 'network' && life.name === name);
}

function subnetsOf(held: readonly string[]): readonly string[] {
  return held.filter((key) => key.startsWith('subnet ')).map((key) => key.slice('subnet '.length));
}

type Span = Pick<Scene, 'first' | 'last'>;

function livedIn({ born, died }: Pick<Life, 'born' | 'died'>, { first, last }: Span): boolean {
  return born.revision <= last && (died === undefined || died.revision > first);
}

function alwaysThere(lives: readonly Life[], { first, last }: Span): boolean {
  return lives.some(({ born, died }) => born.revision <= first && (died === undefined || died.revision > last));
}
