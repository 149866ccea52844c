import type { MemberCertificate } from '@causeway/proto/gen/causeway/v1/certificate_service.js';
import type { Answer, Cell, Heading } from '../answer.ts';
import { ageCell, formatSpan, isoTime } from './time.ts';

const columns: readonly Heading[] = [
  { title: 'NAME' },
  { title: 'EXPIRES IN' },
  { title: 'AGE' },
  { title: 'SERIAL', wide: true },
];

export function operatorsAnswer(operators: readonly MemberCertificate[], now: number): Answer {
  return {
    value: operators.map(({ name, serial, issuedMs, expiresMs }) => ({
      ...{ name, serial, issued: isoTime(issuedMs), expires: isoTime(expiresMs) },
    })),
    names: operators.map(({ name }) => name),
    table: { kind: 'grid', columns, rows: operators.map((each) => row(each, now)) },
  };
}

function row({ name, serial, issuedMs, expiresMs }: MemberCertificate, now: number): Cell[] {
  const left = Number(expiresMs) - now;
  return [name, left > 0 ? formatSpan(left) : { text: 'expired', tone: 'bad' }, ageCell(issuedMs, now), serial];
}
