import { type Entry, kindOf, livesBySubject, makes, subjectOf } from '../load/journal.ts';
import type { Life } from '../record/lives.ts';
import type { WriteTimes } from './window.ts';

export interface LifeFaults {
  /** Acknowledged and not released, but missing. */
  readonly lost: readonly string[];
  /** Made or removed without a call, before the call, or twice. */
  readonly unasked: readonly string[];
}

/** Whether each life has a call and each answered call has a life. Each name belongs to one call. */
export function checkLives(lives: readonly Life[], journal: readonly Entry[], times: WriteTimes): LifeFaults {
  const bySubject = livesBySubject(lives);
  const calls = new Map<string, Entry[]>();
  for (const entry of journal) push(calls, subjectOf(entry), entry);
  const subjects = [...new Set([...bySubject.keys(), ...calls.keys()])];
  const found = subjects.map((subject) => {
    const [own, entries] = [bySubject.get(subject) ?? [], calls.get(subject) ?? []];
    return {
      lost: lostOf(subject, own, entries),
      unasked: [
        ...birthsOf(subject, own, entries.filter(makes)),
        ...deathsOf(
          subject,
          own,
          entries.filter((entry) => !makes(entry)),
        ),
        ...answersOf(subject, own, entries, times),
      ],
    };
  });
  return { lost: found.flatMap(({ lost }) => lost), unasked: found.flatMap(({ unasked }) => unasked) };
}

/** What was acknowledged must have been made, and must still exist unless a call to remove it was sent. */
function lostOf(subject: string, lives: readonly Life[], entries: readonly Entry[]): readonly string[] {
  const acknowledged = entries.some((entry) => makes(entry) && entry.outcome.kind === 'done');
  const released = entries.some((entry) => !makes(entry));
  const there = lives.some(({ died }) => died === undefined || released);
  return acknowledged && !there ? [`${subject} was acknowledged and is not there`] : [];
}

function birthsOf(subject: string, lives: readonly Life[], calls: readonly Entry[]): readonly string[] {
  const possible = calls.filter(({ outcome }) => outcome.kind !== 'refused');
  const twice =
    lives.length > 1
      ? [`${subject} was made ${lives.length} times, at revisions ${lives.map(({ born }) => born.revision).join(', ')}`]
      : [];
  const ghosts = lives.flatMap(({ born }) => {
    if (possible.length === 0) return [`${subject} is there at revision ${born.revision}, and no call made it`];
    if (possible.some(({ call }) => call <= born.seen)) return [];
    return [`${subject} is there at revision ${born.revision}, before it was asked for`];
  });
  return [...twice, ...ghosts];
}

function deathsOf(subject: string, lives: readonly Life[], calls: readonly Entry[]): readonly string[] {
  const possible = calls.filter(({ outcome }) => outcome.kind !== 'refused');
  return lives.flatMap(({ died }) => {
    if (died === undefined || possible.some(({ call }) => call <= died.seen)) return [];
    const why = possible.length === 0 ? 'and no call took it away' : 'before a call asked for that';
    return [`${subject} is gone at revision ${died.revision}, ${why}`];
  });
}

/** An answer must agree with the record, and must have been true when it was given. */
function answersOf(
  subject: string,
  lives: readonly Life[],
  entries: readonly Entry[],
  times: WriteTimes,
): readonly string[] {
  return entries.flatMap((entry) => {
    const { act, end, outcome } = entry;
    if (outcome.kind !== 'done') return [];
    if (outcome.held.length === 0) return [`${act} of ${subject} was answered with nothing it has`];
    const agrees = lives.length === 0 || lives.some(({ held }) => sameSet(held, outcome.held));
    const recorded = lives.map(({ held }) => held.join(', ')).join(' or ');
    const wrong = agrees
      ? []
      : [`${act} of ${subject} was answered ${outcome.held.join(', ')}, its record has ${recorded}`];
    const moments = lives.flatMap(({ born, died }) => (makes(entry) ? [born] : died === undefined ? [] : [died]));
    const early = moments.filter(({ revision }) => times.earliest(revision) > end);
    const what = kindOf(entry);
    return [
      ...wrong,
      ...early.map(({ revision }) => `${act} of ${what} ${entry.name} was answered before revision ${revision} did it`),
    ];
  });
}

function sameSet(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((item) => other.includes(item));
}

function push(all: Map<string, Entry[]>, name: string, entry: Entry): void {
  const some = all.get(name) ?? [];
  some.push(entry);
  all.set(name, some);
}
