import type { NetnsPath } from '@causeway/datapath';
import { expect, it } from 'vitest';
import { Places } from './places.ts';

const path = '/run/netns/web' as NetnsPath;
const [former, now] = [
  { identity: 'net:1@boot', netns: path },
  { identity: 'net:2@boot', netns: path },
];

it('a container that is attached at a path is the one that is there, and the one before it is gone', () => {
  const places = new Places();
  places.locate([former]);
  places.locate([now]);
  expect([former, now].map((each) => places.isGone(each))).toEqual([true, false]);
  expect(places.expected).toEqual(new Map([[path, now.identity]]));
});

it('a sandbox of before is placed without taking the path from the container that is there now', () => {
  const places = new Places(new Map([[now.identity, path]]));
  expect(places.placed(former)).toBe(former);
  expect(places.isGone(now)).toBe(false);
  expect(places.placed({ ...now, netns: '/proc/7/ns/net' as NetnsPath }).netns).toBe(path);
});
