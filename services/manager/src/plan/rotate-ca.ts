import { formatPin, pinOf } from '@causeway/identity';
import { CausewayError, isCausewayError } from '@causeway/model';
import { caRotated, caRotating } from '../events/describe.ts';
import type { Ca } from '../store/records/ca.ts';
import type { CertificateRecord } from '../store/records/certificate.ts';
import { number } from '../store/records/codec.ts';
import { records } from '../store/records/index.ts';
import type { StoredToken } from '../store/records/token.ts';
import type { Compare } from '../store/store.ts';
import type { Versioned, View } from '../store/view.ts';
import { type Intent, nothingToDo, type Planning, type Proposal, type Request } from './intent.ts';
import { Outdated } from './outdated.ts';

/*
 * The CA is replaced in two writes, with the renewals of all members in between. What is known of a rotation is in the
 * record `ca`, so the next leader continues it.
 *
 *   roots [old]  ── begin ──▶  roots [new, old], new is also signed by old  ── finish ──▶  roots [new]
 *
 * The new root, signed by the old one, is sent also after the end: an etcd reads its roots only when it starts, and may trust
 * only the old root until then.
 */

/** A CA that is to follow the CA of this revision. */
export interface NextCa {
  readonly from: bigint;
  readonly ca: Ca;
  /** For whom its sealing key is sealed. Absent: for no manager. */
  readonly holders?: Holders;
}

/** The certificates for whose keys a sealing key is sealed: revisions of their records, by the names of the managers. */
export type Holders = ReadonlyMap<string, bigint>;

/** Most tokens that are deleted in one transaction. */
const mostTokens = 50;

export function isRotating({ roots }: Pick<Ca, 'roots'>): boolean {
  return roots.length > 1;
}

/** Members whose certificate is not from the present CA. `now`: Unix ms: an expired certificate need not be renewed. */
export function waitingFor(view: View, now: number): readonly CertificateRecord[] {
  const { generation = 0 } = view.ca?.value ?? {};
  return [...view.records('certificate').all.values()]
    .map(({ value }) => value)
    .filter((each) => each.generation < generation && each.expires > now);
}

/**
 * For whom also a rotation that is ended by force waits: the managers and the operator who asks. Otherwise no manager would accept the
 * others, or itself, and the operator would be locked out. A manager that has stopped is waited for, too: when it came back, its etcd
 * would still admit it, but no member would. The operator removes a manager that is gone for good.
 */
export function forceWaitsFor(view: View, now: number, operator: string | undefined): readonly CertificateRecord[] {
  return waitingFor(view, now).filter(({ role, id }) => role === 'manager' || (role === 'operator' && id === operator));
}

/**
 * How long after the last renewal a rotation ends, ms. A certificate is recorded before its holder has it. When the answer is lost,
 * the holder asks again after half a minute, with its former certificate, which counts until the end.
 */
const settles = 45_000;

/** When the last member that renewed is sure to have its certificate, Unix ms. */
export function settledAt(view: View): number {
  const { generation = 0 } = view.ca?.value ?? {};
  let last = 0;
  for (const { value } of view.records('certificate').all.values())
    if (value.generation === generation) last = Math.max(last, value.issued);
  return last + settles;
}

/**
 * Replies with the generation of the CA to which members change. `next`: an error: the next CA could not be made, which does not
 * matter if the call was carried out before. @throws from its plan: that error; capability-missing, busy
 */
export function beginRotation(next: NextCa | CausewayError): Request<number> {
  return {
    kind: 'ca.rotate',
    content: '{}',
    outcome: { toJson: (generation) => ({ generation }), fromJson: (json) => number(json, 'generation') },
    lane: 'ca',
    plan: (planning) => planBegin(next, planning),
  };
}

function planBegin(made: NextCa | CausewayError, planning: Planning): Proposal<number> {
  const { view, keys } = planning;
  const { ca } = view;
  if (ca === undefined) throw new CausewayError('capability-missing', 'this cluster was founded without a CA');
  if (isRotating(ca.value)) return nothingToDo(ca.value.generation, ca.revision);
  if (isCausewayError(made)) throw made;
  const { from, ca: next, holders } = made;
  if (ca.revision !== from) throw new Outdated('the CA was changed');
  return {
    ...nothingToDo(next.generation),
    compares: [{ kind: 'unchanged', key: keys.ca, modRevision: ca.revision }, ...holdersUnchanged(holders, planning)],
    writes: [{ kind: 'put', key: keys.ca, value: records.ca.codec.encode(next, ca.original) }],
    events: [caRotating(next)],
  };
}

/**
 * Writes the CA with another seal, beside the removal of a manager. If the CA was changed since it was sealed, the manager may have the
 * key of the seal that is there: another removal, or a rotation, has sealed it for all managers of that moment.
 * @throws Outdated seal it again
 */
export function replaceSeal(
  resealed: NextCa | undefined,
  without: string,
  planning: Pick<Planning, 'view' | 'keys'>,
): Pick<Proposal, 'compares' | 'writes'> {
  const { view, keys } = planning;
  const { ca } = view;
  if (resealed === undefined) return { compares: [], writes: [] };
  if (ca?.revision !== resealed.from) throw new Outdated('the CA was changed');
  return {
    compares: [
      { kind: 'unchanged', key: keys.ca, modRevision: ca.revision },
      ...holdersUnchanged(resealed.holders, planning, without),
    ],
    writes: [{ kind: 'put', key: keys.ca, value: records.ca.codec.encode(resealed.ca, ca.original) }],
  };
}

/** A manager that has renewed meanwhile could not open what is sealed for its former key. @throws Outdated */
function holdersUnchanged(
  holders: Holders | undefined,
  { view, keys }: Pick<Planning, 'view' | 'keys'>,
  without?: string,
): readonly Compare[] {
  if (holders === undefined) return [];
  const present = [...view.records('certificate').all.values()].filter(
    ({ value: { role, id } }) => role === 'manager' && id !== without,
  );
  if (present.length !== holders.size || present.some(({ value, revision }) => holders.get(value.id) !== revision))
    throw new Outdated('a manager got another certificate');
  return present.map(({ value: { role, id }, revision: modRevision }) => {
    return { kind: 'unchanged', key: keys.certificate(role, id), modRevision };
  });
}

/**
 * Ends a rotation when no member needs the former CA any more, and the last renewal has settled. With `forced`, only those of `forceWaitsFor` count. Tokens that name
 * the former CA are deleted before. Replies whether more is to be done at once. `now`: Unix ms.
 */
export function finishRotation(now: number, forced?: { readonly by: string | undefined }): Intent<boolean> {
  return { lane: 'ca', plan: (planning) => planFinish(now, forced, planning) };
}

function planFinish(
  now: number,
  forced: { readonly by: string | undefined } | undefined,
  { view, keys }: Planning,
): Proposal<boolean> {
  const { ca } = view;
  const [root] = ca?.value.roots ?? [];
  if (ca === undefined || root === undefined || !isRotating(ca.value)) return nothingToDo(false);
  const waiting = waitingFor(view, now);
  const needed = forced === undefined ? waiting : forceWaitsFor(view, now, forced.by);
  if (needed.length > 0 || now < settledAt(view)) return nothingToDo(false);
  const stale = tokensOfOthers(view, formatPin(pinOf(root)));
  if (stale.length > 0) return deleteTokens(stale.slice(0, mostTokens), keys);
  const value = records.ca.codec.encode({ ...ca.value, roots: [root] }, ca.original);
  return {
    ...nothingToDo(false),
    compares: [{ kind: 'unchanged', key: keys.ca, modRevision: ca.revision }],
    writes: [{ kind: 'put', key: keys.ca, value }],
    events: [caRotated(ca.value.generation, waiting.length)],
  };
}

function tokensOfOthers(view: View, pin: string): readonly Versioned<StoredToken>[] {
  return [...view.records('token').all.values()].filter(({ value }) => value.pin !== pin);
}

function deleteTokens(tokens: readonly Versioned<StoredToken>[], keys: Planning['keys']): Proposal<boolean> {
  return {
    ...nothingToDo(true),
    compares: tokens.map(({ value, revision }) => {
      return { kind: 'unchanged', key: keys.token(value.id), modRevision: revision };
    }),
    writes: tokens.map(({ value }) => ({ kind: 'delete', key: keys.token(value.id) })),
  };
}
