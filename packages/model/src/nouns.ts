/** What the words of a noun in errors and events are made from. */
interface Noun {
  /** Callers refer to such an object by a name, an id or the like. So there is an error for one that does not exist. */
  readonly isReferredTo?: true;
  /** What can happen to such an object. */
  readonly events?: readonly string[];
}

/** The nouns of the domain. `UnknownCode` and `EventKind` follow from this list. */
const nouns = {
  network: { isReferredTo: true, events: ['created', 'changed', 'deleted'] },
  endpoint: { isReferredTo: true, events: ['attached', 'detached', 'orphaned', 'refused', 'kept'] },
  subnet: { isReferredTo: true },
  reservation: { isReferredTo: true },
  address: { isReferredTo: true, events: ['reserved', 'released'] },
  claims: { events: ['repaired'] },
  node: { isReferredTo: true, events: ['joined', 'changed', 'ready', 'lost', 'drained', 'undrained', 'removed'] },
  leader: { events: ['changed'] },
  cluster: { events: ['restored', 'recovered'] },
  manager: { isReferredTo: true, events: ['joined', 'lost', 'removed'] },
  token: { isReferredTo: true, events: ['created', 'revoked'] },
  certificate: { events: ['issued', 'renewed'] },
  operator: { isReferredTo: true, events: ['revoked'] },
  ca: { events: ['rotating', 'rotated', 'life', 'autolock'] },
  keys: { events: ['rotating', 'rotated'] },
  call: { events: ['refused'] },
  drift: { events: ['repaired'] },
  lab: { isReferredTo: true },
  'lab-host': { isReferredTo: true },
  context: { isReferredTo: true },
} as const satisfies Readonly<Record<string, Noun>>;

type Nouns = typeof nouns;

/** Nouns that callers refer to. */
export type ReferredNoun = {
  [Word in keyof Nouns]: Nouns[Word] extends { readonly isReferredTo: true } ? Word : never;
}[keyof Nouns];

/** The code of the error about an object that does not exist: `network-unknown`. */
export type UnknownCode = `${ReferredNoun}-unknown`;

/** `network.created`. docs/operations.md lists all kinds, and what to do about each. */
export type EventKind = {
  [Word in keyof Nouns]: Nouns[Word] extends { readonly events: readonly (infer Event extends string)[] }
    ? `${Word}.${Event}`
    : never;
}[keyof Nouns];

const all = Object.entries<Noun>(nouns);

export const unknownCodes = all
  .filter(([, { isReferredTo }]) => isReferredTo)
  .map(([word]) => `${word}-unknown` as UnknownCode);

export const eventKinds = all.flatMap(([word, { events = [] }]) =>
  events.map((event) => `${word}.${event}` as EventKind),
);
