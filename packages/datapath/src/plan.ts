import { compare, compareNamespaces, type Mismatch } from './compare.ts';
import { type Step, stages } from './kinds/kind.ts';
import { kinds, type Op, order, type Place } from './kinds/table.ts';
import { reachablePart } from './reachable.ts';
import { simulate } from './simulate.ts';
import { finish, type Sliced } from './sliced.ts';
import type { State } from './state.ts';

/** The ops that make our part of the kernel equal to the desired state. Empty if it is equal. */
export function plan(actual: State, desired: State): Op[] {
  return finish(planSliced(actual, desired));
}

export function* planSliced(actual: State, desired: State): Sliced<Op[]> {
  const reachable = reachablePart(actual, desired).state;
  const steps = [
    ...namespaceSteps(actual, reachable),
    ...kinds.flatMap((kind) => kind.make?.(actual, reachable) ?? []),
  ];
  let known = simulate(actual, inOrder(steps));
  for (const stage of stages) {
    const found: Step[] = [];
    for (const mismatch of compare(known, reachable, stage)) {
      if (mismatch === undefined) yield;
      else for (const step of stepsOf(mismatch)) found.push(step);
    }
    if (stage !== stages.at(-1)) known = simulate(known, inOrder(found));
    for (const step of found) steps.push(step);
  }
  return inOrder(steps);
}

function stepsOf({ netns, comparison, difference }: Mismatch): readonly Step[] {
  return comparison.steps(netns, difference);
}

/** Sorts by place. Steps of one place keep their order. */
function inOrder(steps: readonly Step[]): Op[] {
  const byPlace = new Map<Place, Op[]>(order.map((place) => [place, []]));
  for (const [place, op] of steps) byPlace.get(place)?.push(op);
  return [...byPlace.values()].flat();
}

function namespaceSteps(actual: State, reachable: State): Step[] {
  const { missing, extra } = compareNamespaces(actual, reachable);
  return [
    ...missing.map((netns): Step => ['add namespace', { op: 'netns.add', netns }]),
    ...extra.map((netns): Step => ['delete namespace', { op: 'netns.delete', netns }]),
  ];
}
