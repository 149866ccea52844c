import { FakeClock } from '@causeway/runtime/testing';
import { applyPlan, type Failure, readState } from '../apply.ts';
import { type Difference, differences } from '../difference.ts';
import { buildNetwork } from '../drivers/build.ts';
import type { NetworkOnHost } from '../drivers/driver.ts';
import type { Op } from '../kinds/table.ts';
import { plan } from '../plan.ts';
import { printOp } from '../print.ts';
import { FakeKernel } from './fake-kernel.ts';
import { blue, onHost, row, vtep } from './fixtures.ts';

/** A test case: the state of a host, something that happens to it, and the state that is desired afterwards. */
export interface Story {
  readonly name: string;
  readonly before?: NetworkOnHost;
  /** What another program does to the kernel in between. */
  readonly meanwhile?: (kernel: FakeKernel, clock: FakeClock) => void | Promise<void>;
  readonly after: NetworkOnHost;
}

/** Endpoint 2 with a container on this host, and its peer, endpoint 9 on another host. */
export const peer = row(9, 2);
export const both = onHost([row(2, 1), peer]);

export function withNetwork(over: Partial<typeof blue>): NetworkOnHost {
  return { ...both, network: { ...blue, ...over } };
}

/** The result: found state and plan as text, failures, and what a second plan would still do. */
export interface Ending {
  readonly report: string;
  readonly failures: readonly Failure[];
  readonly left: readonly Op[];
}

export async function runStory(story: Story): Promise<Ending> {
  const { kernel } = await hostAfter(story);
  const desired = buildNetwork(story.after);
  const actual = await readState(kernel, desired);
  const ops = plan(actual, desired);
  const failures = await applyPlan(kernel, ops);
  const left = plan(await readState(kernel, desired), desired);
  return { report: report(story, differences(actual, desired), ops), failures, left };
}

/** Each golden file is named after its story. */
export function goldenOf({ name }: Story): string {
  return `golden/${name.replace(/[^A-Za-z0-9]+/g, '-')}.txt`;
}

/** A host after `before` and `meanwhile` of a story, containers' namespaces included. */
export async function hostAfter({
  before,
  meanwhile,
  after,
}: Story): Promise<{ kernel: FakeKernel; clock: FakeClock }> {
  const clock = new FakeClock();
  const kernel = new FakeKernel({ clock }, { underlay: vtep(1) });
  const containers = [...(before?.sandboxes ?? []), ...after.sandboxes].map((each) => each.netns);
  for (const path of new Set(containers)) kernel.foreignNetns(path);
  if (before !== undefined) {
    const desired = buildNetwork(before);
    const failures = await applyPlan(kernel, plan(await readState(kernel, desired), desired));
    if (failures.length > 0) throw new Error(`the story cannot begin: ${JSON.stringify(failures)}`);
  }
  await meanwhile?.(kernel, clock);
  return { kernel, clock };
}

function report(story: Story, found: readonly Difference[], ops: readonly Op[]): string {
  const lines = found.map((each) => `${each.netns} ${each.kind} ${each.key}: ${each.actual} → ${each.desired}`);
  return [`# ${story.name}`, '', '## differences', ...lines, '', '## plan', ...ops.map(printOp), ''].join('\n');
}
