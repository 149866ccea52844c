import type { Network } from '@causeway/proto/gen/causeway/v1/types.js';
import type { Answer } from '../answer.ts';
import { pairsText } from './pairs.ts';

/** What an update would change in a network: the fields that would differ. */
export function differenceAnswer(before: Network, after: Network, answer: Answer): Answer {
  const [was, is] = [fieldsOf(before), fieldsOf(after)];
  const names = [...new Set([...was.keys(), ...is.keys()])];
  const changes = names
    .map((field) => ({ field, from: was.get(field) ?? null, to: is.get(field) ?? null }))
    .filter(({ from, to }) => from !== to);
  const columns = [{ title: 'FIELD' }, { title: 'NOW' }, { title: 'WOULD BE' }];
  return {
    ...answer,
    value: { ...(answer.value as object), changes },
    table:
      changes.length === 0
        ? { kind: 'line', text: `network ${before.name} has these values already` }
        : {
            kind: 'grid',
            columns,
            rows: changes.map(({ field, from, to }) => [
              field,
              from === null ? '' : { text: from, tone: 'bad' },
              to === null ? '' : { text: to, tone: 'good' },
            ]),
          },
  };
}

/** With the names of `network show`. Each subnet and each label is a field, so that an additional one is one line. */
function fieldsOf(network: Network): ReadonlyMap<string, string> {
  return new Map([
    ['name', network.name],
    [
      'encrypted',
      network.becomes === 'encrypted-overlay' || (network.encrypted && network.becomes === '') ? 'yes' : 'no',
    ],
    ['MTU', `${network.mtu} (${network.mtuFixed ? 'fixed' : 'automatic'})`],
    ...network.subnets.map(({ prefix, gateway, ranges, auxAddresses }): [string, string] => {
      const parts = [gateway === '' ? 'no gateway' : `gateway ${gateway}`];
      if (ranges.length > 0) parts.push(`ranges ${ranges.join(' ')}`);
      if (Object.keys(auxAddresses).length > 0) parts.push(`auxiliary ${pairsText(auxAddresses)}`);
      return [`subnet ${prefix}`, parts.join(', ')];
    }),
    ...Object.entries(network.labels).map(([key, value]): [string, string] => [`label ${key}`, value || '""']),
  ]);
}
