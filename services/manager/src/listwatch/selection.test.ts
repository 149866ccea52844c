import { CausewayError, type Labels } from '@causeway/model';
import { describe, expect, test } from 'vitest';
import { type ItemOf, records } from '../store/records/index.ts';
import { parseBoolean } from '../store/records/listed.ts';
import { networkId, nodeId, scriptEndpoint, scriptNetwork, scriptNode } from '../testing/view-script.ts';
import { lasting, readSelection } from './selection.ts';

const labels: Labels = { tier: 'web' };
const network: ItemOf<'network'> = { value: { ...scriptNetwork(7), labels }, revision: 1n };
const endpoint: ItemOf<'endpoint'> = {
  value: scriptEndpoint(258, 7, 2),
  revision: 1n,
  names: { network: 'n7', host: 'h2' },
};
const node: ItemOf<'node'> = { value: { ...scriptNode(2), labels }, revision: 1n };
const ready = {
  values: (of: typeof node) => [`${of.value.id === nodeId(2)}`],
  parse: parseBoolean,
  transient: true,
} as const;
const hostFields = { ...records.node.fields, ready };

const of = (labelSelector: string, fieldSelector: string) => ({ labelSelector, fieldSelector });

describe('selection', () => {
  test.each<[label: string, field: string, matches: boolean]>([
    ['', '', true],
    ['tier=web', '', true],
    ['tier!=web', '', false],
    ['', 'name=n7', true],
    ['', 'name!=n7', false],
    ['tier', 'name=n8', false],
    ['', `id=${networkId(7)}`, true],
    ['', 'driver=overlay, internal=false', true],
    ['', 'internal=true', false],
    ['', 'vni=4103', true],
    ['', 'mtu!=1450', false],
    ['', 'address_space=default', true],
    ['', 'subnet=10.7.0.0/16', true],
    ['', 'subnet!=10.7.0.0/16', false],
  ])('network, "%s" "%s": %s', (label, field, matches) => {
    expect(readSelection(of(label, field), records.network.fields)(network)).toBe(matches);
  });

  test.each<[field: string, matches: boolean]>([
    ['name=e258', true],
    ['network=n7', true],
    [`network=${networkId(7)}`, true],
    ['network!=n7', false],
    ['host=h2', true],
    [`host!=${nodeId(2)}`, false],
    ['address=10.7.1.2', true],
    ['address!=10.7.1.2', false],
    ['address=fd07::1', false],
    ['mac=02:42:0A:07:01:02', true],
  ])('endpoint, "%s": %s', (field, matches) => {
    expect(readSelection(of('', field), records.endpoint.fields)(endpoint)).toBe(matches);
    expect(readSelection(of('!tier', field), records.endpoint.fields)(endpoint)).toBe(matches);
  });

  test.each<[label: string, field: string, matches: boolean]>([
    ['tier', 'ready=true', true],
    ['', 'ready=false', false],
    ['', 'data_path=192.0.2.2, underlay_mtu=1500', true],
    ['', 'version!=1', false],
  ])('node, "%s" "%s": %s', (label, field, matches) => {
    expect(readSelection(of(label, field), hostFields)(node)).toBe(matches);
  });

  test.each<[name: string, label: string, field: string, says: string]>([
    [
      'an unknown field',
      '',
      'color=red',
      'there is no field "color"; the fields are data_path, drained, id, name, ready, underlay_mtu, version',
    ],
    ['a field everything has', '', 'constructor=x', 'there is no field "constructor"'],
    ['no boolean', '', 'ready=yes', 'field_selector: "yes" is not true or false'],
    ['no number', '', 'underlay_mtu=big', 'field_selector: "big" is not a whole number'],
    ['no address', '', 'data_path=h2', 'field_selector: "h2" is not an IPv4 or IPv6 address'],
    ['no field selector', '', 'name', 'field_selector: expected "=" or "!="'],
    ['no label selector', '=', '', 'label_selector: expected a label key'],
  ])('refuses %s', (_, label, field, says) => {
    const read = () => readSelection(of(label, field), hostFields);
    expect(read).toThrow(CausewayError);
    expect(read).toThrow(says);
  });

  test('a watch does not select by what it cannot see change', () => {
    expect(() => readSelection(of('', 'ready=true'), lasting(hostFields))).toThrow('"ready" is not in the store');
    expect(readSelection(of('', 'name=h2'), lasting(hostFields))(node)).toBe(true);
  });
});
