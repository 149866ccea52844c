import type { EndpointId } from '@causeway/model';
import { seconds } from '@causeway/runtime';
import { describe, expect, it } from 'vitest';
import { expectNothingLeft, idleHost } from '../testing/agent-fixture.ts';

describe('detach', () => {
  it.each(['web', 'blue/web', 'ID'])(
    'by %s removes all of it, and a second one knows nothing of it',
    async (target) => {
      const h = await idleHost();
      const { id } = await h.attach('blue', 'web');
      await h.detach(target.replace('ID', id));
      await expectNothingLeft(h);
      await expect(h.detach('web')).rejects.toMatchObject({ code: 'endpoint-unknown' });
    },
  );

  it('answers the same request again with the same revision', async () => {
    const h = await idleHost();
    await h.attach('blue', 'web');
    const requestId = h.uuid();
    expect(await h.detach('web', requestId)).toBe(await h.detach('web', requestId));
  });

  it('asks which of two', async () => {
    const h = await idleHost();
    h.manager.network('red', '10.77.0.0/16');
    await h.attach('blue', 'web');
    await h.attach('red', 'web', { netns: '/run/netns/web', ifname: 'eth1' });
    await expect(h.detach('web')).rejects.toMatchObject({
      code: 'name-ambiguous',
      message: expect.stringContaining('blue/web, red/web'),
    });
    await h.detach('red/web');
    expect(h.manager.rows('red')).toEqual([]);
  });

  it('does nothing by half when no manager answers', async () => {
    const h = await idleHost();
    await h.attach('blue', 'web');
    h.manager.down = true;
    await expect(h.detach('web')).rejects.toMatchObject({ code: 'manager-unavailable' });
    h.manager.down = false;
    await h.settle(seconds(2));
    expect(h.manager.rows('blue')).toEqual(['web']);
    expect(await h.wrong('blue')).toEqual([]);
    await h.detach('web');
    await expectNothingLeft(h);
  });

  it('frees what is claimed for this host without a container', async () => {
    const h = await idleHost();
    const node = (await h.status()).node?.id;
    const { id } = h.manager.foreignClaim('blue', 7, node as never);
    await h.settle();
    await h.detach('ghost-7');
    expect(h.manager.released).toEqual([id as EndpointId]);
  });
});
