import { describe, expect, test } from 'vitest';
import { formatPeerName, parsePeerName } from './name.ts';

const uuid = '0123456789abcdef';

describe('a name is accepted in its one form', () => {
  test.each([
    `spiffe://${uuid}/agent/a1a1a1a1a1a1a1a1`,
    `spiffe://${uuid}/manager/m1`,
    `spiffe://${uuid}/operator/Ops_team-2.x`,
  ])('%s', (uri) => {
    const parsed = parsePeerName(uri);
    expect(parsed.ok && formatPeerName(parsed.value)).toBe(uri);
  });
});

describe('any other text is refused', () => {
  test.each([
    ['', 'nothing'],
    [`http://${uuid}/agent/a1a1a1a1a1a1a1a1`, 'another scheme'],
    [`SPIFFE://${uuid}/agent/a1a1a1a1a1a1a1a1`, 'capital letters'],
    [`spiffe://${uuid.toUpperCase()}/manager/m1`, 'a cluster in capital letters'],
    [`spiffe://${uuid.slice(1)}/manager/m1`, 'a cluster that is too short'],
    [`spiffe://user@${uuid}/manager/m1`, 'a user'],
    [`spiffe://${uuid}:80/manager/m1`, 'a port'],
    [`spiffe://${uuid}/robot/r2`, 'another role'],
    [`spiffe://${uuid}/agent/m1`, 'an agent without the id of a node'],
    [`spiffe://${uuid}/manager/`, 'no id'],
    [`spiffe://${uuid}/manager/..`, 'an id that is a path'],
    [`spiffe://${uuid}/manager/m1/`, 'a slash at the end'],
    [`spiffe://${uuid}/manager/m1/x`, 'a further part'],
    [`spiffe://${uuid}/manager/m%31`, 'an escape'],
    [`spiffe://${uuid}/manager/m1?x`, 'a query'],
    [`spiffe://${uuid}/manager/m1#x`, 'a fragment'],
    [`spiffe://${uuid}/manager/m1\n`, 'a line feed'],
    [` spiffe://${uuid}/manager/m1`, 'a space'],
  ])('%j: %s', (uri) => expect(parsePeerName(uri).ok).toBe(false));
});
