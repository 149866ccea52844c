import { CausewayError } from '@causeway/model';
import { Command, Option } from 'commander';
import { describe, expect, test } from 'vitest';
import { nameFlags } from './flags.ts';

const create = commandWith('--subnet', '--gateway', '--ip-range', '--aux-address', '--mtu', '--vni', '--label');
const update = commandWith('--add-subnet', '--remove-subnet', '--gateway', '--add-range', '--rename', '--mtu');
const list = commandWith('--field', '--selector');

function commandWith(...flags: string[]): Command {
  const command = new Command('x');
  for (const flag of flags) command.addOption(new Option(`${flag} <value>`));
  return command;
}

describe('an error of a server names the flag', () => {
  test.each<[command: Command, field: string, message: string, flag: string, named: string]>([
    [
      create,
      'subnets[0]',
      'subnets[0]: "10.0.0.1/8" has host bits',
      '--subnet',
      '--subnet: "10.0.0.1/8" has host bits',
    ],
    [
      create,
      'subnets[1]',
      'subnets[1] 10.0.0.0/8 overlaps subnets[0] 10.0.0.0/16: subnets of a network must not overlap',
      '--subnet',
      '--subnet 10.0.0.0/8 overlaps --subnet 10.0.0.0/16: subnets of a network must not overlap',
    ],
    [create, 'subnets[0].ranges[1]', 'subnets[0].ranges[1] is empty', '--ip-range', '--ip-range is empty'],
    [
      create,
      'subnets[0].aux_addresses.dns',
      'subnets[0].aux_addresses.dns is taken',
      '--aux-address',
      '--aux-address is taken',
    ],
    [create, 'mtu', 'mtu 7 is outside 68 to 65535 bytes', '--mtu', '--mtu 7 is outside 68 to 65535 bytes'],
    [create, 'name', 'name "blue" is taken', 'name', 'name "blue" is taken'],
    [create, 'labels', 'labels: 65 are too many', '--label', '--label: 65 are too many'],
    [update, 'name', 'name "blue" is taken', '--rename', '--rename "blue" is taken'],
    [
      update,
      'add_subnets',
      'add_subnets and remove_subnets: 17 are too many at once',
      '--add-subnet',
      '--add-subnet and --remove-subnet: 17 are too many at once',
    ],
    [
      update,
      'mtu',
      'mtu 1400 and mtu_automatic exclude each other',
      '--mtu',
      '--mtu 1400 and --mtu exclude each other',
    ],
    [list, 'field_selector', 'field_selector: "x" is no field', '--field', '--field: "x" is no field'],
    [list, 'subnets[0]', 'subnets[0] is wrong', 'subnets[0]', 'subnets[0] is wrong'],
  ])('%#: %s %s', (command, field, message, flag, named) => {
    const error = new CausewayError('invalid-argument', message, { field, value: 'x' });
    expect(nameFlags(error, command)).toMatchObject({
      code: 'invalid-argument',
      message: named,
      data: { field: flag, value: 'x' },
    });
  });

  test('what is no field is left alone', () => {
    const error = new CausewayError('timed-out', 'no answer from m_1 within 10s, mtu');
    expect(nameFlags(error, create)).toBe(error);
    expect(nameFlags(7, create)).toBe(7);
  });
});
