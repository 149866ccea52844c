import type { Entry } from '../load/journal.ts';
import type { Audit } from '../record/audit.ts';
import type { Life } from '../record/lives.ts';
import { capacity, contains, familyOf, overlap } from '../record/prefixes.ts';
import type { WriteTimes } from './window.ts';

/** What a refusal is held against. */
export interface Testimony {
  readonly journal: readonly Entry[];
  readonly audit: Pick<Audit, 'claims' | 'lives'>;
  readonly times: WriteTimes;
}

/** A call that its caller gave up, or an earlier try of a call that was tried again, may be carried out so much later, ms. */
const lateWrites = 10_000;
/** A call that took longer was tried more than once: a client asks a second manager after a second. */
const firstTry = 1_000;
/**
 * A refusal takes nothing, so it may rest on what the leader has heard of the store, which is so old at most, ms: a watch
 * of a member that hangs is given up after 4 s.
 */
const oldestView = 5_000;

/** Refusals that nothing in the store accounts for while the call was under way, a line each. */
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

/** A refused call, and the revisions `first` to `last` of which one was the newest while it was under way. */
interface Scene {
  readonly entry: Entry;
  readonly asked: NonNullable<Entry['asked']>;
  readonly claims: Audit['claims'];
  readonly lives: readonly Life[];
  readonly first: number;
  readonly last: number;
  readonly journal: readonly Entry[];
}

/** The only refusals that other callers explain; whether what is said to be unknown was there is for the search of an order. */
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

/** All of one family was taken at once, what others were about to take included: choices keep away from that. */
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
 * How many claims of the same network were under way beside this one and did not have what they asked for yet. A manager
 * keeps what it had chosen for a try until the store says whether that try was carried out, also when a later try of the
 * same call has been answered meanwhile.
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
