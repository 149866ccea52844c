import { familyOf, type Prefix } from '@causeway/model';
import type { NetnsPath } from '../state.ts';
import type { DifferenceText, ValueDifference } from './kind.ts';

/** Both values in words; "absent": the object is not there, or not desired. */
export function describeDifference<Value>(
  { actual, desired }: ValueDifference<unknown, Value>,
  print: (value: Value) => string = String,
): Omit<DifferenceText, 'key'> {
  const side = (value: Value | undefined): string => (value === undefined ? 'absent' : print(value));
  return { actual: side(actual), desired: side(desired) };
}

/** `ip` or `bridge` in a namespace. `ip -n NAME` knows only names below /run/netns; other paths need `nsenter`. */
export function tool(name: 'ip' | 'bridge', netns: NetnsPath): string {
  return isNamed(netns) ? `${name} -n ${nameOf(netns)}` : `${inside(netns)}${name}`;
}

/** The prefix with which a command runs in a namespace. */
export function inside(netns: NetnsPath): string {
  if (netns === '') return '';
  return isNamed(netns) ? `ip netns exec ${nameOf(netns)} ` : `nsenter --net=${netns} `;
}

export function nameOf(netns: NetnsPath): string {
  return isNamed(netns) ? netns.slice(netns.lastIndexOf('/') + 1) : netns;
}

/** The option for `ip route`, which knows that "default" means IPv6 only if the family is given. */
export function v6(dst: Prefix): string {
  return familyOf(dst) === 6 ? ' -6' : '';
}

/** Lines about objects of links, sorted by link. */
export function listOnLinks<Of>(
  byLink: ReadonlyMap<string, Of>,
  lines: (dev: string, of: Of) => readonly string[],
): readonly string[] {
  return [...byLink].sort(byKey).flatMap(([dev, of]) => [...lines(dev, of)].sort());
}

export function byKey(a: readonly [string, unknown], b: readonly [string, unknown]): number {
  return a[0] < b[0] ? -1 : 1;
}

function isNamed(netns: NetnsPath): boolean {
  return /^(\/var)?\/run\/netns\/[^/]+$/.test(netns);
}
