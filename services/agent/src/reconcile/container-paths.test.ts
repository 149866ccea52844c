import type { NetnsPath } from '@causeway/datapath';
import { expect, it } from 'vitest';
import { ContainerPaths } from './container-paths.ts';

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

it('a sandbox of before is placed without taking the path from the container that is there now', () => {
  const paths = new ContainerPaths(new Map([[now.identity, path]]));
  expect(paths.placed(former)).toBe(former);
  expect(paths.isGone(now)).toBe(false);
  expect(paths.placed({ ...now, netns: '/proc/7/ns/net' as NetnsPath }).netns).toBe(path);
});
