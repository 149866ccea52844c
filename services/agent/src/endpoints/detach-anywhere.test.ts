import { CausewayError } from '@causeway/model';
import { errorFromWire } from '@causeway/proto';
import { seconds } from '@causeway/runtime';
import { describe, expect, it } from 'vitest';
import { Host } from '../testing/host.ts';

async function host(): Promise<Host> {
  const h = new Host();
  h.manager.network('blue');
  await h.start();
  await h.attach('blue', 'web');
  return h;
}

const detach = (h: Host, endpoint: string, force = false) =>
  h.clock.until(h.agent.api.detach({ requestId: h.uuid(), endpoint, force }), seconds(60));

describe('detach', () => {
  it('of an endpoint of this host says nothing of another', async () => {
    expect(await detach(await host(), 'web')).toMatchObject({ host: '', interfaceRemoved: true });
  });

  it('of an endpoint of another host goes to the managers as it is, and says which host that is', async () => {
    const h = await host();
    const asked: object[] = [];
    h.manager.detachEndpoint = async (_, request) => {
      asked.push(request);
      return { revision: 77n, host: 'h3', interfaceRemoved: false };
    };
    expect(await detach(h, 'blue/db', true)).toEqual({ revision: 77n, host: 'h3', interfaceRemoved: false });
    expect(asked).toMatchObject([{ endpoint: 'blue/db', force: true }]);
    expect(h.manager.rows('blue')).toEqual(['web']);
  });

  it('says whose silence it is when the managers say nothing', async () => {
    const h = await host();
    const silent = errorFromWire(14, 'no answer to connect', undefined);
    h.manager.releaseEndpoint = h.manager.detachEndpoint = () => Promise.reject(silent);
    const message = 'the managers do not answer (no answer to connect): try again';
    await expect(detach(h, 'web')).rejects.toMatchObject({ code: 'manager-unavailable', message });
    await expect(detach(h, 'db')).rejects.toMatchObject({ code: 'manager-unavailable', message });
  });

  it('passes on why the managers refuse', async () => {
    const h = await host();
    h.manager.detachEndpoint = async () => {
      throw new CausewayError('node-unready', 'endpoint "db" is on host h3, which is not ready');
    };
    await expect(detach(h, 'db')).rejects.toMatchObject({ code: 'node-unready' });
  });
});
