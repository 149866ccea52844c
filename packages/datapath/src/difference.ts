import { assertNever } from '@causeway/model';
import { compare, type Mismatch, type MismatchKind } from './compare.ts';
import { possible } from './possible.ts';
import { linkWords, printPort, printRoute, targets } from './print.ts';
import { finish, type Sliced } from './sliced.ts';
import type { Link, NetnsPath, State } from './state.ts';

/** One thing of a kernel that is not as it should be, in words: what `causeway verify` prints. */
export interface Difference {
  readonly netns: NetnsPath;
  readonly kind: MismatchKind | 'driver';
  /** What it is, within its kind and namespace: "vxlan0 02:42:0a:42:00:09". */
  readonly key: string;
  /** "absent" when there is nothing. */
  readonly actual: string;
  /** "absent" when there should be nothing. */
  readonly intended: string;
}

/** Everything `plan` would put right, and the containers' namespaces that are missing. */
export function differences(actual: State, desired: State): Difference[] {
  return finish(differencesSliced(actual, desired));
}

export function* differencesSliced(actual: State, desired: State): Sliced<Difference[]> {
  const { state, missing } = possible(actual, desired);
  const found = missing.map((netns) => describe({ kind: 'netns', netns, actual: undefined, intended: 'present' }));
  for (const mismatch of compare(actual, state)) {
    if (mismatch === undefined) yield;
    else found.push(describe(mismatch));
  }
  return found;
}

function describe(mismatch: Mismatch): Difference {
  const { netns, kind } = mismatch;
  return { netns, kind, ...words(mismatch) };
}

function words(of: Mismatch): { key: string; actual: string; intended: string } {
  switch (of.kind) {
    case 'netns':
      return { key: of.netns, ...both(of.actual, of.intended, String) };
    case 'link':
      return { key: of.name, ...linkSides(of.actual, of.intended) };
    case 'port':
      return { key: of.name, ...both(of.actual, of.intended, printPort) };
    case 'sysctl':
      return { key: of.key, ...both(of.actual, of.intended, String) };
    case 'address':
      return { key: `${of.dev} ${of.address}`, ...both(of.actual, of.intended, String) };
    case 'route':
      return { key: of.intended?.dst ?? of.actual?.dst ?? '', ...both(of.actual, of.intended, printRoute) };
    case 'fdb':
      return { key: `${of.dev} ${of.mac}`, ...both(of.actual, of.intended, (target) => targets(target).join(' ')) };
    case 'neighbour':
      return { key: `${of.dev} ${of.ip}`, ...both(of.actual, of.intended, String) };
    default:
      return assertNever(of);
  }
}

function both<Value>(
  actual: Value | undefined,
  intended: Value | undefined,
  print: (value: Value) => string,
): { actual: string; intended: string } {
  const side = (value: Value | undefined): string => (value === undefined ? 'absent' : print(value));
  return { actual: side(actual), intended: side(intended) };
}

/** Of two links, only the properties that differ. */
function linkSides(actual: Link | undefined, intended: Link | undefined): { actual: string; intended: string } {
  const [is, shall] = [actual, intended].map((link) => (link === undefined ? [] : linkWords(link))) as [
    string[],
    string[],
  ];
  const without = (words: string[], others: string[]): string =>
    words.filter((word) => !others.includes(word)).join(' ') || 'absent';
  return { actual: without(is, shall), intended: without(shall, is) };
}
