import type { Token } from '@causeway/proto/gen/causeway/v1/certificate_service.js';
import type { Answer, Cell, Heading } from '../answer.ts';
import { ageCell, formatSpan, isoTime, timeValue } from './time.ts';

/** A new token: the only answer that contains the token itself. The table has the line to paste on the other host. */
export function createdTokenAnswer(token: Token, secret: string, managers: readonly string[]): Answer {
  const { id, role, uses, name, expiresMs } = token;
  const times = uses === 1 ? 'once' : `${uses} times`;
  return {
    value: { token: secret, id, role, uses, expires: isoTime(expiresMs), ...(name !== '' && { name }) },
    names: [secret],
    table: {
      kind: 'line',
      text: [
        intent[role] ?? 'to join, run:',
        '',
        `    ${joinLine(role, managers, secret, name)}`,
        '',
        `The token may be used ${times}, until ${isoTime(expiresMs)}. To end it before: causeway node token revoke ${id}`,
      ],
    },
  };
}

const intent: Readonly<Record<string, string>> = {
  agent: 'To add a host to the cluster, run there as root:',
  manager: 'To add a manager to the cluster, run on its host as root:',
  operator: 'To make another user an operator, run as that user:',
};

/** The command with which the token is used. */
export function joinLine(role: string, managers: readonly string[], secret: string, name = ''): string {
  if (role === 'operator') return `causeway context add NAME --managers ${managers.join(',')} --token ${secret}`;
  return `causeway join ${managers.join(',')} --token ${secret}${name === '' ? '' : ` --name ${name}`}`;
}

const columns: readonly Heading[] = [
  { title: 'ID' },
  { title: 'ROLE' },
  { title: 'STATE' },
  { title: 'USED' },
  { title: 'EXPIRES IN' },
  { title: 'AGE' },
  { title: 'NAME' },
  { title: 'CREATED BY' },
];

export function tokensAnswer(tokens: readonly Token[], now: number): Answer {
  return {
    value: tokens.map((token) => tokenValue(token, now)),
    names: tokens.map(({ id }) => id),
    table: { kind: 'grid', columns, rows: tokens.map((token) => row(token, now)) },
  };
}

/** A token that has just been revoked. */
export function tokenAnswer(token: Token, now: number): Answer {
  const used = token.used === 0 ? 'nothing has joined with it' : `it was used ${token.used} of ${token.uses} times`;
  const text = `token ${token.id} is revoked; ${used}`;
  return { value: tokenValue(token, now), names: [token.id], table: { kind: 'line', text } };
}

function tokenValue(token: Token, now: number) {
  const { id, role, uses, used, name, by, expiresMs, revokedMs, createdMs } = token;
  return {
    ...{ id, role, name: name === '' ? null : name, state: stateOf(token, now), uses, used, createdBy: by },
    expires: isoTime(expiresMs),
    revoked: timeValue(revokedMs),
    createdAt: isoTime(createdMs),
  };
}

type State = 'valid' | 'revoked' | 'expired' | 'used';

function stateOf({ revokedMs, expiresMs, used, uses }: Token, now: number): State {
  if (revokedMs !== 0n) return 'revoked';
  if (Number(expiresMs) <= now) return 'expired';
  return used >= uses ? 'used' : 'valid';
}

function row(token: Token, now: number): Cell[] {
  const { id, role, used, uses, name, by, expiresMs, createdMs } = token;
  const state = stateOf(token, now);
  const left = state === 'valid' ? formatSpan(Number(expiresMs) - now) : '-';
  return [
    id,
    role,
    { text: state, tone: state === 'valid' ? 'good' : 'dim' },
    `${used}/${uses}`,
    left,
    ageCell(createdMs, now),
    name === '' ? '-' : name,
    by === '' ? '-' : by,
  ];
}
