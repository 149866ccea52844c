import type { NetnsPath } from '@causeway/datapath';
import { describe, expect, it } from 'vitest';
import type { Sandbox } from '../disk/sandbox.ts';
import { ContainerPaths, findContainerPaths } from './container-paths.ts';

const path = '/run/netns/web' as NetnsPath;
const [former, now] = [
  { identity: 'net:1@boot', netns: path },
  { identity: 'net:2@boot', netns: path },
];

it('a container that is attached at a path is the one that is there, and the one before it is gone', () => {
  const paths = new ContainerPaths();
  paths.locate([former]);
  paths.locate([now]);
  expect([former, now].map((each) => paths.isGone(each))).toEqual([true, false]);
  expect(paths.expected).toEqual(new Map([[path, now.identity]]));
});

it('the same list is located once, and anew after another list', () => {
  const paths = new ContainerPaths();
  const [list, other] = [[former], [now]];
  const first = paths.locate(list);
  expect(first).toEqual([former]);
  expect(paths.locate(list)).toBe(first);
  paths.locate(other);
  expect(paths.locate(list)).toEqual([{ ...former, netns: `${path} (gone)` }]);
});

it('a sandbox of before is placed without taking the path from the container that is there now', () => {
  const paths = new ContainerPaths(new Map([[now.identity, path]]));
  expect(paths.placed(former)).toBe(former);
  expect(paths.isGone(now)).toBe(false);
  expect(paths.placed({ ...now, netns: '/proc/7/ns/net' as NetnsPath }).netns).toBe(path);
});

describe('the path of a container', () => {
  const [first, second, elsewhere] = ['/run/netns/a', '/run/netns/b', '/run/netns/c'] as NetnsPath[] as [
    NetnsPath,
    NetnsPath,
    NetnsPath,
  ];
  const overlay = '/run/netns/cw-0123456789' as NetnsPath;
  /** The container `net:2` is at these paths; every other path leads to another one. */
  const find = async (leading: readonly NetnsPath[], attachedAt: readonly NetnsPath[], isOverlay = false) => {
    const kernel = { identify: async (path: NetnsPath) => (leading.includes(path) ? now.identity : 'net:9@boot') };
    const overlays = { at: () => (isOverlay ? elsewhere : undefined) };
    const sandboxes = attachedAt.map((netns) => ({ identity: now.identity, netns }) as Sandbox);
    const other = { identity: 'net:9@boot', netns: elsewhere } as Sandbox;
    const inContainer = (identity: string) => [...sandboxes, other].filter((each) => each.identity === identity);
    const modules = { kernel, overlays } as unknown as Parameters<typeof findContainerPaths>[0];
    const paths = await findContainerPaths(modules, sandboxes, inContainer);
    return [...paths.expected];
  };

  it.each<[string, NetnsPath[], NetnsPath[], [NetnsPath, string][]]>([
    ['is the one that leads there', [first], [first], [[first, now.identity]]],
    ['is the first of two that lead there', [first, second], [first, second], [[first, now.identity]]],
    ['is the second when the first leads elsewhere', [second], [first, second], [[second, now.identity]]],
    ['is none when no path leads there', [], [first, second], []],
    ['is never that of an overlay', [overlay], [overlay], []],
    ['is none at which only another container was attached', [elsewhere], [first], []],
  ])('%s', async (_, leading, attachedAt, expected) => expect(await find(leading, attachedAt)).toEqual(expected));

  it('is none when its identity is that of an overlay', async () => {
    expect(await find([first], [first], true)).toEqual([]);
  });
});
