import { InterfaceAddress, Ip, Mac } from '@causeway/model';
import { describe, expect, it } from 'vitest';
import { ChangeSet } from './changes.ts';
import { newNamespace } from './draft.ts';
import { isInScope, namedPart, scopeOf } from './scope.ts';
import { hostNetns, type NetnsPath } from './state.ts';
import { containerPath } from './testing/fixtures.ts';

const overlay = '/run/netns/cw-0123456789' as NetnsPath;

describe('what is read of a namespace', () => {
  const desired = newNamespace();
  desired.links.set('eth0', { kind: 'veth', name: 'eth0', mac: Mac('02:42:0a:42:00:02'), mtu: 1450, up: true });
  desired.addresses.set('eth0', new Set([InterfaceAddress('10.66.0.9/16')]));
  desired.sysctls.set('net.ipv4.ip_forward', '1');
  const sysctls = ['net.ipv4.ip_forward'];

  it.each<[string, NetnsPath, object]>([
    ['all links of an overlay', overlay, { of: ['addresses', 'routes', 'fdb', 'neighbours'], sysctls }],
    [
      'the desired links of a container, and what is desired on them',
      containerPath(2),
      { links: ['eth0'], of: ['addresses'], sysctls },
    ],
    ['all links of the host that are ours', hostNetns, { sysctls }],
  ])('%s', (_, netns, scope) => expect(scopeOf(netns, desired)).toEqual(scope));

  it.each<[name: string, scope: object, isIn: boolean]>([
    ['eth0', {}, true],
    ['eth0', { links: ['eth0'] }, true],
    ['eth1', { links: ['eth0'] }, false],
  ])('link "%s" is in scope %j: %s', (name, scope, isIn) => {
    expect(isInScope(name, { ...scope, sysctls: [] })).toBe(isIn);
  });
});

describe('the part that changes name', () => {
  const mac = Mac('02:42:0a:42:00:02');
  const desired = newNamespace();
  desired.links.set('cw-1', { kind: 'veth', name: 'cw-1', mac, mtu: 1450, up: true });
  desired.fdb.set('cw-1', new Map([[mac, 'port']]));
  desired.neighbours.set('vxlan0', new Map([[Ip('10.66.0.9'), mac]]));
  const neighbours = (count: number): ChangeSet => {
    const changes = new ChangeSet();
    for (let n = 0; n < count; n++) changes.add('neighbours', 'vxlan0', Ip(`10.66.${n >> 8}.${n & 255}`));
    return changes;
  };

  it('has the entries on a changed link, which the kernel drops with the link', () => {
    const changes = neighbours(10);
    changes.links.add('cw-1');
    const part = namedPart(desired, changes);
    expect(part?.desired).toEqual({ ...desired, sysctls: new Map() });
    expect(part?.scope.entries?.fdb).toEqual(new Map([['cw-1', new Set([mac])]]));
    expect(part?.scope.links).toEqual(['cw-1']);
  });

  it.each([
    [256, false, true],
    [256, true, false],
    [257, false, false],
  ])('%i neighbours, and an entry on a changed link: %s; all are named: %s', (count, hasLink, isNamed) => {
    const changes = neighbours(count);
    if (hasLink) changes.links.add('cw-1');
    expect(namedPart(desired, changes) !== undefined).toBe(isNamed);
  });
});
