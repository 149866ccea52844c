import type { EndpointId, NetworkId } from '@causeway/model';
import { describe, expect, it } from 'vitest';
import { type LocalEndpoint, pickEndpoint } from './pick-endpoint.ts';

function endpoint(id: string, network: string, { name = 'web', isLeaving = false } = {}): LocalEndpoint {
  return { id: id as EndpointId, name, networkId: `id-of-${network}` as NetworkId, network, isLeaving };
}

const inBlue = endpoint('1', 'blue');
const inRed = endpoint('2', 'red');
const old = endpoint('3', 'blue', { isLeaving: true });

describe('the endpoint that a caller names', () => {
  it.each<[what: string, local: LocalEndpoint[], target: string, picked: LocalEndpoint | undefined]>([
    ['by id', [inBlue, inRed], '2', inRed],
    ['by name', [inBlue], 'web', inBlue],
    ['by network and name', [inBlue, inRed], 'red/web', inRed],
    ['by id of the network and name', [inBlue, inRed], 'id-of-red/web', inRed],
    ['no endpoint of that name', [inBlue], 'db', undefined],
    ['no endpoint of that name in the network', [inBlue], 'red/web', undefined],
    ['while an old endpoint of that name leaves', [old, inBlue], 'blue/web', inBlue],
    ['while an old endpoint of that name leaves, by name alone', [old, inRed], 'web', inRed],
    ['an endpoint that leaves, when no other has its name', [old], 'web', old],
    ['an endpoint that leaves, by its id', [old, inBlue], '3', old],
  ])('%s', (_what, local, target, picked) => {
    expect(pickEndpoint(local, target)).toEqual(picked);
  });

  it('must not have its name in several networks', () => {
    expect(() => pickEndpoint([inBlue, inRed], 'web')).toThrow(
      'endpoint "web" is in several networks: use one of blue/web, red/web',
    );
  });
});
