import { CausewayError, type ErrorData, isCausewayError } from '@causeway/model';
import type { Command } from 'commander';

/** Options for each field of a request, the likeliest first. The first option that the command has counts. */
const flags: Readonly<Record<string, readonly string[]>> = {
  subnets: ['--subnet'],
  'subnets.gateway': ['--gateway'],
  'subnets.ranges': ['--ip-range'],
  'subnets.aux_addresses': ['--aux-address'],
  add_subnets: ['--add-subnet'],
  'add_subnets.gateway': ['--gateway'],
  'add_subnets.ranges': ['--add-range'],
  'add_subnets.aux_addresses': ['--aux-address'],
  remove_subnets: ['--remove-subnet'],
  add_ranges: ['--add-range'],
  labels: ['--label'],
  set_labels: ['--label'],
  remove_labels: ['--remove-label'],
  address_space: ['--address-space'],
  addresses: ['--ip'],
  field_selector: ['--field'],
  label_selector: ['--selector'],
  if_revision: ['--if-revision'],
  from_revision: ['--from-revision'],
  from_sequence: ['--from'],
  since_ms: ['--since'],
  page_size: ['--page-size'],
  kinds: ['--kind'],
  tail: ['--tail'],
  hosts: ['--host'],
  host: ['--host'],
  name: ['--rename', '--name'],
  purpose: ['--for'],
  mtu: ['--mtu'],
  mtu_automatic: ['--mtu'],
  vni: ['--vni'],
  driver: ['--driver'],
  ipv4: ['--ipv4'],
  ipv6: ['--ipv6'],
  netns: ['--netns'],
  ifname: ['--ifname'],
  force: ['--force'],
  role: ['--role'],
  uses: ['--uses'],
  ttl_ms: ['--ttl'],
};

/**
 * `subnets[0]`, `subnets[0].ranges[1]`, `add_subnets[2].aux_addresses.dns`: an index or an underscore distinguishes a
 * field from a word.
 */
const fieldPath = /\b[a-z]+(?:_[a-z0-9]+)*(?:\[\d+\])(?:\.[a-z_]+(?:\[\d+\]|\.[\w.-]*\w)?)?|\b[a-z]+(?:_[a-z]+)+\b/g;

/** Rewrites a server's error with the option's name: "--subnet 10.0.0.1/8 has host bits". */
export function nameFlags(error: unknown, command: Command): unknown {
  if (!isCausewayError(error)) return error;
  const { field, ...rest } = error.data;
  const own = typeof field === 'string' ? flagOf(field, command) : undefined;
  const begins = own !== undefined && typeof field === 'string' && startsWithWord(error.message, field);
  const message = begins ? own + error.message.slice(field.length) : error.message;
  const named = message.replaceAll(fieldPath, (path) => flagOf(path, command) ?? path);
  if (named === error.message && own === undefined) return error;
  const data: ErrorData = field === undefined ? rest : { ...error.data, field: own ?? field };
  return new CausewayError(error.code, named, data, { cause: error });
}

function flagOf(path: string, command: Command): string | undefined {
  const [first = '', second = ''] = path.replaceAll(/\[\d+\]/g, '').split('.');
  const candidates = flags[`${first}.${second}`] ?? flags[first];
  return candidates?.find((flag) => command.options.some(({ long }) => long === flag));
}

function startsWithWord(message: string, word: string): boolean {
  return message.startsWith(word) && !/^\w/.test(message.slice(word.length));
}
