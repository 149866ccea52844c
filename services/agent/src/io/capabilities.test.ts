import { describe, expect, it } from 'vitest';
import { demandCapabilities } from './capabilities.ts';

const status = (effective: string): string =>
  `Name:\tnode\nCapPrm:\t000001ffffffffff\nCapEff:\t${effective}\nCapBnd:\t000001ffffffffff\n`;

describe('demandCapabilities', () => {
  it.each([
    ['root', '000001ffffffffff'],
    ['just enough', '0000000000201800'],
  ])('%s', (_, effective) => {
    expect(() => demandCapabilities(status(effective))).not.toThrow();
  });

  it.each([
    ['a process without capabilities', '0000000000000000', 'CAP_NET_BROADCAST CAP_NET_ADMIN CAP_SYS_ADMIN'],
    ['a container without network administration', '0000000000200800', 'CAP_NET_ADMIN'],
    ['one that may not enter namespaces', '0000000000001800', 'CAP_SYS_ADMIN'],
    ['one that does not hear other namespaces', '0000000000201000', 'CAP_NET_BROADCAST'],
  ])('%s: the error names what is missing', (_, effective, missing) => {
    expect(() => demandCapabilities(status(effective))).toThrow(
      expect.objectContaining({ code: 'capability-missing', data: { missing } }),
    );
  });
});
