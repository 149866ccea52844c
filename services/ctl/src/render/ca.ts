import type {
  MemberCertificate,
  RotateCaResponse,
  ShowCaResponse,
} from '@causeway/proto/gen/causeway/v1/certificate_service.js';
import type { ExternalCa, Manager } from '@causeway/proto/gen/causeway/v1/cluster_service.js';
import { type Duration, formatDuration, milliseconds } from '@causeway/runtime';
import type { Answer, Cell, Heading, StreamPart } from '../answer.ts';
import { formatSpan, isoTime, timeValue } from './time.ts';

/** `managers`: also how they have certificates issued, if the key of the CA is outside of the cluster. */
export function caAnswer(ca: ShowCaResponse, managers: readonly Manager[], now: number): Answer {
  const { generation, roots, lifeMs, certificates, autolock, locked } = ca;
  const isRotating = roots.length > 1;
  const issuers = managers.flatMap(issuerIn);
  const valid = certificates.filter(({ expiresMs }) => Number(expiresMs) > now);
  const renewed = valid.filter((each) => each.generation === generation).length;
  return {
    value: {
      generation,
      rotating: isRotating,
      roots: roots.map(({ fingerprint, expiresMs, certificate }) => ({
        fingerprint,
        expires: isoTime(expiresMs),
        certificate,
      })),
      certificateLife: formatDuration(milliseconds(Number(lifeMs))),
      ...{ autolock, locked },
      external: issuers.length === 0 ? null : issuers.map(issuerValue),
      certificates: certificates.map(certificateValue),
    },
    names: roots.map(({ fingerprint }) => fingerprint),
    table: {
      kind: 'sheet',
      fields: [
        ['generation', String(generation)],
        ...roots.map(({ fingerprint, expiresMs }, i): [string, Cell] => [
          i === 0 ? 'fingerprint' : 'former CA',
          `${fingerprint}, expires ${isoTime(expiresMs)}`,
        ]),
        ...issuers.map((issuer, i): [string, Cell] => [i === 0 ? 'issued by' : '', issuerCell(issuer, now)]),
        ['certificates', `${membersText(valid)}; each is valid for ${formatSpan(Number(lifeMs))}`],
        ...(isRotating ? [['rotation', `${renewed} of ${valid.length} members have renewed`] as const] : []),
        ...soonest(valid, now),
        [
          'autolock',
          locked ? { text: 'on; the manager that answers is locked', tone: 'bad' } : autolock ? 'on' : 'off',
        ],
      ],
    },
  };
}

/** A manager that has certificates issued outside of the cluster. */
interface CaIssuer extends ExternalCa {
  readonly manager: string;
  readonly leads: boolean;
}

function issuerIn({ name: manager, leader: leads, externalCa }: Manager): CaIssuer[] {
  return externalCa === undefined ? [] : [{ ...externalCa, manager, leads }];
}

function issuerValue({ manager, leads, name, calledMs, failure }: CaIssuer): object {
  return { manager, leads, issuer: name || null, lastCall: timeValue(calledMs), failure: failure || null };
}

/** "the program /opt/ca/issue (--ca-program) of m1, which leads; the last call, 3m ago, worked" */
function issuerCell({ manager, leads, name, calledMs, failure }: CaIssuer, now: number): Cell {
  const who = `${manager}${leads ? ', which leads' : ''}`;
  if (name === '') return { text: `nothing at ${who}: --ca-program is not set`, tone: 'bad' };
  if (calledMs === 0n) return `${name} of ${who}; no call yet`;
  const call = `the last call, ${formatSpan(now - Number(calledMs))} ago,`;
  if (failure === '') return `${name} of ${who}; ${call} worked`;
  return { text: `${name} of ${who}; ${call} failed: ${failure}`, tone: 'bad' };
}

export function lifeAnswer(life: Duration): Answer {
  const text = formatDuration(life);
  const line = `new certificates are valid for ${formatSpan(life)}`;
  return { value: { certificateLife: text }, names: [text], table: { kind: 'line', text: line } };
}

export function certificateValue({ role, id, name, serial, issuedMs, expiresMs, generation }: MemberCertificate) {
  return { role, id, name, serial, issued: isoTime(issuedMs), expires: isoTime(expiresMs), generation };
}

function membersText(certificates: readonly MemberCertificate[]): string {
  const parts = ['manager', 'agent', 'operator'].flatMap((role) => {
    const count = certificates.filter((each) => each.role === role).length;
    return count === 0 ? [] : [`${count} ${role}${count === 1 ? '' : 's'}`];
  });
  return parts.length === 0 ? 'none' : parts.join(', ');
}

/** Members renew in time, so the next expiry is of a member that does not: it is down, or an operator who is away. */
function soonest(certificates: readonly MemberCertificate[], now: number): [string, Cell][] {
  const [first] = [...certificates].sort((a, b) => Number(a.expiresMs - b.expiresMs));
  if (first === undefined) return [];
  return [['next expiry', `${first.role} ${first.name}, in ${formatSpan(Number(first.expiresMs) - now)}`]];
}

export const rotationColumns: readonly Heading[] = [
  { title: 'GENERATION', width: 10 },
  { title: 'RENEWED', width: 9 },
  { title: 'WAITING FOR' },
];

export function progressPart({ generation, renewed, total, waiting, done }: RotateCaResponse): StreamPart {
  const last: Cell = done ? { text: 'done', tone: 'good' } : waiting.join(', ');
  return {
    value: { generation, renewed, total, waiting, done },
    ...(done && { name: String(generation) }),
    row: [String(generation), `${renewed}/${total}`, last],
  };
}
