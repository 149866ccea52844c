import { describe, expect, it } from 'vitest';
import { demandCapabilities } from './capabilities.ts';

const status = (effective: string): string =>
  `Name:\tnode\nCapPrm:\t000001ffffffffff\nCapEff:\t${effective}\nCapBnd:\t000001ffffffffff\n`;

describe('demandCapabilities', () => {
  it.each([
    ['root', '000001ffffffffff'],
    ['just enough', '0000000000201000'],
  ])('%s', (_, effective) => {
    expect(() => demandCapabilities(status(effective))).not.toThrow();
  });

  it.each([
    ['a process without capabilities', '0000000000000000', 'CAP_NET_ADMIN CAP_SYS_ADMIN'],
    ['a container without network administration', '0000000000200000', 'CAP_NET_ADMIN'],
    ['one that may not enter namespaces', '0000000000001000', 'CAP_SYS_ADMIN'],
  ])('%s: the error names what is missing', (_, effective, missing) => {
    expect(() => demandCapabilities(status(effective))).toThrow(
      expect.objectContaining({ code: 'capability-missing', data: { missing } }),
    );
  });
});
