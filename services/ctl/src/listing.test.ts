import { describe, expect, test } from 'vitest';
import type { ListQuery } from './listing.ts';
import { listNetworks } from './nouns/network.ts';
import { blue } from './testing/samples.ts';

/** A manager with `count` networks. A page token is the number of the networks before the page. */
function manager(count: number) {
  const sizes: number[] = [];
  const all = Array.from({ length: count }, (_, i) => ({ ...blue, name: `n${i}` }));
  const list: Parameters<typeof listNetworks>[0]['listNetworks'] = async ({ pageSize, pageToken }) => {
    sizes.push(pageSize);
    const from = Number(pageToken);
    const networks = all.slice(from, from + Math.min(pageSize === 0 ? 500 : pageSize, 1_000));
    const next = from + networks.length;
    return { networks, revision: 1n, nextPageToken: next < count ? `${next}` : '' };
  };
  return { sizes, managers: { listNetworks: list } };
}

describe('lists are asked for page by page', () => {
  test.each<[what: string, count: number, query: Partial<ListQuery>, sizes: number[], got: number, more: boolean]>([
    ['none', 0, {}, [0], 0, false],
    ['one page', 500, {}, [0], 500, false],
    ['several', 1_200, {}, [0, 0, 0], 1_200, false],
    ['small ones', 5, { pageSize: 2 }, [2, 2, 2], 5, false],
    ['a limit beyond all', 5, { limit: 9 }, [9], 5, false],
    ['a limit of all', 5, { limit: 5 }, [5], 5, false],
    ['a limit below', 5, { limit: 3 }, [3], 3, true],
    ['a limit and small pages', 9, { limit: 5, pageSize: 2 }, [2, 2, 1], 5, true],
    ['a large limit', 2_500, { limit: 2_001 }, [1_000, 1_000, 1], 2_001, true],
  ])('%s', async (_, count, query, sizes, got, more) => {
    const world = manager(count);
    const { items, notes } = await listNetworks(world.managers, { selector: '', field: '', ...query });
    expect([world.sizes, items.length, notes.length > 0]).toEqual([sizes, got, more]);
    expect(new Set(items.map(({ name }) => name)).size).toBe(got);
  });
});
