import { fromBase64, toBase64 } from '../text.ts';

/** RFC 7468. Text around the blocks is a comment. */
const block = /-----BEGIN ([A-Z0-9 ]+)-----\r?\n([A-Za-z0-9+/=\r\n]*?)-----END \1-----/g;

export interface PemBlock {
  readonly label: string;
  readonly der: Uint8Array;
}

export function formatPem(label: string, der: Uint8Array): string {
  const lines = toBase64(der).match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}

/** All blocks in order. Undefined: a block is damaged or has no end. */
export function parsePem(text: string): readonly PemBlock[] | undefined {
  const blocks = [...text.matchAll(block)].map(([, label = '', body = '']) => {
    const der = fromBase64(body.replaceAll(/[\r\n]/g, ''));
    return der && { label, der };
  });
  const whole = blocks.every((each) => each !== undefined);
  return whole && blocks.length === text.split('-----BEGIN ').length - 1 ? (blocks as PemBlock[]) : undefined;
}
