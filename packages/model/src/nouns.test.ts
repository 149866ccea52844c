import { expect, it } from 'vitest';
import { CausewayError } from './error.ts';
import { eventKinds, unknownCodes } from './nouns.ts';

it('the nouns make these kinds of events', () => {
  expect(eventKinds.join(' ')).toBe(
    'network.created network.changed network.deleted endpoint.attached endpoint.detached endpoint.orphaned ' +
      'endpoint.refused endpoint.kept address.reserved address.released claims.repaired node.joined node.changed ' +
      'node.ready node.lost node.drained node.undrained node.removed leader.changed cluster.restored cluster.recovered ' +
      'manager.joined manager.lost manager.removed token.created token.revoked certificate.issued ' +
      'certificate.renewed operator.revoked ca.rotating ca.rotated ca.life ca.autolock keys.rotating keys.rotated ' +
      'call.refused drift.repaired',
  );
});

it('the nouns make these codes, all of them for what is not found', () => {
  expect(unknownCodes.join(' ')).toBe(
    'network-unknown endpoint-unknown subnet-unknown reservation-unknown address-unknown node-unknown ' +
      'manager-unknown token-unknown operator-unknown lab-unknown lab-host-unknown context-unknown',
  );
  for (const code of unknownCodes) expect(new CausewayError(code, '').kind).toBe('not-found');
});
