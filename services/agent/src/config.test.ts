import { describe, expect, it } from 'vitest';
import { parseSettings } from './config.ts';

const good = { name: 'h1', managers: '10.0.0.1:7443, [fd00::1]:7443', dataPath: '10.0.0.1', vxlanPort: '4789' };

describe('parseSettings', () => {
  it('reads what is right', () => {
    expect(parseSettings(good, '0.1.0')).toEqual({
      name: 'h1',
      managers: ['10.0.0.1:7443', '[fd00::1]:7443'],
      dataPath: '10.0.0.1',
      vxlanPort: 4789,
      labels: {},
      version: '0.1.0',
    });
  });

  it.each<[advertise: string | undefined, encap: 'auto' | 'always' | 'never', expected: object]>([
    [undefined, 'auto', {}],
    [undefined, 'always', { encapPort: 4500 }],
    ['10.0.0.1', 'auto', {}],
    ['203.0.113.7', 'auto', { advertised: '203.0.113.7', encapPort: 4500 }],
    ['203.0.113.7:14500', 'auto', { advertised: '203.0.113.7', encapPort: 14_500 }],
    ['203.0.113.7', 'never', { advertised: '203.0.113.7' }],
  ])('reads --advertise %s --encap %s', (advertise, encap, expected) => {
    const { advertised, encapPort } = parseSettings({ ...good, ...(advertise && { advertise }), encap }, '0.1.0');
    expect({ advertised, encapPort }).toEqual({ advertised: undefined, encapPort: undefined, ...expected });
  });

  it('reads --advertise with IPv6', () => {
    const six = { ...good, dataPath: 'fd00::1' };
    for (const [advertise, advertised, encapPort] of [
      ['2001:db8::7', '2001:db8::7', 4500],
      ['[2001:db8::7]', '2001:db8::7', 4500],
      ['[2001:db8::7]:14500', '2001:db8::7', 14_500],
    ])
      expect(parseSettings({ ...six, advertise: `${advertise}` }, '0.1.0')).toMatchObject({ advertised, encapPort });
  });

  it('reads labels', () => {
    expect(parseSettings({ ...good, label: ['zone=a', 'rack='] }, '0.1.0').labels).toEqual({ zone: 'a', rack: '' });
    expect(() => parseSettings({ ...good, label: ['zone'] }, '0.1.0')).toThrow('--label: "zone" is not KEY=VALUE');
    expect(() => parseSettings({ ...good, label: ['a b=c'] }, '0.1.0')).toThrow('label key "a b" is not valid');
  });

  it.each([
    ['name', 'a b', '--name "a b" is not valid'],
    ['managers', '', '--managers: "" is not at least one HOST:PORT'],
    ['managers', '10.0.0.1', '--managers: "10.0.0.1" is not HOST:PORT'],
    ['managers', '10.0.0.1:70000', '--managers: "70000" is not a port from 1 to 65535'],
    ['dataPath', 'eth0', '--data-path: "eth0" is not an IPv4 or IPv6 address'],
    ['dataPath', '127.0.0.1', '--data-path: "127.0.0.1" is not an address that other hosts can send to (loopback)'],
    ['dataPath', '::', '(unspecified)'],
    ['dataPath', 'ff02::1', '(multicast)'],
    ['dataPath', 'fe80::1', '(link-local)'],
    ['advertise', 'nat', '--advertise: "nat" is not an IPv4 or IPv6 address'],
    ['advertise', '203.0.113.7:0', '--advertise: "0" is not a port from 1 to 65535'],
    ['advertise', '2001:db8::7', '--advertise: "2001:db8::7" is not an address of the same family as --data-path'],
    ['vxlanPort', '0', '--vxlan-port: "0" is not a port from 1 to 65535'],
  ])('names %s %j', (option, text, message) => {
    expect(() => parseSettings({ ...good, [option]: text }, '0.1.0')).toThrow(message);
  });
});
