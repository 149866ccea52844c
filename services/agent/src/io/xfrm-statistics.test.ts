import { expect, it } from 'vitest';
import { countPlaintextDrops } from './xfrm-statistics.ts';

const text = `XfrmInError             \t0
XfrmInNoStates          \t5
XfrmInTmplMismatch      \t7
XfrmInPolBlock          \t11
XfrmOutPolBlock         \t13
`;

it.each([
  ['of a peer and of strangers', text, 18],
  ['of a kernel that counts nothing', '', 0],
])('packets without ESP are counted: %s', (_, counted, sum) => expect(countPlaintextDrops(counted)).toBe(sum));
